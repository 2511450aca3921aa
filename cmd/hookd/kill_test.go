package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// TestNothingAnsweredIsLostOnKill9 kills the real program at random times while
// 64 senders deliver at once, ten times over, always on the same data folder.
// Whatever was answered 202 must be in the journal of the last life, and each
// of its jobs must have ended well.
func TestNothingAnsweredIsLostOnKill9(t *testing.T) {
	const rounds, senders = 10, 64
	dir := t.TempDir()
	w, err := newWorld("gitea", "drone", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	var repos []providers.Repo
	for i := range 20 {
		r, err := w.forge.create(demoOrg, fmt.Sprint("app-", i))
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, r)
	}

	w.poll = time.Hour
	if err := w.save(""); err != nil {
		t.Fatal(err)
	}
	config, err := os.OpenFile(filepath.Join(dir, worldConfig), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.WriteString(hasty); err != nil {
		t.Fatal(err)
	}
	if err := config.Close(); err != nil {
		t.Fatal(err)
	}

	acknowledged := map[string]bool{}
	for round := range rounds {
		s := startServer(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		enough := len(acknowledged) + senders/2 // of this life
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range senders {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil && n < 40; n++ {
					r := repos[n%len(repos)]
					if guid, ok := deliver(ctx, s.listen, []byte(string(w.secrets[0])), r); ok {
						mu.Lock()
						acknowledged[guid] = true
						mu.Unlock()
					}
				}
			})
		}
		// Not before some of this life's were answered, and then at any time.
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			mu.Lock()
			n := len(acknowledged)
			mu.Unlock()
			if n >= enough {
				break
			}
		}
		time.Sleep(time.Duration(number(t, 300)) * time.Millisecond)
		s.kill(t)
		cancel()
		wg.Wait()
		t.Logf("round %d: %d acknowledged so far", round+1, len(acknowledged))
	}
	if len(acknowledged) < rounds*senders/2 {
		t.Fatalf("only %d deliveries were acknowledged: nothing was put to the test", len(acknowledged))
	}

	s := startServer(t, dir)
	defer s.kill(t)
	journal := map[string]string{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID   string `json:"id"`
				GUID string `json:"delivery_id"`
			} `json:"items"`
			Next *string `json:"next"`
		}
		s.get(t, "/api/v1/deliveries?limit=500&cursor="+cursor, &page)
		for _, d := range page.Items {
			journal[d.GUID] = d.ID
		}
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	for guid := range acknowledged {
		id, ok := journal[guid]
		if !ok {
			t.Errorf("delivery %s was answered 202 and is not in the journal", guid)
			continue
		}
		s.awaitJobs(t, id)
		if t.Failed() {
			return
		}
	}
	for _, login := range []string{"ana", "li"} {
		shown := w.drone.Shows(login)
		for _, r := range repos {
			if !slices.Contains(shown, r.Path) {
				t.Errorf("%s does not see %s: %v", login, r.Path, shown)
			}
		}
	}
}

// running is a server in a process of its own.
type running struct {
	cmd           *exec.Cmd
	listen, admin string
	token         string
}

func startServer(t *testing.T, dir string) *running {
	t.Helper()
	bin, err := exec.LookPath("hookd")
	if err != nil {
		t.Fatal(err)
	}
	logPath := filepath.Join(dir, "server.log")
	log, err := os.Create(logPath)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s := &running{cmd: exec.Command(bin, "serve", "--config", filepath.Join(dir, "hookd.yaml"))}
	s.cmd.Dir, s.cmd.Stderr, s.cmd.Env = dir, log, []string{}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(logPath)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var ready struct{ Msg, Listen, Admin string }
			if json.Unmarshal([]byte(line), &ready) != nil || ready.Msg != "hookd is ready" {
				continue
			}
			token, err := os.ReadFile(filepath.Join(dir, "data", "admin-token"))
			if err != nil {
				t.Fatal(err)
			}
			s.listen, s.admin, s.token = ready.Listen, ready.Admin, strings.TrimSpace(string(token))
			return s
		}
	}
	text, _ := os.ReadFile(logPath)
	s.kill(t)
	t.Fatalf("serve is not ready within %s\n%s", patience, text)
	return nil
}

// kill is SIGKILL, and waits until the process is gone.
func (s *running) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait() // always fails: it was killed
}

func (s *running) get(t *testing.T, path string, v any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// awaitJobs waits until every job of a delivery ended well.
func (s *running) awaitJobs(t *testing.T, delivery string) {
	t.Helper()
	type job struct{ ID, Kind, State, Outcome, Note string }
	var d struct{ Jobs []job }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		d.Jobs = nil
		s.get(t, "/api/v1/deliveries/"+delivery, &d)
		open := 0
		for _, j := range d.Jobs {
			// The owner never logged in to Drone: his publish job waits for that.
			if j.State != "done" && (j.State != "parked" || j.Kind != "publish") {
				open++
			}
		}
		if len(d.Jobs) > 0 && open == 0 {
			return
		}
	}
	t.Errorf("delivery %s led to no finished sync: %+v", delivery, d.Jobs)
}

// deliver sends one signed delivery and reports whether it was acknowledged.
func deliver(ctx context.Context, listen string, secret []byte, r providers.Repo) (guid string, ok bool) {
	guid = rand.Text()
	_, name, _ := strings.Cut(r.Path, "/")
	body := fmt.Appendf(nil, `{"action":"created","repository":{"id":%s,"name":%q,"full_name":%q,"private":true,"owner":{"id":%s,"login":%q}},"organization":{"id":%s,"login":%q},"sender":{"id":1,"login":"gitadmin"}}`,
		r.ID, name, r.Path, r.Org.ID, r.Org.Name, r.Org.ID, r.Org.Name)
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+listen+"/hooks/git", bytes.NewReader(body))
	if err != nil {
		return "", false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Gitea-Event", "repository")
	req.Header.Set("X-Gitea-Delivery", guid)
	req.Header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return guid, false
	}
	resp.Body.Close()
	return guid, resp.StatusCode == http.StatusAccepted
}

func number(t *testing.T, below int64) int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(below))
	if err != nil {
		t.Fatal(err)
	}
	return n.Int64()
}
