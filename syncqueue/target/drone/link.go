package drone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

var _ target.Linker = (*Target)(nil)

// Link keeps a user's own token, which tells by itself whose it is. It replaces
// what is kept of him, and Watch tells of it. target.ErrRejected means that Drone
// does not know the token, or that nobody can sync by it.
func (t *Target) Link(ctx context.Context, token string) (login string, err error) {
	if t.kept == nil {
		return "", errors.New("drone: link: there is no place to keep tokens in")
	}
	if token == "" || len(token) > 4<<10 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("drone: link: %w: it is no token", target.ErrRejected)
	}
	who, err := t.account(ctx, "/api/user", bearer(token))
	var p *transport.Problem
	switch {
	case errors.As(err, &p) && p.Own && p.Status == http.StatusUnauthorized:
		return "", fmt.Errorf("drone: link: %w", target.ErrRejected)
	case err != nil:
		return "", fmt.Errorf("drone: link: %w", err)
	case who.Machine:
		return "", fmt.Errorf("drone: link: %w: it is a machine's, which has nothing on the forge", target.ErrRejected)
	}
	// Not while a sync of his goes by the old one.
	done, err := t.turns.Take(ctx, who.Login)
	if err != nil {
		return "", fmt.Errorf("drone: link: %w", err)
	}
	defer done()
	t.logins.seen(who)
	if err := t.kept.Keep(storage.Token{Login: who.Login, Text: token, Origin: storage.Linked, Since: t.cfg.Now()}); err != nil {
		return "", fmt.Errorf("drone: link: %w", err)
	}
	t.kept.Accept(who.Login, token)
	t.cfg.Log.Info("audit", "user", who.Login, "by", "link", "what", "the user linked his token")
	return who.Login, nil
}
