package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

var _ target.Offboarder = (*Target)(nil)

// Deactivate ends a user's account. Drone then hands each repository that he
// owns, among those it lists for him, to another of its administrators, or to
// nobody; it answers before it is through with that (source:
// handler/api/users/update.go, service/transfer/transfer.go). A sync of his
// that was authenticated earlier would write back that he is active, so none may
// be running (source: service/syncer/syncer.go:66). His token goes on working:
// an inactive user can be synchronized (source: handler/api/acl/acl.go).
func (t *Target) Deactivate(ctx context.Context, u providers.User, o target.Leaving) (target.Departure, error) {
	out, err := t.deactivate(ctx, u.Login, o)
	if err != nil {
		return target.Departure{Tried: out.Tried}, fmt.Errorf("drone: deactivating %q: %w", u.Login, err)
	}
	return out, nil
}

func (t *Target) deactivate(ctx context.Context, login string, o target.Leaving) (out target.Departure, err error) {
	if !o.Dry && o.Heirs != nil {
		if err := t.presentHeirs(ctx, login, o.Heirs); err != nil {
			return out, err
		}
	}
	who, done, err := t.administer(ctx, login)
	if err != nil {
		return out, err
	}
	defer done()
	self, err := t.account(ctx, "/api/user", t.admin())
	if err != nil {
		return out, fmt.Errorf("as administrator: %w", err)
	}
	named := slices.ContainsFunc(o.Admins, func(a string) bool { return providers.Fold(a) == providers.Fold(who.Login) })
	switch {
	case who.Machine:
		out.Exempt = "it is a machine's account"
	case who.ID == self.ID:
		out.Exempt = "hookd acts with his token"
	case who.Admin && !named:
		out.Exempt = "he administers the CI server, and is not named in offboard_admins"
	}
	if out.Exempt != "" {
		return out, nil
	}
	if !o.Dry && who.Active {
		if err := t.atRest(ctx, login); err != nil {
			return out, err
		}
	}
	before, err := t.ownership(ctx, login)
	if err != nil {
		return out, err
	}
	out.Owned = map[string]string{}
	for slug, r := range before {
		out.Listed = append(out.Listed, slug)
		if r.Owner == who.ID {
			out.Owned[slug] = r.UID
		}
	}
	slices.Sort(out.Listed)
	if out.Already = !who.Active; o.Dry {
		return out, nil
	}

	// Whether it was done would not be known if it ended with ctx.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.SyncTimeout)
	defer cancel()
	his := o.Owned
	if !out.Already {
		if out.Tried, err = t.end(detached, login); err != nil {
			return out, err
		}
		his = maps.Clone(out.Owned)
		maps.Copy(his, o.Owned)
	}
	out.Owners, err = t.handOver(detached, login, who.ID, his)
	return out, err
}

// end deactivates an account. Beside an error, tried tells whether that may have
// come to pass nevertheless.
func (t *Target) end(ctx context.Context, login string) (tried bool, err error) {
	if err = t.activity(ctx, login, false); err == nil {
		return true, nil
	}
	switch who, unknown := t.accountOf(ctx, login); {
	case unknown != nil:
		return true, err
	case who.Active:
		return false, err
	}
	return true, nil // it was done all the same
}

// Reactivate lets a user in again.
func (t *Target) Reactivate(ctx context.Context, u providers.User) error {
	who, done, err := t.administer(ctx, u.Login)
	if err == nil {
		defer done()
		if !who.Active {
			err = t.activity(ctx, u.Login, true)
		}
	}
	if err != nil {
		return fmt.Errorf("drone: reactivating %q: %w", u.Login, err)
	}
	return nil
}

// administer takes the turn of a login and looks at his account.
func (t *Target) administer(ctx context.Context, login string) (who account, done func(), err error) {
	switch {
	case t.cfg.AdminToken == "":
		return who, nil, target.ErrNoAdministrator
	case !transport.Segment(login):
		return who, nil, fmt.Errorf("%w: it is no login", target.ErrNoAccount)
	}
	if done, err = t.turns.Take(ctx, login); err != nil {
		return who, nil, err
	}
	if who, err = t.accountOf(ctx, login); err != nil {
		done()
		return who, nil, err
	}
	return who, done, nil
}

// accountOf is what the administrator sees of a login.
func (t *Target) accountOf(ctx context.Context, login string) (account, error) {
	who, err := t.account(ctx, userPath(login), t.admin())
	switch {
	case noSuchUser(err), err == nil && providers.Fold(who.Login) != providers.Fold(login):
		return who, target.ErrNoAccount
	case err != nil:
		return who, fmt.Errorf("as administrator: %w", err)
	}
	return who, nil
}

// atRest returns when no sync of the user is running.
func (t *Target) atRest(ctx context.Context, login string) error {
	for step := 0; ; step++ {
		who, err := t.accountOf(ctx, login)
		if err != nil {
			return err
		}
		key := providers.Fold(login)
		since := t.marks.seen(key, who.Syncing, t.cfg.Now())
		switch {
		case !who.Syncing || since >= t.marks.patience(key, t.cfg.SyncTimeout):
			return nil
		case step == len(t.cfg.Wait):
			return fmt.Errorf("%w since at least %s", errBusy, since.Round(time.Second))
		}
		if err := pause(ctx, t.cfg.Wait[step]); err != nil {
			return err
		}
	}
}

// activity sets whether an account is active, and reads it back.
func (t *Target) activity(ctx context.Context, login string, active bool) error {
	in := struct {
		Active bool `json:"active"`
	}{active}
	if err := t.client.do(ctx, http.MethodPatch, userPath(login), t.admin(), in, func(d *json.Decoder) error { return d.Decode(new(account)) }); err != nil {
		return fmt.Errorf("as administrator: %w", err)
	}
	who, err := t.accountOf(ctx, login)
	if err == nil && who.Active != active {
		err = errors.New("the CI server took it, but does not show it")
	}
	return err
}
