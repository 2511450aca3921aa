package keys

import (
	"context"
	"errors"
	"sync"

	"github.com/hookd/hookd/syncqueue/target"
)

// Chain is several rings as one: a user's token is the first that was not
// refused. It has at least one.
type Chain []Ring

var _ Ring = Chain(nil)

// Token returns the first token that was not refused.
func (c Chain) Token(login string) (string, error) {
	var none, refused error
	for _, r := range c {
		token, err := r.Token(login)
		switch {
		case err == nil:
			return token, nil
		case errors.Is(err, target.ErrRejected):
			refused = err
		default:
			none = err
		}
	}
	if refused != nil {
		return "", refused
	}
	return "", none
}

// Credential is the state of the token that would be used.
func (c Chain) Credential(login string) target.Credential {
	worst := target.CredentialMissing
	for _, r := range c {
		switch state := r.Credential(login); state {
		case target.CredentialMissing:
		case target.CredentialRejected:
			worst = state
		default:
			return state
		}
	}
	return worst
}

// Watch watches all rings. It calls changed one call at a time.
func (c Chain) Watch(ctx context.Context, changed func(login string)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var one sync.Mutex
	var wg sync.WaitGroup
	for _, r := range c {
		wg.Go(func() {
			stop(r.Watch(ctx, func(login string) {
				one.Lock()
				defer one.Unlock()
				changed(login)
			}))
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// Accept, Reject and Doubt tell every ring: two may have the same token.
func (c Chain) Accept(login, token string) {
	for _, r := range c {
		r.Accept(login, token)
	}
}

// Reject is told to every ring.
func (c Chain) Reject(login, token string) {
	for _, r := range c {
		r.Reject(login, token)
	}
}

// Doubt is told to every ring.
func (c Chain) Doubt(login, token string) {
	for _, r := range c {
		r.Doubt(login, token)
	}
}
