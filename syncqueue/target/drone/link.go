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
	who, done, err := t.holder(ctx, token)
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

// Unlink drops the token that is kept of a user, whoever made it, on the word of
// any token of his.
func (t *Target) Unlink(ctx context.Context, token string) (login string, err error) {
	who, done, err := t.holder(ctx, token)
	if err != nil {
		return "", fmt.Errorf("drone: unlink: %w", err)
	}
	defer done()
	if _, ok := t.kept.Of(who.Login); !ok {
		return who.Login, fmt.Errorf("drone: unlink: %w: nothing of his is kept", target.ErrNoCredential)
	}
	if err := t.kept.Drop(who.Login); err != nil {
		return "", fmt.Errorf("drone: unlink: %w", err)
	}
	t.cfg.Log.Info("audit", "user", who.Login, "by", "link", "what", "the user unlinked his token")
	return who.Login, nil
}

// holder asks Drone whose a token is, and takes his turn: what is kept of him
// does not change amid a sync.
func (t *Target) holder(ctx context.Context, token string) (who account, done func(), err error) {
	if t.kept == nil {
		return who, nil, errors.New("there is no place to keep tokens in")
	}
	if token == "" || len(token) > 4<<10 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return who, nil, fmt.Errorf("%w: it is no token", target.ErrRejected)
	}
	who, err = t.account(ctx, "/api/user", bearer(token))
	var p *transport.Problem
	switch {
	case errors.As(err, &p) && p.Own && p.Status == http.StatusUnauthorized:
		return who, nil, target.ErrRejected
	case err != nil:
		return who, nil, err
	case who.Machine:
		return who, nil, fmt.Errorf("%w: it is a machine's, which has nothing on the forge", target.ErrRejected)
	}
	done, err = t.turns.Take(ctx, who.Login)
	return who, done, err
}
