package drone

import (
	"context"
	"fmt"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// guard decides whether Drone may read the forge now. It returns what Drone
// would read, if that had to be asked, or a *target.HeldError.
//
// Two are asked, right before each sync, wherever something unexplained could be
// lost:
//
//	Count            one call of hookd's own, which spares the rest if it says no
//	Drone's preview  GET /api/user/remote/repos, which costs as much as the sync
//
// What hookd's forge client is told is not what Drone is told, and what Drone
// was told of one user says nothing of the next: empty lists may begin amid a
// burst, so nobody vouches for anybody. The preview names each repository that
// would go, so what is archived counts as explained.
func (t *Target) guard(ctx context.Context, a *actor, want target.Desired, shown rows) (remote rows, err error) {
	have, leaving := len(shown), leaves(want, shown)
	lacks := lacking(want, shown)
	risk := have > len(leaving)
	if risk && !want.Force && want.Count != nil {
		n, err := want.Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking the forge for the size of the list: %w", err)
		}
		if n != target.Unknown {
			if err := t.hold(want, have, n, len(leaving), "the forge counts"); err != nil {
				return nil, err
			}
		}
	}
	look := want.Explain || !want.Force && (risk || len(lacks) > 0)
	if !look {
		return remote, nil
	}
	if remote, err = t.list(ctx, "/api/user/remote/repos", a.as, t.cfg.SyncTimeout); err != nil {
		return nil, t.userError(ctx, a, err)
	}
	lost, explained := 0, 0
	for id := range shown {
		r, stays := remote[id]
		if stays && !r.Archived && !nested(r.Slug) {
			continue
		}
		lost++
		if stays || leaving[id] {
			explained++
		}
	}
	left := have - lost
	if left == 0 && len(remote) > 0 {
		left = 1 // an exchange, and not an empty list
	}
	err = t.hold(want, have, left, explained, "the CI server's preview of the forge has")
	if err == nil && !want.Force {
		err = t.heals(a, lacks, remote, have, lost, explained)
	}
	return remote, err
}

// strays returns the ids that show and are known not to be the user's, in a
// stable order.
func strays(want target.Desired, shown rows) []string {
	var ids []string
	if want.Stray == nil {
		return nil
	}
	for id, r := range shown {
		if want.Stray(id, r.Slug) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// leaves returns the ids that show and are meant to go: those in Absent, and
// strays.
func leaves(want target.Desired, shown rows) map[string]bool {
	ids := map[string]bool{}
	for _, a := range want.Absent {
		if _, ok := shown[a.Repo.ID]; ok {
			ids[a.Repo.ID] = true
		}
	}
	for _, id := range strays(want, shown) {
		ids[id] = true
	}
	return ids
}

func (t *Target) hold(want target.Desired, have, expect, explained int, who string) error {
	if want.Force || !t.cfg.Guard.Holds(have, expect, explained) {
		return nil
	}
	return &target.HeldError{Have: have, Expect: expect, Explained: explained, Reason: fmt.Sprintf("%s %d of %d", who, expect, have)}
}

// takeovers warns before Drone loses something for good: a sync that meets a
// new repository under a name that Drone still keeps for another one deletes
// that one's row, with its secrets and schedules.
func (t *Target) takeovers(login string, want target.Desired, shown rows) {
	var named map[string]row
	for _, a := range want.Present {
		if _, ok := shown[a.Repo.ID]; ok || a.Repo.Path == "" {
			continue
		}
		if named == nil {
			named = shown.bySlug()
		}
		if r, ok := named[providers.Fold(a.Repo.Path)]; ok {
			t.cfg.Log.Warn("a repository takes a name that Drone keeps for another one, which loses its settings there",
				"user", login, "repo", a.Repo.Path, "id", a.Repo.ID, "old", r.UID)
		}
	}
}

// renamed returns what Drone read under a name that neither want has nor it
// showed before: whatever else Drone kept under that name lost its row. The
// preview says it better than the list after the sync, in which a row may keep
// its old name (source: store/batch2/batch.go:34), and which is read where there
// was no preview.
func renamed(want target.Desired, shown, remote, after rows) map[string]string {
	known := make(map[string]string, len(want.Present))
	for _, a := range want.Present {
		known[a.Repo.ID] = a.Repo.Path
	}
	out := map[string]string{}
	for _, list := range []rows{after, remote} {
		for id, r := range list {
			was, had := shown[id]
			path, has := known[id]
			if r.Archived || nested(r.Slug) || had && sameName(was.Slug, r.Slug) || has && sameName(r.Slug, path) {
				continue
			}
			out[id] = r.Slug
		}
	}
	return out
}
