package woodpecker

import (
	"fmt"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// judge compares what a user is to see with what Woodpecker has for him. It is
// pure. A repository is told by its id alone: Woodpecker learns of a new name
// with the next push to it.
func judge(want target.Desired, v *view) target.Result {
	res := target.Result{Hidden: map[string]string{}, After: len(v.shown)}
	for _, a := range want.Present {
		r, shows := v.shown[a.Repo.ID]
		switch {
		case shows:
			res.Shown = append(res.Shown, a.Repo.ID)
			if a.Repo.Path != "" && providers.Fold(r.Path) != providers.Fold(a.Repo.Path) {
				res.Note = fmt.Sprintf("%s is called %s there until the next push to it", a.Repo.Path, r.Path)
			}
		case !v.concerns(a.Repo):
			res.Hidden[a.Repo.ID] = inactive(a.Permission)
		case a.Repo.Archived:
			res.Hidden[a.Repo.ID] = "archived on the forge: the CI server leaves archived repositories out when it reads permissions"
		case v.opens[a.Repo.ID]:
			res.Hidden[a.Repo.ID] = "active, and he has a permission row, but may only read: the CI server lists what one may push to, and lets him open the page of this one"
		default:
			res.Missing = append(res.Missing, a.Repo.ID)
		}
	}
	for _, a := range want.Absent {
		if v.kept(a.Repo.ID) {
			res.Remaining = append(res.Remaining, a.Repo.ID)
		} else {
			res.Gone = append(res.Gone, a.Repo.ID)
		}
	}
	return res
}

// inactive says why a repository that is not active shows to nobody.
func inactive(p providers.Permission) string {
	const evidence = target.Inactive + ": the CI server shows active repositories only"
	if p == providers.Admin {
		return evidence + "; he administers it on the forge, so it is among those that he may add"
	}
	return evidence + "; whoever administers it on the forge may add it"
}

// explain moves to Hidden what is missing for a reason that no further look will
// cure. remote is the forge's list as Woodpecker reads it in his name.
func explain(want target.Desired, res *target.Result, remote rows) {
	var missing []string
	for _, a := range want.Present {
		if !slices.Contains(res.Missing, a.Repo.ID) {
			continue
		}
		r, listed := remote[a.Repo.ID]
		switch {
		case listed && !r.Active:
			res.Hidden[a.Repo.ID] = inactive(providers.Admin) + " (it is in that list)"
		case listed && !r.Lost: // it may show: a later look tells
			missing = append(missing, a.Repo.ID)
		case a.Permission < providers.Write:
			res.Hidden[a.Repo.ID] = "perhaps not activated, or the forge hides it from the CI server's OAuth application: he may only read it, so it is in no list of the CI server that could tell"
		default:
			res.Hidden[a.Repo.ID] = "the forge hides it from the CI server's OAuth application or single sign-on, or it is not activated and not his to add"
		}
	}
	res.Missing = missing
}

// strays returns the ids that show and are known not to be the user's, in a
// stable order.
func (v *view) strays(want target.Desired) []string {
	var ids []string
	if want.Stray == nil {
		return nil
	}
	for id, r := range v.shown {
		if want.Stray(id, r.Path) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
