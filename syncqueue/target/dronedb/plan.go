package dronedb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A plan is what has to be written for one user.
type plan struct {
	grant []providers.Access // do not show, or not under their names
	take  []string           // ids whose permission goes
}

func (p plan) empty() bool { return len(p.grant)+len(p.take) == 0 }

// planFor compares what a user is to see with what Drone has of him. It is
// pure. Nothing is taken but what want names as lost or calls a stray.
func planFor(want target.Desired, have map[string]row) plan {
	var p plan
	present := map[string]bool{}
	for _, a := range want.Present {
		present[a.Repo.ID] = true
		r := have[a.Repo.ID]
		if never(a.Repo) == "" && (!r.listed || a.Repo.Path != "" && r.slug != a.Repo.Path) {
			p.grant = append(p.grant, a)
		}
	}
	for _, a := range want.Absent {
		if _, ok := have[a.Repo.ID]; ok && !present[a.Repo.ID] {
			p.take = append(p.take, a.Repo.ID)
			present[a.Repo.ID] = true // once
		}
	}
	if want.Stray != nil {
		for id, r := range have {
			if r.listed && !present[id] && want.Stray(id, r.slug) {
				p.take = append(p.take, id)
			}
		}
	}
	slices.Sort(p.take)
	return p
}

// never tells why Drone does not list a repository, "" if it does: its sync
// skips these (source: service/syncer/syncer.go), and would take again what was
// written here.
func never(r providers.Repo) string {
	switch {
	case r.Archived:
		return "archived on the forge: the CI server skips archived repositories"
	case strings.Count(r.Path, "/") > 1:
		return fmt.Sprintf("%s lies in a subgroup: the CI server skips names with more than one slash", r.Path)
	}
	return ""
}

// judge compares what a user is to see with what Drone shows him.
func judge(want target.Desired, before, after map[string]row) target.Result {
	res := target.Result{Hidden: map[string]string{}, Before: shown(before), After: shown(after)}
	for _, a := range want.Present {
		r := after[a.Repo.ID]
		switch {
		case r.listed && (a.Repo.Path == "" || providers.Fold(r.slug) == providers.Fold(a.Repo.Path)):
			res.Shown = append(res.Shown, a.Repo.ID)
		case never(a.Repo) != "":
			res.Hidden[a.Repo.ID] = never(a.Repo)
		default:
			res.Missing = append(res.Missing, a.Repo.ID)
		}
	}
	for _, a := range want.Absent {
		if after[a.Repo.ID].listed {
			res.Remaining = append(res.Remaining, a.Repo.ID)
		} else {
			res.Gone = append(res.Gone, a.Repo.ID)
		}
	}
	return res
}

func shown(list map[string]row) (n int) {
	for _, r := range list {
		if r.listed {
			n++
		}
	}
	return n
}
