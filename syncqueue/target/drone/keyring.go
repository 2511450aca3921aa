package drone

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Credential tells the state of a user's token without asking Drone.
func (t *Target) Credential(login string) target.Credential { return t.keys.Credential(login) }

// Watch calls changed for each login whose token file appeared or has a new
// content, until ctx is done, and returns ctx's error.
func (t *Target) Watch(ctx context.Context, changed func(login string)) error {
	return t.keys.Watch(ctx, changed)
}

// refused turns a 401 on a user's token into its meaning. Drone answers 401 to
// everybody while its database does not answer, so the administrator's token
// is the witness; without one the rejection is believed for ten minutes.
func (t *Target) refused(ctx context.Context, login, token string) error {
	if t.cfg.AdminToken == "" {
		t.keys.Doubt(login, token)
		return target.ErrRejected
	}
	if _, err := t.account(ctx, "/api/user", t.cfg.AdminToken); err != nil {
		return fmt.Errorf("it refuses this user's token, and the administrator's too: %w", err)
	}
	t.keys.Reject(login, token)
	return target.ErrRejected
}

// whoami asks Drone whose token this is. A token that somebody put into the
// wrong file would synchronize one user and be read as another.
func (t *Target) whoami(ctx context.Context, login, token string) (account, error) {
	a, err := t.account(ctx, "/api/user", token)
	switch {
	case err != nil:
		return a, t.userError(ctx, login, token, err)
	case providers.Fold(a.Login) != providers.Fold(login):
		t.keys.Reject(login, token)
		return a, fmt.Errorf("%w: the token in this user's file belongs to somebody else", target.ErrRejected)
	}
	t.keys.Accept(login, token)
	return a, nil
}
