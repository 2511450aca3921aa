package drone

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// Sync makes Drone show u what want says. Only one call at a time acts for a
// login; others wait.
//
// The one request that changes something does not end with ctx: Drone abandons
// a sync halfway when its caller goes away and still stamps it as done. Sync
// may therefore return up to Config.SyncTimeout after ctx is.
func (t *Target) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	res, err := t.sync(ctx, u.Login, want)
	if err != nil {
		return target.Result{Before: -1, After: -1}, fmt.Errorf("drone: sync of %q: %w", u.Login, err)
	}
	return res, nil
}

func (t *Target) sync(ctx context.Context, login string, want target.Desired) (target.Result, error) {
	if !transport.Segment(login) {
		return target.Result{}, fmt.Errorf("%w: it is no login", target.ErrNoAccount)
	}
	done, err := t.turns.Take(ctx, login)
	if err != nil {
		return target.Result{}, err
	}
	defer done()

	a := t.act(login)
	who, shown, err := t.look(ctx, a)
	if t.cfg.Provision && len(want.Present) > 0 && errors.Is(err, target.ErrNoAccount) {
		err = t.provision(ctx, login)
	}
	if err != nil {
		return target.Result{}, err
	}
	res := finish(judge(want, shown, who.Machine), len(shown), shown)
	switch {
	case res.Settled() && len(strays(want, shown)) == 0, who.Machine: // nothing a sync could change
		return res, nil
	case a.missing != nil:
		return target.Result{}, a.missing
	}
	if err := never(who); err != nil {
		return target.Result{}, err
	}

	waited, err := t.await(ctx, a)
	if err != nil {
		return target.Result{}, err
	}
	if waited { // somebody else's sync may have done it
		if _, shown, err = t.look(ctx, a); err != nil {
			return target.Result{}, err
		}
		if res = finish(judge(want, shown, false), len(shown), shown); res.Settled() && len(strays(want, shown)) == 0 {
			return res, nil
		}
	}

	remote, err := t.guard(ctx, a, want, shown)
	if err != nil {
		return target.Result{}, err
	}
	t.takeovers(login, want, shown)
	after, err := t.post(ctx, a, want, shown)
	if err != nil {
		return target.Result{}, err
	}
	res = finish(judge(want, after, false), len(shown), after)
	res.Synced, res.Strays, res.Renamed = true, strays(want, after), renamed(want, shown, remote, after)
	if want.Explain {
		explain(&res, after, remote)
	}
	return res, nil
}

func finish(res target.Result, before int, after rows) target.Result {
	res.Before, res.After = before, len(after)
	return res
}

// post lets Drone synchronize the user, to whom it showed shown, and returns what
// it shows then.
func (t *Target) post(ctx context.Context, a *actor, want target.Desired, shown rows) (rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.SyncTimeout)
	defer cancel()
	after := rows{}
	if err := t.client.do(detached, http.MethodPost, "/api/user/repos", a.as, nil, after.read); err != nil {
		if problem := new(transport.Problem); !errors.As(err, &problem) {
			t.marks.broke(providers.Fold(a.login))
		}
		return nil, t.userError(detached, a, err)
	}
	t.logins.synced(a.login)

	// An empty or much smaller list is read a second time: something between
	// Drone and us may have made up the answer, and "gone" would be believed.
	before := len(shown)
	excess := t.cfg.Guard.Holds(before, len(after), len(leaves(want, shown)))
	if excess || before > 0 && len(after) == 0 {
		again, err := t.shown(detached, a)
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading back a list of %d instead of %d: %w", len(after), before, err)
		case len(again) != len(after):
			return nil, fmt.Errorf("the sync answered with %d repositories, but the CI server shows %d", len(after), len(again))
		}
	}
	if excess {
		t.cfg.Log.Warn("a sync took away more than the guard allows", "user", a.login, "before", before, "after", len(after))
	}
	return after, nil
}
