package drone_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
)

// silent is a driver whose Drone is never asked.
func silent(t *testing.T, dir string, log *strings.Builder) *drone.Target {
	t.Helper()
	cfg := drone.Config{URL: "http://127.0.0.1:1", TokenDir: dir, Now: time.Now}
	if log != nil {
		cfg.Log = logTo(log)
	}
	tg, err := drone.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// watching returns what Watch reported since it was last asked.
func watching(t *testing.T, tg *drone.Target) func() []string {
	ctx, cancel := context.WithCancel(t.Context())
	ch := make(chan string, 100)
	go func() {
		if err := tg.Watch(ctx, func(l string) { ch <- l }); !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: %v", err)
		}
	}()
	t.Cleanup(cancel)
	return func() []string {
		synctest.Wait()
		var all []string
		for {
			select {
			case l := <-ch:
				all = append(all, l)
			default:
				return all
			}
		}
	}
}

func TestDroppedInTokenFileIsNoticedWithin10s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "omar"), "from-before")
		tg := silent(t, dir, nil)
		reported := watching(t, tg)
		expect := func(what string, want ...string) {
			t.Helper()
			time.Sleep(9 * time.Second)
			if got := reported(); !slices.Equal(got, want) {
				t.Errorf("%s: reported %q, want %q", what, got, want)
			}
		}
		expect("what lay there while nobody watched", "omar")
		write(t, filepath.Join(dir, "Ana"), "one\n")
		expect("a new file", "Ana")
		write(t, filepath.Join(dir, "Ana"), "one")
		expect("the same token without its newline")
		write(t, filepath.Join(dir, "Ana"), "two\n")
		tg.Credential("ana") // somebody who asks in between takes nothing from the watcher
		expect("another token", "Ana")
		write(t, filepath.Join(dir, "empty"), "\n")
		expect("an empty file")
		if err := os.Remove(filepath.Join(dir, "Ana")); err != nil {
			t.Fatal(err)
		}
		expect("a file that goes")
		if got := tg.Credential("ana"); got != target.CredentialMissing {
			t.Errorf("Credential without a file is %s", got)
		}
		write(t, filepath.Join(dir, "Ana"), "two\n")
		expect("a file that comes back", "Ana")
	})
}

func TestMountedSecretIsFollowedWhenItIsSwitched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		mount := func(version, content string) {
			t.Helper()
			if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, version, "ana"), content)
			tmp := filepath.Join(dir, "..tmp")
			if err := errors.Join(os.Symlink(version, tmp), os.Rename(tmp, filepath.Join(dir, "..data"))); err != nil {
				t.Fatal(err)
			}
		}
		mount("..v1", "one\n")
		if err := os.Symlink("..data/ana", filepath.Join(dir, "ana")); err != nil {
			t.Fatal(err)
		}
		reported := watching(t, silent(t, dir, nil))
		if got := reported(); !slices.Equal(got, []string{"ana"}) {
			t.Errorf("reported %q: hidden entries are no users", got)
		}
		mount("..v2", "two\n")
		time.Sleep(3 * time.Second)
		if got := reported(); !slices.Equal(got, []string{"ana"}) {
			t.Errorf("after the switch: reported %q", got)
		}
	})
}

func TestDirectoryMayComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "later")
		tg := silent(t, dir, nil)
		reported := watching(t, tg)
		if got := tg.Credential("ana"); got != target.CredentialMissing {
			t.Errorf("got %s", got)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "ana"), "one")
		time.Sleep(3 * time.Second)
		if got := reported(); !slices.Equal(got, []string{"ana"}) {
			t.Errorf("reported %q", got)
		}
	})
}

func TestUnusableTokenFilesAreMissing(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	for name, content := range map[string]string{
		"empty": "", "blank": "\n", "two-lines": "canary-a\ncanary-b\n", "header": "canary\r\nX-Admin: 1",
		"space": "canary ", "huge": strings.Repeat("canary", 4096), "binary": "canary\x00",
	} {
		write(t, filepath.Join(dir, name), content)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	tg := silent(t, dir, &log)
	for _, login := range []string{"empty", "blank", "two-lines", "header", "space", "huge", "binary", "folder"} {
		if got := tg.Credential(login); got != target.CredentialMissing {
			t.Errorf("%s: got %s", login, got)
		}
		_, err := tg.Sync(t.Context(), providers.User{Login: login}, target.Desired{Present: of(providers.Repo{ID: "1"})})
		if !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("%s: got %v", login, err)
		}
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("content in the log: %s", log.String())
	}
}

func TestOpenPermissionsAreSaidOnce(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	for _, name := range []string{"ana", "li"} {
		write(t, filepath.Join(dir, name), "token")
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tg := silent(t, dir, &log)
	for range 3 {
		tg.Credential("ana")
		_, _ = tg.Sync(t.Context(), providers.User{Login: "li"}, target.Desired{Present: of(providers.Repo{ID: "1"})})
	}
	if n := strings.Count(log.String(), "readable by everybody"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

func TestExactNameBeatsFoldedOne(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 1)
	u := s.join(t, "ana")
	s.write(t, "ANA", "spoilt")
	fresh := s.forge.add("acme/fresh", "ana")
	res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(repos[0], fresh)})
	if err != nil || !res.Settled() {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestRejectedTokenIsNotTriedAgainUntilItChanges(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 1)
	u := s.join(t, "ana")
	s.write(t, "ana", "spoilt")
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(fresh)}
	for i := range 3 {
		before := s.drone.Calls()
		if _, err := s.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
			t.Fatalf("got %v", err)
		}
		if n := s.drone.Calls() - before; i > 0 && n != 2 {
			t.Errorf("%d requests, want the administrator's two", n)
		}
	}
	if got := s.target.Credential("ana"); got != target.CredentialRejected {
		t.Errorf("got %s", got)
	}
	s.write(t, "ana", droneToken("ana"))
	if _, err := s.target.Sync(t.Context(), u, want); err != nil {
		t.Error(err)
	}
	if got := s.with(t).Credential("ana"); got != target.CredentialUnknown {
		t.Errorf("a token that was never used is %s", got)
	}
}

func TestRejectionWithoutWitnessIsBelievedForTenMinutes(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	now := time.Now()
	tg := s.with(t, func(c *drone.Config) { c.AdminToken, c.Now = "", func() time.Time { return now } })
	want := target.Desired{Present: of(fresh)}

	s.drone.Break("stranger", "") // Drone's database is away: everybody is refused
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	s.drone.Heal()
	now = now.Add(9 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); err != nil {
		t.Error(err)
	}
}

func TestRejectedTokenThatComesBackIsTriedAgain(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	now := time.Now()
	tg := s.with(t, func(c *drone.Config) { c.Now = func() time.Time { return now } })
	s.write(t, "ana", "spoilt")
	if _, err := tg.Sync(t.Context(), u, target.Desired{Present: of(providers.Repo{ID: "1"})}); !errors.Is(err, target.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	for _, step := range []struct {
		content string
		want    target.Credential
	}{{"spoilt", target.CredentialRejected}, {"another", target.CredentialUnknown}, {"spoilt", target.CredentialUnknown}} {
		s.write(t, "ana", step.content)
		now = now.Add(2 * time.Second)
		if got := tg.Credential("ana"); got != step.want {
			t.Errorf("%s: got %s, want %s", step.content, got, step.want)
		}
	}
}
