package providers_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
)

func mac(key, body string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(body))
	return hex.EncodeToString(m.Sum(nil))
}

const (
	keyNew = "sixteen-bytes-at-least-new"
	keyOld = "sixteen-bytes-at-least-old"
)

func secrets(t *testing.T, keys ...string) providers.Secrets {
	t.Helper()
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, []byte(k))
	}
	s, err := providers.NewSecrets(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryLiveSecretMatches(t *testing.T) {
	s := secrets(t, keyNew, keyOld)
	for want, key := range []string{keyNew, keyOld} {
		if got, err := s.MatchHMAC(mac(key, "body"), []byte("body")); err != nil || got != want {
			t.Errorf("secret %d: matched %d, %v", want, got, err)
		}
	}
	if s.Len() != 2 || s.Key(1) != keyOld {
		t.Errorf("%d secrets, the second %q", s.Len(), s.Key(1))
	}
}

func TestNothingElseMatches(t *testing.T) {
	good := mac(keyNew, "body")
	for what, sum := range map[string]string{
		"empty": "", "short": good[:63], "long": good + "0", "not hexadecimal": "g" + good[1:],
		"upper case": strings.ToUpper(good), "prefixed": "sha256=" + good, "spaced": " " + good[1:],
		"of another secret": mac(keyOld, "body"), "of another body": mac(keyNew, "body "),
		"zeros": strings.Repeat("0", 64),
	} {
		if i, err := secrets(t, keyNew).MatchHMAC(sum, []byte("body")); err != providers.ErrSignature || i != 0 {
			t.Errorf("%s: %d, %v", what, i, err)
		}
	}
	if _, err := (providers.Secrets{}).MatchHMAC(mac("", "body"), []byte("body")); err != providers.ErrSignature {
		t.Errorf("no secrets at all: %v", err)
	}
}

func TestSecretsMustBeThereAndLongEnough(t *testing.T) {
	if _, err := providers.NewSecrets(); err == nil {
		t.Error("an empty set was accepted")
	}
	if _, err := providers.NewSecrets([]byte(keyNew), nil); err == nil {
		t.Error("an empty secret was accepted")
	}
	_, err := providers.NewSecrets([]byte("fifteen-bytes.."))
	if err == nil || strings.Contains(err.Error(), "fifteen") {
		t.Errorf("a short secret: %v", err)
	}
}

// Whoever wipes his copy of a secret must not disarm the hook.
func TestSecretsAreCopied(t *testing.T) {
	key := []byte(keyNew)
	s, err := providers.NewSecrets(key)
	if err != nil {
		t.Fatal(err)
	}
	clear(key)
	if _, err := s.MatchHMAC(mac(keyNew, "body"), []byte("body")); err != nil {
		t.Error(err)
	}
	if _, err := s.MatchHMAC(mac(string(key), "body"), []byte("body")); !errors.Is(err, providers.ErrSignature) {
		t.Errorf("the wiped secret matches: %v", err)
	}
}
