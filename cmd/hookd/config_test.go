package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDurationsKnowDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "250ms": 250 * time.Millisecond, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "30d": 30 * day, "0d": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("parseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "d", "-1d", "1.5d", "30x", "99999999d"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q) = %v, want an error", text, d)
		}
	}
}

func TestSizesAreBinary(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "512": 512, "1KiB": 1024, "3 MiB": 3 << 20, "1GiB": 1 << 30, "2TiB": 2 << 40} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("parseSize(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1GB", "GiB", "-1", "1.5GiB", "99999999TiB"} {
		if n, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q) = %v, want an error", text, n)
		}
	}
}

func TestWhatIsFormattedIsReadBack(t *testing.T) {
	for _, d := range []time.Duration{0, 250 * time.Millisecond, time.Second, 90 * time.Second, 5 * time.Minute, 6 * time.Hour, day, 30 * day, 49 * time.Hour} {
		if got, err := parseDuration(formatDuration(d)); err != nil || got != d {
			t.Errorf("parseDuration(%q) = %v, %v, want %v", formatDuration(d), got, err, d)
		}
	}
	for _, n := range []size{0, 1, 1000, 1024, 5 << 20, gib, 3*gib + 1} {
		if got, err := parseSize(n.String()); err != nil || got != n {
			t.Errorf("parseSize(%q) = %d, %v, want %d", n, got, err, n)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := &tokenConfig{Name: "ops", Token: "canary"}
	for _, verb := range []string{"%v", "%+v", "%s", "%#v", "%q"} {
		for _, v := range []any{c, *c, c.Token, []secret{c.Token}} {
			if got := fmt.Sprintf(verb, v); strings.Contains(got, "canary") {
				t.Errorf("%s of %T shows the secret: %s", verb, v, got)
			}
		}
	}
}

func TestExcerptsHideWhatMightBeSecret(t *testing.T) {
	for line, want := range map[string]string{
		"listen: 127.0.0.1:1":                     "listen: 127.0.0.1:1",
		"  - name: git":                           "  - name: git",
		"    token_file: /run/x  # rotated":       "    token_file: /run/x  # rotated",
		"log: {level: loud, format: auto}":        "log: {level: loud, format: auto}",
		"    orgs: [acme, labs]":                  "    orgs: [acme, labs]",
		"    secret: canary":                      "    secret: " + mask,
		"    secert: canary":                      "    secert: " + mask,
		"  - {name: git, token: canary}":          "  - " + mask,
		"  - {name: git, tokn: canary}":           "  - " + mask,
		"      - canary":                          "      - " + mask,
		"url: https://u:canary@git.example.com":   "url: " + mask,
		"canary":                                  mask,
		"# token: canary":                         "# " + mask,
		"providers:":                              "providers:",
		"":                                        "",
		"---":                                     "---",
		"    secrets: [canary-one, canary-two]":   "    secrets: " + mask,
		"  poll: {members: 5m, secret: canary}":   "  poll: " + mask,
		"    url: \"http://x/?token: canary\"   ": "    url: " + mask,
	} {
		if got := presentable(line); got != want && (strings.Contains(got, "canary") || !strings.Contains(line, "canary")) {
			t.Errorf("presentable(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestCaretStandsUnderTheColumn(t *testing.T) {
	var out bytes.Buffer
	s := newSource("x.yaml", []byte("a:\n\tétat: 1\n"))
	s.excerpt(&out, origin{File: "x.yaml", Line: 2, Col: 8})
	lines := strings.Split(out.String(), "\n")
	if got, want := lines[2], "         \t      ^"; got != want {
		t.Errorf("caret line %q, want %q", got, want)
	}
}

// write makes a file in the test's folder and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOneTrailingNewlineIsNoPartOfASecret(t *testing.T) {
	for text, want := range map[string]secret{
		"0123456789abcdef":       "0123456789abcdef",
		"0123456789abcdef\n":     "0123456789abcdef",
		"0123456789abcdef\r\n":   "0123456789abcdef",
		"0123456789abcdef\n\n":   "0123456789abcdef\n",
		" 0123456789abcdef \n":   " 0123456789abcdef ",
		"0123456789\nabcdef-end": "0123456789\nabcdef-end",
	} {
		c, err := loadConfig("", environ{
			"HOOKD_CONFIG=" + write(t, "hookd.yaml", "{}\n"),
			"HOOKD_PROVIDER_GIT_KIND=gitea", "HOOKD_PROVIDER_GIT_URL=https://git.example.com", "HOOKD_PROVIDER_GIT_TOKEN=t",
			"HOOKD_PROVIDER_GIT_ORGS=*", "HOOKD_PROVIDER_GIT_SECRET_FILE=" + write(t, "secret", text),
		})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff([]secret{want}, c.Providers[0].Hooks); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// A token goes into a header, where white space at its ends is lost and a
// control character cannot stand.
func TestATokenMustFitIntoAHeader(t *testing.T) {
	const fits = "0123456789abcdef"
	for text, good := range map[string]bool{
		fits: true, fits + "\n": true, fits + "\r\n": true, "0123456789 abcdef": true,
		fits + "\n\n": false, fits + " \n": false, "\t" + fits: false, "0123456789\nabcdef": false, fits + "\x00": false, "\ufeff" + fits: false,
	} {
		_, err := loadConfig("", environ{
			"HOOKD_CONFIG=" + write(t, "hookd.yaml", "{}\n"),
			"HOOKD_PROVIDER_GIT_KIND=gitea", "HOOKD_PROVIDER_GIT_URL=https://git.example.com",
			"HOOKD_PROVIDER_GIT_ORGS=*", "HOOKD_PROVIDER_GIT_SECRET=" + fits,
			"HOOKD_PROVIDER_GIT_TOKEN_FILE=" + write(t, "token", text),
			"HOOKD_ADMIN_TOKEN_FILE=" + write(t, "token", text),
			"HOOKD_TARGET_DRONE_KIND=drone", "HOOKD_TARGET_DRONE_URL=https://drone.example.com", "HOOKD_TARGET_DRONE_TOKEN_DIR=" + t.TempDir(),
			"HOOKD_TARGET_DRONE_TOKEN_FILE=" + write(t, "token", text),
		})
		faults := 0
		if err != nil {
			faults = 1 + strings.Count(err.Error(), "\n")
		}
		if want := map[bool]int{true: 0, false: 3}[good]; faults != want {
			t.Errorf("%q: %d faults, want %d: %v", text, faults, want, err)
		}
	}
}

// Editors on Windows put a byte order mark before the text, which YAML allows.
func TestAByteOrderMarkIsNoPartOfTheFirstKey(t *testing.T) {
	c, f := readConfig(write(t, "hookd.yaml", "\ufefflisten: 127.0.0.1:1\nadmin_listen: 127.0.0.1:2\n"), nil)
	if len(f.list) > 0 {
		t.Fatal(f)
	}
	if c.Listen != "127.0.0.1:1" || c.origins["listen"].Col != 9 {
		t.Errorf("listen %q at %v", c.Listen, c.origins["listen"])
	}
}

func TestFlagsStandAboveTheEnvironment(t *testing.T) {
	c, f := readConfig(write(t, "hookd.yaml", "listen: 127.0.0.1:1\nadmin_listen: 127.0.0.1:2\ndata_dir: a\n"),
		environ{"HOOKD_LISTEN=127.0.0.1:3", "HOOKD_ADMIN_LISTEN=127.0.0.1:4"},
		override{"listen", "listen", "127.0.0.1:5"})
	if len(f.list) > 0 {
		t.Fatal(f)
	}
	got := []string{c.Listen, c.AdminListen, c.DataDir, c.origins["listen"].String()}
	if diff := cmp.Diff([]string{"127.0.0.1:5", "127.0.0.1:4", "a", "--listen"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnchorsAreFollowed(t *testing.T) {
	c, f := readConfig(write(t, "hookd.yaml", "listen: &a 127.0.0.1:1\npublic_url: *a\nsync: {debounce: *b}\n"), nil)
	if c.PublicURL != "127.0.0.1:1" {
		t.Errorf("public_url %q, want that of the anchor", c.PublicURL)
	}
	if len(f.list) != 1 || !strings.Contains(f.Error(), "unknown anchor") {
		t.Errorf("faults %v, want one of the unknown anchor", f)
	}
}

func TestReloadTellsWhatNeedsARestart(t *testing.T) {
	a, b := defaults(), defaults()
	a.Providers = []*providerConfig{{Name: "git", Kind: "gitea", Token: "old", Orgs: []string{"acme"}}}
	b.Providers = []*providerConfig{{Name: "git", Kind: "gitea", Token: "new", Orgs: []string{"acme", "labs"}}}
	b.Log.Level, b.Sync.Workers = "debug", 9
	if diff := cmp.Diff([]string{"providers.git.orgs", "sync.workers"}, a.changed(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A driver that was built without a token has no place for one, and a key that
// signs for an App is held by the driver.
func TestReloadTellsWhichCredentialsNeedARestart(t *testing.T) {
	with := func(token, admin, key secret) *config {
		c := defaults()
		c.Providers = []*providerConfig{{Name: "git", Kind: "gitea", Token: token}, {Name: "hub", Kind: "github", App: appConfig{ID: "1", PrivateKeyFile: "key", key: key}}}
		c.Targets = []*targetConfig{{Name: "drone", Kind: "drone", Token: admin}}
		return c
	}
	for _, x := range []struct {
		a, b *config
		want []string
	}{
		{with("old", "old", "k"), with("new", "new", "k"), nil},
		{with("", "old", "k"), with("new", "", "k"), []string{"providers.git.token", "targets.drone.token"}},
		{with("t", "t", "k"), with("t", "t", "other"), []string{"providers.hub.app.private_key_file"}},
	} {
		if diff := cmp.Diff(x.want, x.a.changed(x.b)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// The reader of the configuration meets whatever people type.
func FuzzReadConfig(f *testing.F) {
	scripts, err := filepath.Glob("testdata/script/config_*.txtar")
	if err != nil || len(scripts) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "-- ") {
			_, body, _ := strings.Cut(part, "\n")
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, faults := defaults(), &faults{}
		c.source = newSource("fuzz.yaml", []byte(text))
		faults.source = c.source
		if c.readYAML(faults) {
			c.check(faults)
		}
		faults.sorted().print(&bytes.Buffer{})
	})
}
