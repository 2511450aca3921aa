package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// look reads what Drone shows a user. An empty list is read a second time, if
// possible by the other way: "nothing to lose" and "all gone" are too much to
// conclude from one answer.
func (t *Target) look(ctx context.Context, a *actor) (account, rows, error) {
	who, first, err := t.firstLook(ctx, a)
	if err != nil || len(first) > 0 {
		return who, first, err
	}
	if a.missing != nil {
		if second, err := t.shown(ctx, a); err != nil || len(second) > 0 {
			return who, nil, a.missing
		}
		return who, first, nil
	}
	second, err := t.list(ctx, "/api/user/repos", a.as, lookTimeout)
	switch {
	case err != nil:
		return who, nil, t.userError(ctx, a, err)
	case len(second) == 0:
		return who, first, nil
	}
	if _, err := t.whoami(ctx, a); err != nil { // it is not his list
		return who, nil, err
	}
	return who, nil, fmt.Errorf("two looks at one list disagree: none, then %d", len(second))
}

// firstLook reads by the administrator's token if there is one, even for a user
// without a token of his own, who may see everything already.
func (t *Target) firstLook(ctx context.Context, a *actor) (account, rows, error) {
	if t.cfg.AdminToken == "" {
		if a.missing != nil {
			return account{}, nil, a.missing
		}
		who, err := t.whoami(ctx, a)
		if err != nil {
			return who, nil, err
		}
		list, err := t.shown(ctx, a)
		return who, list, err
	}
	if t.stranger(a) {
		return account{}, nil, target.ErrNoAccount
	}
	who, err := t.account(ctx, userPath(a.login), t.admin())
	if err == nil && providers.Fold(who.Login) != providers.Fold(a.login) {
		// Drone takes a numeric login for its own user id when it knows no such login.
		err = target.ErrNoAccount
	}
	var list rows
	if err == nil {
		t.meet(a, who)
		list, err = t.shown(ctx, a)
	}
	switch {
	case err == nil:
		return who, list, nil
	case noSuchUser(err), errors.Is(err, target.ErrNoAccount):
		if errors.Is(a.missing, target.ErrNoCredential) {
			t.met(ctx)
		}
		return who, nil, target.ErrNoAccount
	case a.missing != nil: // what is wrong with the CI server matters less than that
		return who, nil, a.missing
	}
	return who, nil, fmt.Errorf("as administrator: %w", err)
}

// shown reads the list that Drone keeps of a user. The forge is not asked.
func (t *Target) shown(ctx context.Context, a *actor) (rows, error) {
	if t.cfg.AdminToken != "" {
		return t.list(ctx, userPath(a.login)+"/repos", t.admin(), lookTimeout)
	}
	list, err := t.list(ctx, "/api/user/repos", a.as, lookTimeout)
	if err != nil {
		return nil, t.userError(ctx, a, err)
	}
	return list, nil
}

// admin is the administrator's credential.
func (t *Target) admin() credential { return bearer(t.cfg.AdminToken) }

func userPath(login string) string { return "/api/users/" + url.PathEscape(login) }

func (t *Target) account(ctx context.Context, path string, as credential) (account, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var a account
	err := t.client.do(ctx, http.MethodGet, path, as, nil, func(d *json.Decoder) error {
		if err := d.Decode(&a); err != nil {
			return err
		}
		if a.Login == "" {
			return errors.New("no user")
		}
		return nil
	})
	if err == nil {
		t.logins.seen(a)
	}
	return a, err
}

func (t *Target) list(ctx context.Context, path string, as credential, timeout time.Duration) (rows, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	l := rows{}
	return l, t.client.do(ctx, http.MethodGet, path, as, nil, l.read)
}

// noSuchUser reports whether Drone says that it does not know a user. It
// answers 404 to every failure of the look-up; only this text is that of one
// without a result.
func noSuchUser(err error) bool {
	var p *transport.Problem
	return errors.As(err, &p) && p.Own && p.Status == http.StatusNotFound && strings.Contains(p.Said, "no rows in result set")
}

// spent are the words of forges for a session that only the user can renew, as
// Drone passes them on with its 500: a refresh token used twice or unknown, a
// grant that was withdrawn.
var spent = []string{
	"token was already used", "unable to parse refresh token", "grant does not exist", // Gitea
	"refresh token passed is incorrect or expired", "bad_refresh_token", // GitHub
	"authorization grant is invalid", "invalid_grant", // GitLab
	"invalid refresh", // Bitbucket
}

// refusals are the whole texts by which Drone passes a forge's 401 on.
var refusals = []string{"unauthorized", "401 unauthorized", "bad credentials"}

// spent remembers that a user must log in.
func (t *Target) spent(a *actor, p *transport.Problem) error {
	t.logins.exhausted(a.login)
	return fmt.Errorf("%w: his session with the forge is spent (the forge says: %s)", target.ErrMustLogIn, p.Message)
}

// userError gives a failure that Drone answered to a user's own token its
// meaning: the token is refused, the user's session with the forge is spent, or
// something else, which a retry may cure.
func (t *Target) userError(ctx context.Context, a *actor, err error) error {
	var p *transport.Problem
	if !errors.As(err, &p) || !p.Own {
		return err
	}
	switch p.Status {
	case http.StatusUnauthorized:
		return t.refused(ctx, a)
	case http.StatusInternalServerError:
		said := strings.ToLower(strings.TrimSpace(p.Said))
		for _, s := range spent {
			if strings.Contains(said, s) {
				return t.spent(a, p)
			}
		}
		for _, s := range refusals {
			if said == s {
				return t.spent(a, p)
			}
		}
	}
	return err
}
