package keys_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/keys"
)

func open(path string, log io.Writer) *keys.Dir {
	return keys.NewDir(path, time.Now, slog.New(slog.NewTextHandler(log, nil)))
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// watching returns what Watch reported since it was last asked.
func watching(t *testing.T, d *keys.Dir) func() []string {
	ctx, cancel := context.WithCancel(t.Context())
	ch := make(chan string, 100)
	go func() {
		if err := d.Watch(ctx, func(l string) { ch <- l }); !errors.Is(err, context.Canceled) {
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
		d := open(dir, io.Discard)
		reported := watching(t, d)
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
		d.Credential("ana") // somebody who asks in between takes nothing from the watcher
		expect("another token", "Ana")
		write(t, filepath.Join(dir, "empty"), "\n")
		expect("an empty file")
		if err := os.Remove(filepath.Join(dir, "Ana")); err != nil {
			t.Fatal(err)
		}
		expect("a file that goes")
		if got := d.Credential("ana"); got != target.CredentialMissing {
			t.Errorf("Credential without a file is %s", got)
		}
		write(t, filepath.Join(dir, "Ana"), "two\n")
		expect("a file that comes back", "Ana")

		// Between two looks at the directory somebody missed it.
		away := filepath.Join(t.TempDir(), "away")
		if err := os.Rename(filepath.Join(dir, "Ana"), away); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Token("ana"); !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("Token without a file: %v", err)
		}
		if err := os.Rename(away, filepath.Join(dir, "Ana")); err != nil {
			t.Fatal(err)
		}
		expect("a file that was missed", "Ana")
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
		reported := watching(t, open(dir, io.Discard))
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
		d := open(dir, io.Discard)
		reported := watching(t, d)
		if got := d.Credential("ana"); got != target.CredentialMissing {
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
	d := open(dir, &log)
	for _, login := range []string{"empty", "blank", "two-lines", "header", "space", "huge", "binary", "folder"} {
		if got := d.Credential(login); got != target.CredentialMissing {
			t.Errorf("%s: got %s", login, got)
		}
		if _, err := d.Token(login); !errors.Is(err, target.ErrNoCredential) {
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
	d := open(dir, &log)
	for range 3 {
		d.Credential("ana")
		if _, err := d.Token("li"); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "readable by everybody"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

func TestExactNameBeatsFoldedOne(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ANA"), "folded")
	write(t, filepath.Join(dir, "ana"), "exact")
	d := open(dir, io.Discard)
	for login, want := range map[string]string{"ana": "exact", "ANA": "folded", "Ana": "folded"} {
		if got, err := d.Token(login); got != want || err != nil {
			t.Errorf("%s: got %q, %v", login, got, err)
		}
	}
}

func TestLoginNamesNoPath(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), "outside")
	tokens := filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(tokens, ".hidden"), "hidden")
	d := open(tokens, io.Discard)
	for _, login := range []string{"../secret", ".hidden", ".", "..", "", filepath.Join(dir, "secret")} {
		if got, err := d.Token(login); !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("%q: got %q, %v", login, got, err)
		}
	}
}

func TestVerdictsLastAsLongAsTheTokenStays(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	d := keys.NewDir(dir, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	put := func(token string) {
		write(t, filepath.Join(dir, "ana"), token)
		now = now.Add(2 * time.Second)
	}
	for _, step := range []struct {
		name string
		do   func()
		want target.Credential
	}{
		{"never used", func() { put("one") }, target.CredentialUnknown},
		{"accepted", func() { d.Accept("ana", "one") }, target.CredentialOK},
		{"rejected", func() { d.Reject("Ana", "one") }, target.CredentialRejected},
		{"rejected, an hour later", func() { now = now.Add(time.Hour) }, target.CredentialRejected},
		{"the same token in somebody else's name", func() { d.Accept("li", "one") }, target.CredentialRejected},
		{"another", func() { put("two") }, target.CredentialUnknown},
		{"doubted", func() { d.Doubt("ana", "two") }, target.CredentialRejected},
		{"nine minutes later", func() { now = now.Add(9 * time.Minute) }, target.CredentialRejected},
		{"after ten", func() { now = now.Add(2 * time.Minute) }, target.CredentialUnknown},
		{"the first, back again", func() { d.Credential("ana"); put("one") }, target.CredentialUnknown},
	} {
		step.do()
		if got := d.Credential("ana"); got != step.want {
			t.Errorf("%s: got %s, want %s", step.name, got, step.want)
		}
		if _, err := d.Token("ana"); errors.Is(err, target.ErrRejected) != (step.want == target.CredentialRejected) {
			t.Errorf("%s: Token: %v", step.name, err)
		}
	}
}
