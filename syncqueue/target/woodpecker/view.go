package woodpecker

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A view is what is known of one user's repositories in Woodpecker.
type view struct {
	who    account
	shown  rows            // his list: active, and he may push
	active rows            // whoever may see them; only what was asked about if not sure
	sure   bool            // active is all of them
	opens  map[string]bool // asked about one by one: whether he has a row that opens the page
}

// look reads what Woodpecker lists for a user. The forge is not asked. An empty
// list is read a second time: "all gone" is too much to conclude from one answer.
func (t *Target) look(ctx context.Context, a actor, want target.Desired) (*view, error) {
	who, err := t.whoami(ctx, a)
	if err != nil {
		return nil, err
	}
	v := &view{who: who, opens: map[string]bool{}}
	if v.active, v.sure, err = t.actives(ctx, who.ForgeID, want); err != nil {
		return nil, err
	}
	if v.active == nil {
		v.active = rows{}
	}
	if v.shown, err = t.list(ctx, a); err != nil || len(v.shown) > 0 {
		return v, err
	}
	again, err := t.list(ctx, a)
	if err == nil && len(again) > 0 {
		err = fmt.Errorf("two looks at one list disagree: none, then %d", len(again))
	}
	return v, err
}

// list reads the user's list: active repositories on which he has a row and may
// push [server/store/datastore/repo.go].
func (t *Target) list(ctx context.Context, a actor) (rows, error) {
	return t.read(ctx, a, "/api/user/repos")
}

// preview reads the forge's list through Woodpecker, as a refresh would: what he
// may add, and what is stored of him. It costs as much as a refresh and writes
// nothing. Unlike the refresh's, its errors tell what the forge said.
func (t *Target) preview(ctx context.Context, a actor) (rows, error) {
	return t.read(ctx, a, "/api/user/repos?all=true")
}

func (t *Target) read(ctx context.Context, a actor, path string) (rows, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.SyncTimeout)
	defer cancel()
	l := rows{}
	if err := t.client.Do(ctx, http.MethodGet, path, a.as(), nil, l.read); err != nil {
		return nil, t.userError(ctx, a, err)
	}
	return l, nil
}

// concerns reports whether a refresh could change anything about a repository:
// it is active, or nobody knows.
func (v *view) concerns(r providers.Repo) bool {
	if !v.sure {
		return true
	}
	_, ok := v.active[r.ID]
	return ok
}

// refresh makes Woodpecker read the user's list from the forge. The request does
// not end with ctx, so that nobody reads back before it is over.
func (t *Target) refresh(ctx context.Context, a actor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.SyncTimeout)
	defer cancel()
	var said string
	err := t.client.Do(detached, http.MethodPost, "/api/user/repos/refresh", a.as(), nil, decode(&said))
	if err == nil && said == "" {
		err = errors.New("POST /api/user/repos/refresh: the answer says nothing")
	}
	if err != nil {
		return t.userError(detached, a, err)
	}
	return nil
}

// kept reports whether a row is left of what is meant to go. One on a repository
// that everybody may open says nothing: asking for it made it.
func (v *view) kept(id string) bool {
	if _, shows := v.shown[id]; shows {
		return true
	}
	return v.opens[id] && !v.active[id].open()
}

// leaves returns the ids that show and are meant to go: those in Absent, and
// strays.
func (v *view) leaves(want target.Desired) map[string]bool {
	ids := map[string]bool{}
	for _, a := range want.Absent {
		if _, ok := v.shown[a.Repo.ID]; ok {
			ids[a.Repo.ID] = true
		}
	}
	for _, id := range v.strays(want) {
		ids[id] = true
	}
	return ids
}
