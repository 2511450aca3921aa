package drone

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// refused turns a 401 on a user's credential into its meaning. Drone answers
// 401 to everybody while its database does not answer, so the administrator's
// token is the witness; without one the rejection is believed for ten minutes.
func (t *Target) refused(ctx context.Context, a *actor) error {
	if t.cfg.AdminToken == "" {
		a.as.doubt()
		return target.ErrRejected
	}
	if _, err := t.account(ctx, "/api/user", t.admin()); err != nil {
		return fmt.Errorf("it refuses this user's credential, and the administrator's too: %w", err)
	}
	a.as.reject()
	return target.ErrRejected
}

// whoami asks Drone whose credential this is. A token that somebody put into
// the wrong file would synchronize one user and be read as another.
func (t *Target) whoami(ctx context.Context, a *actor) (account, error) {
	who, err := t.account(ctx, "/api/user", a.as)
	switch {
	case err != nil:
		return who, t.userError(ctx, a, err)
	case providers.Fold(who.Login) != providers.Fold(a.login):
		a.as.reject()
		return who, fmt.Errorf("%w: the token in this user's file belongs to somebody else", target.ErrRejected)
	}
	a.as.accept()
	return who, nil
}
