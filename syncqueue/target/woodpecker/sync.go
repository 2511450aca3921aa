package woodpecker

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// Sync makes Woodpecker show u what want says, as far as it can show: what is
// not active, or what he may only read, is in nobody's list. Only one call at a
// time acts for a login; others wait. It may return up to Config.SyncTimeout
// after ctx is done.
func (t *Target) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	res, err := t.sync(ctx, u, want)
	if err != nil {
		return target.Result{Before: -1, After: -1}, fmt.Errorf("woodpecker: refresh of %q: %w", u.Login, err)
	}
	return res, nil
}

func (t *Target) sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	if !transport.Segment(u.Login) {
		return target.Result{}, fmt.Errorf("%w: it is no login", target.ErrNoAccount)
	}
	done, err := t.turns.Take(ctx, u.Login)
	if err != nil {
		return target.Result{}, err
	}
	defer done()

	a := t.act(u)
	if a.missing != nil {
		return t.without(ctx, a, want)
	}
	v, err := t.look(ctx, a, want)
	if err != nil {
		return target.Result{}, err
	}
	before := len(v.shown)
	synced, err := t.follow(ctx, a, want, v)
	if err != nil {
		return target.Result{}, err
	}
	res := judge(want, v)
	res.Before, res.Synced = before, synced
	if synced {
		res.Strays = v.strays(want)
	}
	if want.Explain && len(res.Missing) > 0 {
		remote, err := t.preview(ctx, a)
		if err != nil {
			return target.Result{}, err
		}
		explain(want, &res, remote)
	}
	return res, nil
}

// without judges a user for whom nobody can act. What is not active needs
// nobody.
func (t *Target) without(ctx context.Context, a actor, want target.Desired) (target.Result, error) {
	v := &view{}
	var err error
	if v.active, v.sure, err = t.actives(ctx, 0, want); err != nil {
		return target.Result{}, a.missing // what is wrong with the CI server matters less than that
	}
	res := judge(want, v)
	if !v.sure || len(v.asked(want.Present)) > 0 || len(v.asked(want.Absent)) > 0 {
		return target.Result{}, t.absent(ctx, a)
	}
	res.Before, res.After = -1, -1
	return res, nil
}

// follow makes Woodpecker read of the forge what it has to. synced tells that it
// did.
func (t *Target) follow(ctx context.Context, a actor, want target.Desired, v *view) (synced bool, err error) {
	coming, going := v.asked(present(want)), v.asked(want.Absent)
	if len(coming) > 0 || len(v.leaves(want)) > 0 {
		if err := t.count(ctx, want, v); err != nil {
			return false, err
		}
	}
	all := len(coming) > few || len(going) > few
	if !all {
		if synced, err = t.add(ctx, a, v, coming); err != nil {
			return synced, err
		}
		if _, err := t.ask(ctx, a, v, going); err != nil {
			return synced, err
		}
		res := judge(want, v)
		all = len(res.Remaining) > 0 || len(v.strays(want)) > 0
	}
	if !all {
		return synced, nil
	}
	if err := t.guard(ctx, a, want, v); err != nil {
		return synced, err
	}
	if err := t.refresh(ctx, a); err != nil {
		return synced, err
	}
	return true, t.verify(ctx, a, want, v)
}

// add makes rows of single repositories, and reads the list again.
func (t *Target) add(ctx context.Context, a actor, v *view, coming []providers.Repo) (bool, error) {
	if len(coming) == 0 {
		return false, nil
	}
	failed, err := t.ask(ctx, a, v, coming)
	if err != nil {
		return false, err
	}
	if failed {
		// Woodpecker keeps to itself what the forge said. The preview tells, and
		// fails as the forge does.
		if _, err := t.preview(ctx, a); err != nil {
			return false, err
		}
	}
	v.shown, err = t.list(ctx, a)
	return true, err
}

// verify reads back what a refresh left: the list, and by single questions what
// it does not list. Where those would be many the refresh is believed: it deletes
// rows with one statement, all or none [server/store/datastore/permission.go].
func (t *Target) verify(ctx context.Context, a actor, want target.Desired, v *view) error {
	before, explained := len(v.shown), len(v.leaves(want))
	shown, err := t.list(ctx, a)
	if err != nil {
		return err
	}
	excess := t.cfg.Guard.Holds(before, len(shown), explained)
	if excess || before > 0 && len(shown) == 0 {
		again, err := t.list(ctx, a)
		switch {
		case err != nil:
			return fmt.Errorf("reading back a list of %d instead of %d: %w", len(shown), before, err)
		case len(again) != len(shown):
			return fmt.Errorf("two looks at one list disagree: %d, then %d", len(shown), len(again))
		}
	}
	if excess {
		t.cfg.Log.Warn("a refresh took away more than the guard allows", "user", a.user.Login, "before", before, "after", len(shown))
	}
	v.shown, v.opens = shown, map[string]bool{}
	for _, side := range [][]providers.Access{present(want), want.Absent} {
		if repos := v.asked(side); len(repos) <= few {
			if _, err := t.ask(ctx, a, v, repos); err != nil {
				return err
			}
		}
	}
	return nil
}

// present is what is to be seen and can be: rows of archived repositories would
// go with the next refresh.
func present(want target.Desired) []providers.Access {
	var out []providers.Access
	for _, a := range want.Present {
		if !a.Repo.Archived {
			out = append(out, a)
		}
	}
	return out
}
