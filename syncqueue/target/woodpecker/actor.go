package woodpecker

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// An actor is the user that a sync is about, with the token that lets
// Woodpecker be asked in his name.
type actor struct {
	user    providers.User
	token   string // empty if missing is not nil
	missing error  // why there is none
}

func (t *Target) act(u providers.User) actor {
	token, err := t.keys.Token(u.Login)
	return actor{user: u, token: token, missing: err}
}

func (a actor) as() transport.Authorize { return transport.Bearer(a.token) }

// whoami asks Woodpecker whose token this is. A token that somebody put into the
// wrong file would refresh one user and be read as another. The forge's id
// decides, as Woodpecker learns of a new login only when its user logs in; an
// account that an administrator created has no id until then
// [server/api/users.go].
func (t *Target) whoami(ctx context.Context, a actor) (account, error) {
	var who account
	if err := t.get(ctx, "/api/user", a.as(), &who); err != nil {
		return who, t.userError(ctx, a, err)
	}
	his := who.RemoteID == a.user.ID
	if who.RemoteID == "" || who.RemoteID == "0" || a.user.ID == "" {
		his = providers.Fold(who.Login) == providers.Fold(a.user.Login)
	}
	if who.Login == "" || !his {
		t.keys.Reject(a.user.Login, a.token)
		return who, fmt.Errorf("%w: the token in this user's file belongs to somebody else", target.ErrRejected)
	}
	t.keys.Accept(a.user.Login, a.token)
	return who, nil
}

// refused turns a 401 on a user's token into its meaning. Woodpecker answers 401
// to everybody while its database does not answer
// [server/router/middleware/session/user.go], so the administrator's token is
// the witness; without one the rejection is believed for ten minutes.
func (t *Target) refused(ctx context.Context, a actor) error {
	if t.cfg.AdminToken == "" {
		t.keys.Doubt(a.user.Login, a.token)
		return target.ErrRejected
	}
	if err := t.get(ctx, "/api/user", t.admin(), new(account)); err != nil {
		return fmt.Errorf("it refuses this user's token, and the administrator's too: %w", err)
	}
	t.keys.Reject(a.user.Login, a.token)
	return target.ErrRejected
}

// absent tells why nobody can act for a user without a token: he has no account
// there, or nobody has his token. Only an administrator can tell the first.
func (t *Target) absent(ctx context.Context, a actor) error {
	if t.cfg.AdminToken == "" || errors.Is(a.missing, target.ErrRejected) {
		return a.missing // whoever has a token had an account
	}
	known, err := t.knows(ctx, a.user)
	switch {
	case err != nil: // what is wrong with the CI server matters less than that
		return a.missing
	case !known:
		return target.ErrNoAccount
	}
	return a.missing
}
