package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// scopeAbove is from how many new repositories on one pass over the
// organization is cheaper than a job for each.
const scopeAbove = 100

// pollRepos finds what the forge never announces about repositories: adopted
// and moved in, renamed, hidden or shown, archived, and whatever a lost
// delivery would have told. The catalogue itself is what it compares with.
func (e *Engine) pollRepos(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	now := e.cfg.Now()
	feed, ok := p.Forge.(providers.RepoFeed)
	if !ok {
		return syncqueue.Outcome{}, syncqueue.Permanent(fmt.Errorf("this kind of forge cannot list the repositories of %s", org.Name))
	}
	listed, gone, err := list(ctx, feed, org)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	known, err := e.known(ctx, p, org)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	was := make(map[string]providers.Repo, len(known))
	for _, r := range known {
		was[r.ID] = r
	}
	o := syncqueue.Outcome{Next: now.Add(p.Repos)}
	fresh := 0
	for _, r := range listed {
		old, ok := was[r.ID]
		delete(was, r.ID)
		switch {
		case !ok:
			fresh++
			o.Follow = append(o.Follow, saw(syncqueue.RepoJob(p.Name, r, syncqueue.LaneAddition, now), "new in "+org.Name))
		case !old.Labels(r):
			j := syncqueue.RepoJob(p.Name, r, laneOf(old.Visibility != r.Visibility), now)
			if old.Path != r.Path {
				j.Hint.From = old.Path
			}
			o.Follow = append(o.Follow, saw(j, storage.Renamed(old, r, "")))
		}
	}
	if fresh > scopeAbove {
		scope := syncqueue.ScopeJob(p.Name, org, now)
		scope.Lane = syncqueue.LanePoll
		kept := []syncqueue.Job{scope}
		for _, j := range o.Follow {
			if _, isOld := indexOf(known, j.Subject.ID); isOld {
				kept = append(kept, j)
			}
		}
		o.Follow = kept
	}
	hidden, err := e.hidden(ctx, p, slices.Collect(maps.Values(was)))
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	maps.DeleteFunc(was, func(id string, _ providers.Repo) bool { return hidden[id] })
	gone = gone && e.prove(ctx, p, org) == nil
	if e.cfg.Guard.Shrinks(len(known), len(known)-len(was)) && !l.Job.Force && !gone {
		return e.hold(l, atCatalogue, fmt.Sprintf("%s lists %d repositories, %d are known", org.Name, len(listed), len(known))), nil
	}
	for _, r := range was { // not listed any more: each is asked for by id
		o.Follow = append(o.Follow, saw(syncqueue.RepoJob(p.Name, r, syncqueue.LaneRemoval, now), "not listed in "+org.Name+" any more"))
	}
	polled(o.Follow, "repository poll", now)
	o.Note = fmt.Sprintf("%d repositories, %d differences", len(listed), len(o.Follow))
	if len(hidden) > 0 {
		o.Note += fmt.Sprintf(", %d that hookd may not read", len(hidden))
	}
	return o, nil
}

func indexOf(repos []providers.Repo, id string) (int, bool) {
	for i, r := range repos {
		if r.ID == id {
			return i, true
		}
	}
	return 0, false
}
