package reconcile

import (
	"context"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// met returns the jobs for whoever a pass met for the first time, in its last
// run (c) or before, who has no complete list yet. After the first fill of
// everything that is configured the catalogue has all of it; else a sweep has
// each one's list read.
func (e *Engine) met(ctx context.Context, p *provider, l syncqueue.Lease, org providers.Org, at progress, c *storage.Change) ([]syncqueue.Job, error) {
	now := e.cfg.Now()
	sweep := []syncqueue.Job{syncqueue.SweepJob(p.Name, now)}
	if !l.Job.CausedBy(syncqueue.ByFill) {
		return sweep, nil
	}
	state, _, err := e.fill(ctx, p, org, at)
	if err != nil || state == filling {
		return nil, err
	}
	if state != filled {
		return sweep, nil
	}
	users, err := e.users(ctx, storage.UserQuery{Provider: p.Name})
	if err != nil {
		return nil, err
	}
	had := map[string]bool{}
	var jobs []syncqueue.Job
	look := func(u providers.User, complete bool) {
		if !had[u.ID] && !complete {
			jobs = append(jobs, syncqueue.UserJob(p.Name, u, l.Job.Lane, now))
		}
		had[u.ID] = true
	}
	for _, u := range users {
		look(u.User, u.Complete)
	}
	for _, u := range c.Users {
		look(u, false)
	}
	for _, a := range c.Audiences {
		for _, m := range a.Users {
			look(m.User, false)
		}
	}
	return jobs, nil
}

// fillState is how far the first fill of a provider has come.
type fillState int

const (
	filling fillState = iota // some organization is still being read
	filled                   // every repository of every configured organization was read
	gappy                    // all were read, but not all that users hold
)

// fill looks at the passes over all configured organizations; that over org has
// come as far as at. The fence is that under which the oldest of them began.
func (e *Engine) fill(ctx context.Context, p *provider, org providers.Org, at progress) (fillState, uint64, error) {
	known, err := e.learnt(ctx, p)
	if err != nil {
		return filling, 0, err
	}
	state, fence := filled, uint64(0)
	if p.Orgs.All() {
		state = gappy // what belongs to people is in no organization
	}
	for _, name := range p.Names {
		if _, ok := known[providers.Fold(name)]; !ok && name != "*" {
			state = gappy
		}
	}
	for _, o := range known {
		pass := at
		if o.ID != org.ID {
			if pass, err = e.progress(ctx, scopeKey(p.Name, o.ID)); err != nil {
				return filling, 0, err
			}
		}
		switch {
		case !pass.Done:
			return filling, 0, nil
		case pass.Gaps > 0 || pass.Fence == 0:
			state = gappy
		}
		if fence == 0 || pass.Fence < fence {
			fence = pass.Fence
		}
	}
	return state, fence, nil
}

// filling reports whether the first fill of an organization is under way.
func (e *Engine) filling(ctx context.Context, p *provider) (bool, error) {
	state, _, err := e.fill(ctx, p, providers.Org{}, progress{})
	return state == filling, err
}

// filledList is what a user holds after the first fill, which names everything
// that his own list would: each repository was asked for everybody in whose own
// list it is. It is as old as the beginning of the fill; a fence of 0 says that
// it is not known.
func (e *Engine) filledList(ctx context.Context, p *provider, l syncqueue.Lease, h storage.Holdings) (storage.List, uint64, error) {
	if !l.Job.CausedBy(syncqueue.ByFill) || h.Complete || len(h.Cells) == 0 {
		return storage.List{}, 0, nil
	}
	state, fence, err := e.fill(ctx, p, providers.Org{}, progress{})
	if err != nil || state != filled {
		return storage.List{}, 0, err
	}
	return storage.List{User: h.User, Repos: h.Present()}, fence, nil
}
