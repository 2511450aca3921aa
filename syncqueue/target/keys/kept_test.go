package keys_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/vault"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/keys"
)

func newVault(t *testing.T) storage.Vault {
	t.Helper()
	k, err := vault.ParseKeys([]byte(strings.Repeat("ab", 32)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(filepath.Join(t.TempDir(), "tokens"), "drone", k)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newKept(t *testing.T) (*keys.Kept, storage.Vault) {
	v := newVault(t)
	return keys.NewKept(v, time.Now, slog.New(slog.DiscardHandler)), v
}

func link(t *testing.T, k *keys.Kept, login, text string, origin storage.Origin) {
	t.Helper()
	if err := k.Keep(storage.Token{Login: login, Text: text, Origin: origin}); err != nil {
		t.Fatal(err)
	}
}

func TestLinkedTokenIsToldOfAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := newKept(t)
		link(t, k, "omar", "from-before", storage.Linked)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []string
		go func() { _ = k.Watch(ctx, func(login string) { got = append(got, login) }) }()
		expect := func(what string, want ...string) {
			t.Helper()
			synctest.Wait() // and no time passes
			if !slices.Equal(got, want) {
				t.Errorf("%s: told of %q, want %q", what, got, want)
			}
			got = nil
		}
		expect("what was kept while nobody watched", "omar")
		link(t, k, "ana", "one", storage.Linked)
		expect("a new one", "ana")
		link(t, k, "ana", "one", storage.Linked)
		expect("the same again")
		link(t, k, "ana", "two", storage.Linked)
		expect("another", "ana")
		k.Accept("ana", "two")
		k.Reject("ana", "two")
		expect("a verdict")
		if err := errors.Join(k.Drop("ana"), k.Keep(storage.Token{Login: "ana", Text: "two", Origin: storage.Linked, Since: time.Now()})); err != nil {
			t.Fatal(err)
		}
		expect("the same after it was taken back", "ana")
	})
}

func TestRefusedTokenIsKeptButNotUsed(t *testing.T) {
	k, v := newKept(t)
	link(t, k, "ana", "one", storage.Linked)
	k.Reject("ana", "one")
	if _, err := k.Token("ANA"); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	if got := k.Credential("ana"); got != target.CredentialRejected {
		t.Errorf("got %s", got)
	}
	if _, ok := v.Token("ana"); !ok {
		t.Error("it is gone")
	}
	link(t, k, "ana", "two", storage.Linked)
	link(t, k, "ana", "one", storage.Linked) // it came back, and deserves a new trial
	if got, err := k.Token("ana"); err != nil || got != "one" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTokenOfAnAccountThatSomebodyElseMadeIsDropped(t *testing.T) {
	k, v := newKept(t)
	link(t, k, "ana", "one", storage.Provisioning)
	link(t, k, "li", "two", storage.Provisioning)
	link(t, k, "omar", "three", storage.Provisioned)
	k.Reject("ana", "one")
	k.Accept("li", "two")
	k.Reject("omar", "three")
	if got := k.Credential("ana"); got != target.CredentialMissing {
		t.Errorf("never taken: %s", got)
	}
	if got, _ := v.Token("li"); got.Origin != storage.Provisioned || k.Credential("li") != target.CredentialOK {
		t.Errorf("taken: %s, %s", got.Origin, k.Credential("li"))
	}
	if got := k.Credential("omar"); got != target.CredentialRejected {
		t.Errorf("taken once, refused now: %s", got)
	}
}

func TestFirstTokenThatWasNotRefusedCounts(t *testing.T) {
	first, _ := newKept(t)
	second, _ := newKept(t)
	c := keys.Chain{first, second}
	expect := func(token string, failure error, state target.Credential) {
		t.Helper()
		got, err := c.Token("ana")
		if got != token || !errors.Is(err, failure) {
			t.Errorf("got %q and %v, want %q and %v", got, err, token, failure)
		}
		if got := c.Credential("ana"); got != state {
			t.Errorf("it is %s, want %s", got, state)
		}
	}
	expect("", target.ErrNoCredential, target.CredentialMissing)
	link(t, second, "ana", "two", storage.Linked)
	expect("two", nil, target.CredentialUnknown)
	link(t, first, "ana", "one", storage.Linked)
	c.Accept("ana", "one")
	expect("one", nil, target.CredentialOK)
	c.Reject("ana", "one")
	expect("two", nil, target.CredentialUnknown)
	c.Doubt("ana", "two")
	expect("", target.ErrRejected, target.CredentialRejected)
	link(t, first, "ana", "two", storage.Linked) // the same token twice is refused once
	expect("", target.ErrRejected, target.CredentialRejected)
}

func TestChainEndsWithWhateverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := newKept(t)
		dir := keys.NewDir(t.TempDir(), time.Now, slog.New(slog.DiscardHandler))
		link(t, k, "ana", "one", storage.Linked)
		ctx, cancel := context.WithCancel(t.Context())
		told, ended := make(chan string, 9), make(chan error, 1)
		go func() { ended <- keys.Chain{dir, k}.Watch(ctx, func(login string) { told <- login }) }()
		if got := <-told; got != "ana" {
			t.Errorf("told of %q", got)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}
