package providerstest

import (
	"cmp"
	"slices"
	"time"
)

// activity is one row of an owner's feed.
type activity struct {
	id      int64
	owner   *account
	by      *account
	op      string
	repo    *repo
	content string
	at      time.Time
}

// record writes a row for the owner. Gitea writes further rows for the actor
// and for watchers, so ids in one feed have gaps (measured).
func (g *Gitea) record(owner, by *account, op string, r *repo, content string) {
	g.next("activity")
	g.feed = append(g.feed, &activity{id: g.next("activity"), owner: owner, by: by, op: op, repo: r, content: content, at: g.opt.Now()})
}

// feedOf returns the rows of an organization that u may see, newest first by
// whole seconds; within a second the order is unspecified, ascending when
// measured (models/activities/action_list.go).
func (g *Gitea) feedOf(org, u *account) []*activity {
	var rows []*activity
	for _, a := range g.feed {
		if a.owner == org && (u.admin || g.sees(u, a.repo)) {
			rows = append(rows, a)
		}
	}
	slices.SortStableFunc(rows, func(a, b *activity) int { return cmp.Compare(b.at.Unix(), a.at.Unix()) })
	return rows
}

func (g *Gitea) wireActivity(a *activity, doer *account) wireActivity {
	return wireActivity{
		ID: a.id, UserID: a.owner.id, OpType: a.op, ActUserID: a.by.id, ActUser: g.wireUser(a.by, doer),
		RepoID: a.repo.id, Repo: g.jsonFor(a.repo, doer), IsPrivate: a.repo.private,
		Content: a.content, Created: a.at.UTC().Truncate(time.Second),
	}
}
