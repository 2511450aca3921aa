package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/vault"
)

// keyOf makes a key of one letter.
func keyOf(t testing.TB, letters string) []vault.Key {
	t.Helper()
	var lines []string
	for _, l := range letters {
		lines = append(lines, hex.EncodeToString(bytes.Repeat([]byte(string(l)), 32)))
	}
	keys, err := vault.ParseKeys([]byte(strings.Join(lines, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func open(t testing.TB, path, target, keys string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path, target, keyOf(t, keys))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func keep(t testing.TB, v *vault.Vault, login, text string) {
	t.Helper()
	if err := v.Keep(storage.Token{Login: login, Text: text, Origin: storage.Linked, Since: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
}

func has(t testing.TB, v *vault.Vault, login, text string) {
	t.Helper()
	got, ok := v.Token(login)
	if !ok || got.Text != text {
		t.Errorf("%s: kept %t, and it is not what was kept", login, ok)
	}
}

func TestTokensOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	v := open(t, path, "drone", "a")
	keep(t, v, "Ana", "one")
	keep(t, v, "li", "two")
	keep(t, v, "ANA", "three") // the same user
	keep(t, v, "omar", "four")
	if err := v.Drop("OMAR"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []*vault.Vault{v, open(t, path, "drone", "a")} {
		has(t, v, "ana", "three")
		has(t, v, "Li", "two")
		if got := v.Logins(); !slices.Equal(got, []string{"ANA", "li"}) {
			t.Errorf("kept are %q", got)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestTokenIsNotInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	keep(t, open(t, path, "drone", "a"), "ana", "canary-canary-canary")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		"canary", base64.StdEncoding.EncodeToString([]byte("canary-canary-canary"))[:20], hex.EncodeToString([]byte("canary")),
		strings.Repeat("61", 32), strings.Repeat("a", 32), // the key
	} {
		if bytes.Contains(b, []byte(form)) {
			t.Errorf("%q is in the file", form)
		}
	}
}

func TestWrongKeyIsSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if _, err := vault.Open(path, "drone", keyOf(t, "b")); err != nil {
		t.Fatalf("nothing is kept yet: %v", err)
	}
	keep(t, open(t, path, "drone", "a"), "ana", "one")
	for name, open := range map[string]func(string, string, []vault.Key) (*vault.Vault, error){"Open": vault.Open, "Peek": vault.Peek} {
		_, err := open(path, "drone", keyOf(t, "bc"))
		if err == nil || !strings.Contains(err.Error(), `the token of "ana" opens by no key`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	has(t, open(t, path, "drone", "a"), "ana", "one")
}

func TestNewKeyAboveTheOldOneReplacesIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	keep(t, open(t, path, "drone", "a"), "ana", "one")
	before, _ := os.ReadFile(path)
	if _, err := vault.Peek(path, "drone", keyOf(t, "ba")); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a look changed the file")
	}
	open(t, path, "drone", "ba")
	has(t, open(t, path, "drone", "b"), "ana", "one")
	if _, err := vault.Open(path, "drone", keyOf(t, "a")); err == nil {
		t.Error("the old key opens it still")
	}
}

// TestNobodyGetsAnothersToken plays somebody who may write the file, but has no
// key.
func TestNobodyGetsAnothersToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	keep(t, open(t, path, "drone", "a"), "ana", "one")
	for name, edit := range map[string]func(string) string{
		"another user":   func(s string) string { return strings.Replace(s, `"ana"`, `"eve"`, 1) },
		"another byte":   func(s string) string { return strings.Replace(s, `"box": "`, `"box": "AAAA`, 1) },
		"half a file":    func(s string) string { return s[:len(s)/2] },
		"nothing in it":  func(string) string { return "" },
		"a later schema": func(s string) string { return strings.Replace(s, `"schema": 1`, `"schema": 2`, 1) },
		"an empty box":   func(s string) string { return s[:strings.Index(s, `"box": "`)] + `"box": ""}]}` },
	} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edited := filepath.Join(t.TempDir(), "tokens")
		if text := edit(string(b)); text == string(b) {
			t.Fatalf("%s: nothing was edited", name)
		} else if err := os.WriteFile(edited, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := vault.Open(edited, "drone", keyOf(t, "a")); err == nil {
			t.Errorf("%s was believed", name)
		}
	}
	if _, err := vault.Open(path, "other", keyOf(t, "a")); err == nil {
		t.Error("another target's token was believed")
	}
}

func TestKeysAreReadAsPeopleMakeThem(t *testing.T) {
	raw := bytes.Repeat([]byte("\xa5"), 32)
	for name, text := range map[string][]byte{
		"openssl rand -hex 32":       []byte(hex.EncodeToString(raw) + "\n"),
		"openssl rand -base64 32":    []byte(base64.StdEncoding.EncodeToString(raw) + "\r\n"),
		"head -c 32 /dev/urandom":    raw,
		"upper case, without an end": []byte(strings.ToUpper(hex.EncodeToString(raw))),
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		keys, err := vault.ParseKeys(text)
		if err != nil || len(keys) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v, err := vault.Open(path, "drone", keys)
		if err != nil {
			t.Fatal(err)
		}
		keep(t, v, "ana", "one")
		same, err := vault.ParseKeys(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vault.Open(path, "drone", same); err != nil {
			t.Errorf("%s is another key: %v", name, err)
		}
		if got := fmt.Sprintf("%v %+v %#v %s", keys[0], keys[0], keys[0], keys[0]); strings.Contains(got, "165") || strings.Contains(got, "a5") {
			t.Errorf("%s prints as %s", name, got)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "blank": "\n\n", "short": "0123456789abcdef", "a password": "canary canary canary canary!!", "31 bytes": strings.Repeat("ab", 31),
		"a good one and a bad": strings.Repeat("ab", 32) + "\ncanary\n",
	} {
		_, err := vault.ParseKeys([]byte(text))
		if err == nil || !strings.Contains(err.Error(), "openssl rand -hex 32") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFailedWriteChangesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tokens")
	v := open(t, path, "drone", "a")
	keep(t, v, "ana", "one")
	if err := os.Mkdir(path+".new", 0o700); err != nil { // nobody can write there, root neither
		t.Fatal(err)
	}
	if err := v.Keep(storage.Token{Login: "ana", Text: "canary"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	has(t, v, "ana", "one")
	has(t, open(t, path, "drone", "a"), "ana", "one")
}
