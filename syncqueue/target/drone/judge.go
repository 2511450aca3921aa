package drone

import (
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// judge compares what a user is to see with what Drone shows him. It is pure.
// A repository is told by its id; it shows when it shows under its name, since
// Drone keeps a renamed one under the old name until somebody's sync moves it.
func judge(want target.Desired, shown rows, machine bool) target.Result {
	res := target.Result{Hidden: map[string]string{}}
	for _, a := range want.Present {
		r, ok := shown[a.Repo.ID]
		switch {
		case ok && sameName(r.Slug, a.Repo.Path):
			res.Shown = append(res.Shown, a.Repo.ID)
		case machine:
			res.Hidden[a.Repo.ID] = "machine user has no forge token"
		case a.Repo.Archived:
			res.Hidden[a.Repo.ID] = "archived on the forge: the CI server skips archived repositories"
		case nested(a.Repo.Path):
			res.Hidden[a.Repo.ID] = fmt.Sprintf("%s lies in a subgroup: the CI server skips names with more than one slash", a.Repo.Path)
		default:
			res.Missing = append(res.Missing, a.Repo.ID)
		}
	}
	for _, a := range want.Absent {
		if _, ok := shown[a.Repo.ID]; ok {
			res.Remaining = append(res.Remaining, a.Repo.ID)
		} else {
			res.Gone = append(res.Gone, a.Repo.ID)
		}
	}
	return res
}

// sameName reports whether Drone's name is the forge's. A path that nobody told
// cannot be wrong.
func sameName(slug, path string) bool {
	return path == "" || providers.Fold(slug) == providers.Fold(path)
}

// explain moves to Hidden what is missing for a reason that no further look
// will cure. remote is what Drone read from the forge before the sync that led
// to shown, so that a repository granted in between is not called filtered.
func explain(res *target.Result, shown, remote rows) {
	var missing []string
	for _, id := range res.Missing {
		r, listed := remote[id]
		_, old := shown[id]
		switch {
		case old: // under another name: a later sync moves it
			missing = append(missing, id)
		case listed && r.Archived:
			res.Hidden[id] = "archived on the forge: the CI server skips archived repositories"
		case listed && nested(r.Slug):
			res.Hidden[id] = fmt.Sprintf("%s lies in a subgroup: the CI server skips names with more than one slash", r.Slug)
		case listed:
			res.Hidden[id] = "the CI server reads it from the forge but filters it (DRONE_REPOSITORY_FILTER or archived)"
		default:
			res.Hidden[id] = "the forge hides it from the CI server's OAuth application or single sign-on"
		}
	}
	res.Missing = missing
}
