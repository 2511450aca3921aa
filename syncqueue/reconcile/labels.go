package reconcile

import (
	"context"
	"errors"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// others returns jobs that look at who else has the repositories of a list that
// the catalogue does not know, or under other labels: as soon as the list is
// applied it does, and the poll of repositories has nothing to notice any more.
//
// What an organization's pass is still to read needs no look of its own, and
// the first list of a user says nothing that others were not asked for.
func (e *Engine) others(ctx context.Context, p *provider, h storage.Holdings, list []providers.Access) ([]syncqueue.Job, error) {
	if !h.Complete {
		return nil, nil
	}
	known := make(map[string]providers.Repo, len(h.Cells))
	for _, c := range h.Cells {
		known[c.Repo.ID] = c.Repo
	}
	passed := map[string]bool{}
	read := func(org string) (bool, error) {
		done, asked := passed[org]
		if asked {
			return done, nil
		}
		at, err := e.progress(ctx, scopeKey(p.Name, org))
		passed[org] = at.Done
		return at.Done, err
	}
	var jobs []syncqueue.Job
	for _, a := range list {
		r := a.Repo
		old, held := known[r.ID]
		if r.Path == "" || held && labelled(old, r) {
			continue
		}
		if !held {
			c, err := e.cfg.Store.Repo(ctx, p.Name, r.ID)
			switch {
			case err == nil && !c.Gone && labelled(c.Repo, r):
				continue
			case err == nil:
				old = c.Repo
			case !errors.Is(err, storage.ErrUnknown):
				return nil, err
			}
		}
		// Also what left an organization of ours.
		was, err := read(old.Org.ID)
		if err != nil {
			return nil, err
		}
		is, err := read(r.Org.ID)
		if err != nil {
			return nil, err
		}
		if !was && !is {
			continue
		}
		j := syncqueue.RepoJob(p.Name, r, syncqueue.LanePoll, e.cfg.Now())
		if old.Path != r.Path {
			j.Hint.From = old.Path
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// labelled reports whether a repository is described as it was, by a list that
// may tell less.
func labelled(old, r providers.Repo) bool { return storage.Relabel(old, r).Labels(old) }
