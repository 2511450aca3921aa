package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// TestALeaverIsDeactivatedOnceWhateverKill9Interrupts kills the real program at
// each place where hookd has decided on somebody's account, or ended it, and has
// not yet written down what became of it.
func TestALeaverIsDeactivatedOnceWhateverKill9Interrupts(t *testing.T) {
	for name, at := range map[string]struct {
		fault   targettest.Fault
		request string
		before  bool // the account is active when the program dies
	}{
		"before he is deactivated":             {targettest.FaultHang, "PATCH /api/users/omar", true},
		"before it is known that he is":        {targettest.FaultUnheard, "PATCH /api/users/omar", false},
		"before his list is taken":             {targettest.FaultHang, "POST /api/user/repos", false},
		"before it is known that his list was": {targettest.FaultUnheard, "POST /api/user/repos", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			w := offboardingWorld(t, dir)
			s := startServer(t, dir)
			if err := w.connect(s.listen); err != nil {
				t.Fatal(err)
			}
			await(t, "omar is known to have seen it", func() bool {
				return s.ended(t, "publish", "omar", "visible") || s.ended(t, "publish", "omar", "as it was")
			})
			w.drone.Own("acme/base", "omar", "ana")
			w.drone.Break(at.fault, at.request)
			if err := w.forge.RemoveMember(demoOrg, "web", "omar"); err != nil {
				t.Fatal(err)
			}
			await(t, "the request that is to be the last", func() bool { return w.drone.Struck() > 0 })
			s.kill(t)
			if w.drone.Active("omar") != at.before {
				t.Fatalf("active is %t when the program dies", w.drone.Active("omar"))
			}
			w.drone.Heal()

			s = startServer(t, dir)
			defer s.kill(t)
			const moved = "deactivated: he was listed 1: acme/base; handed over 1: acme/base to ana"
			await(t, moved, func() bool { return s.ended(t, "publish", "omar", moved) })
			if w.drone.Active("omar") || len(w.drone.Shows("omar")) > 0 {
				t.Errorf("active is %t, and he sees %v", w.drone.Active("omar"), w.drone.Shows("omar"))
			}
			if owner := w.drone.Repository("acme/base").Owner; owner != "ana" {
				t.Errorf("acme/base belongs to %q", owner)
			}
			if n := w.drone.Deactivations("omar"); n != 1 {
				t.Errorf("deactivated %d times", n)
			}
			if n := audited(t, dir, "omar", "deactivated"); n != 1 {
				t.Errorf("the audit log tells of it %d times", n)
			}
			if err := w.forge.AddMember(demoOrg, "web", "omar"); err != nil {
				t.Fatal(err)
			}
			// Coming back so soon after a restart is for the sweep to find, or for who asks.
			s.sync(t, "git/omar")
			await(t, "omar is let in again", func() bool {
				return w.drone.Active("omar") && slices.Equal(w.drone.Shows("omar"), []string{"acme/base"})
			})
		})
	}
}

// offboardingWorld is a world whose hookd deactivates who leaves.
func offboardingWorld(t *testing.T, dir string) *world {
	t.Helper()
	w, err := newWorld("gitea", "drone", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	if err := w.save(""); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, worldConfig)
	text, err := os.ReadFile(config)
	if err == nil {
		text = bytes.Replace(text, []byte("  - name: drone\n"), []byte("  - name: drone\n    offboard: deactivate\n"), 1)
		err = os.WriteFile(config, append(text, hasty...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// await repeats a question until the answer is yes.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so within %s: %s", patience, what)
		}
	}
}

// ended reports whether a job of a kind about somebody ended with a note that
// contains the words.
func (s *running) ended(t *testing.T, kind, about, words string) bool {
	t.Helper()
	var page struct {
		Items []struct {
			Kind, Note string
			Subject    struct{ Name string }
		}
	}
	s.get(t, "/api/v1/jobs?state=done&limit=500", &page)
	for _, j := range page.Items {
		if j.Kind == kind && j.Subject.Name == about && strings.Contains(j.Note, words) {
			return true
		}
	}
	return false
}

// audited counts what the log of the server's last life says of an account.
func audited(t *testing.T, dir, login, what string) (n int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, `"msg":"audit"`) && strings.Contains(line, `"user":"`+login+`"`) && strings.Contains(line, `"offboarding":"`+what+`"`) {
			n++
		}
	}
	return n
}

// sync asks for somebody's list now.
func (s *running) sync(t *testing.T, user string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.admin+"/api/v1/users/"+user+"/sync", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("sync of %s: %s", user, resp.Status)
	}
}
