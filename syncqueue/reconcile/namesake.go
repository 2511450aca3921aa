package reconcile

import (
	"context"
	"errors"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// namesakes looks again, at once, at those to whom a target showed what the
// catalogue still knows by a name under which that target has just read something
// else: Drone deletes its row of the former then, and brings it back with the next
// sync of anybody who has it. It needs no list of the forge's, which may tell
// nothing now. Both are asked for their names, if they are the configured
// organizations'. Each round moves a name to where the forge has it, so a chain of them ends.
func (e *Engine) namesakes(ctx context.Context, p *provider, l syncqueue.Lease, r target.Result) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	for id, path := range r.Renamed {
		col, err := e.cfg.Store.RepoByPath(ctx, p.Name, path)
		if errors.Is(err, storage.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if col.Gone || col.Repo.ID == id {
			continue
		}
		other, err := e.cfg.Store.Repo(ctx, p.Name, id)
		if err != nil && !errors.Is(err, storage.ErrUnknown) {
			return nil, err
		}
		for _, r := range []providers.Repo{col.Repo, other.Repo} {
			if r.ID != "" && p.Orgs.Has(r.Org) {
				jobs = append(jobs, syncqueue.RepoJob(p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
			}
		}
		for _, h := range col.Holders {
			if h.Cell.Permission > providers.None && !h.Cell.Shown[l.Job.Target].IsZero() {
				jobs = append(jobs, syncqueue.PublishJob(l.Job.Target, p.Name, h.User, syncqueue.Job{}, syncqueue.LanePoll, e.cfg.Now()))
			}
		}
	}
	return jobs, nil
}
