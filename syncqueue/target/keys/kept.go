package keys

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
)

// Kept are tokens that hookd itself keeps: those that users linked, and those of
// accounts that it made. It is safe for concurrent use.
type Kept struct {
	verdicts
	vault storage.Vault
	log   *slog.Logger
	news  chan struct{} // holds one once something was kept
}

// NewKept returns the tokens of a vault.
func NewKept(vault storage.Vault, now func() time.Time, log *slog.Logger) *Kept {
	return &Kept{vault: vault, log: log, verdicts: newVerdicts(now), news: make(chan struct{}, 1)}
}

var _ Ring = (*Kept)(nil)

// Token returns the token that is kept of a user.
func (k *Kept) Token(login string) (string, error) {
	t, ok := k.vault.Token(login)
	if !ok {
		return "", fmt.Errorf("%w: hookd keeps no token of his", target.ErrNoCredential)
	}
	if k.state(digestOf(login, t.Text)) == target.CredentialRejected {
		return "", fmt.Errorf("%w: the %s token was refused before: he has to link his present one", target.ErrRejected, t.Origin)
	}
	return t.Text, nil
}

// Credential tells the state without asking the CI server.
func (k *Kept) Credential(login string) target.Credential {
	t, ok := k.vault.Token(login)
	if !ok {
		return target.CredentialMissing
	}
	return k.state(digestOf(login, t.Text))
}

// Of returns what is kept of a user.
func (k *Kept) Of(login string) (storage.Token, bool) { return k.vault.Token(login) }

// Keep replaces what is kept of t.Login, durably, and lets Watch tell of it.
func (k *Kept) Keep(t storage.Token) error {
	if err := k.vault.Keep(t); err != nil {
		return err
	}
	k.forget()
	select {
	case k.news <- struct{}{}:
	default:
	}
	return nil
}

// Drop takes a user's token away.
func (k *Kept) Drop(login string) error {
	err := k.vault.Drop(login)
	k.forget()
	return err
}

// Accept also settles that an account was made with the token.
func (k *Kept) Accept(login, token string) {
	k.verdicts.Accept(login, token)
	if t, ok := k.vault.Token(login); ok && t.Text == token && t.Origin == storage.Provisioning {
		t.Origin = storage.Provisioned
		if err := k.vault.Keep(t); err != nil {
			k.log.Error("that a user's token is good could not be kept", "user", login, "err", err)
		}
	}
}

// Reject drops a token that the CI server never took: somebody else made the
// account.
func (k *Kept) Reject(login, token string) {
	if t, ok := k.vault.Token(login); ok && t.Text == token && t.Origin == storage.Provisioning {
		if err := k.Drop(login); err != nil {
			k.log.Error("a token that was never taken could not be dropped", "user", login, "err", err)
		}
		return
	}
	k.verdicts.Reject(login, token)
}

// Watch calls changed for each login whose token is kept or was replaced, until
// ctx is done, and returns ctx's error. Those it finds at first count as new.
func (k *Kept) Watch(ctx context.Context, changed func(login string)) error {
	type kept struct {
		sum   digest
		since int64 // nanoseconds: the same token may have been dropped between
	}
	seen := map[string]kept{}
	for {
		for _, login := range k.vault.Logins() {
			t, ok := k.vault.Token(login)
			if now := (kept{digestOf(login, t.Text), t.Since.UnixNano()}); ok && seen[login] != now {
				seen[login] = now
				changed(login)
			}
		}
		select {
		case <-k.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forget drops the verdicts on tokens that are not kept any more.
func (k *Kept) forget() {
	live := map[digest]bool{}
	for _, login := range k.vault.Logins() {
		if t, ok := k.vault.Token(login); ok {
			live[digestOf(login, t.Text)] = true
		}
	}
	k.keep(live)
}
