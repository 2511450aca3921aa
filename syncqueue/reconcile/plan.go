package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

const (
	// planChunk is how many repositories one run of a plan looks at.
	planChunk = 100
	// planWidth is how many of them at a time: a plan stands for jobs that
	// would have run side by side.
	planWidth = 4
)

// plan looks at repositories of one organization together: they are listed
// once, instead of each being asked for, and the users that they change are told
// once for each chunk. Whatever the listing does not settle gets a job of its
// own.
func (e *Engine) plan(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	left := *l.Job.Plan
	before := requests(p.Forge)
	repos, listed, err := e.listing(ctx, p, l, org)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	o := p.change(&storage.Change{Read: listed, Labels: listed})
	ids := left.Repos[:min(planChunk, len(left.Repos))]
	looks := e.lookAt(ctx, p, l, ids, repos)
	n := 0
	for ; n < len(ids) && looks[n].err == nil; n++ {
		looks[n].into(&o)
	}
	if n == 0 {
		return syncqueue.Outcome{}, looks[0].err // the run after one that got further meets it first
	}
	left.Repos, left.Done, left.Listed = left.Repos[n:], left.Done+n, listed
	left.Spent += int(requests(p.Forge) - before)
	if left.Ends = (time.Time{}); len(left.Repos) > 0 {
		left.Ends = p.ends(org, left.Calls(), l.Job.Lane)
		o.Follow = append(o.Follow, syncqueue.PlanJob(p.Name, org, left, l.Job.Lane, e.cfg.Now()))
	} else {
		p.listings.drop(org.ID)
	}
	o.Plan = &left
	o.Note = fmt.Sprintf("%d of %d repositories, %d forge calls instead of about %d", left.Done, left.Total(), left.Spent, left.Alone())
	return o, nil
}

// A planned is what one repository of a plan came to.
type planned struct {
	looked   bool
	repo     providers.Repo
	audience audience
	read     uint64
	own      *syncqueue.Job // it needs a closer look
	err      error
}

func (k planned) into(o *syncqueue.Outcome) {
	if k.own != nil {
		o.Follow = append(o.Follow, *k.own)
		return
	}
	o.Change.Read = min(o.Change.Read, k.read)
	o.Change.Repos = append(o.Change.Repos, k.repo)
	k.audience.record(o.Change)
	o.Follow = append(o.Follow, k.audience.follow...)
}

// lookAt reads who has the repositories, planWidth at a time.
func (e *Engine) lookAt(ctx context.Context, p *provider, l syncqueue.Lease, ids []string, listed map[string]providers.Repo) []planned {
	looks := make([]planned, len(ids))
	var wg sync.WaitGroup
	for w := range planWidth {
		wg.Go(func() {
			for i := w; i < len(ids); i += planWidth {
				looks[i] = e.lookAtPlanned(ctx, p, l, ids[i], listed)
				if looks[i].looked = true; looks[i].err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for i := range looks {
		if !looks[i].looked {
			looks[i].err = errSkipped
		}
	}
	return looks
}

// errSkipped: an error before it ended the chunk.
var errSkipped = errors.New("not looked at")

func (e *Engine) lookAtPlanned(ctx context.Context, p *provider, l syncqueue.Lease, id string, listed map[string]providers.Repo) (k planned) {
	r, ok := listed[id]
	alone := func(r providers.Repo) planned {
		j := syncqueue.RepoJob(p.Name, r, l.Job.Lane, e.cfg.Now())
		return planned{own: &j}
	}
	if !ok {
		// Not there yet, not there any more, or somebody else's by now.
		return alone(providers.Repo{ID: id, Org: providers.Org{ID: l.Job.Org}})
	}
	col, err := e.cfg.Store.Repo(ctx, p.Name, id)
	if err == nil || errors.Is(err, storage.ErrUnknown) {
		k.repo = r
		k.audience, k.read, err = e.audience(ctx, p, l, r, col)
	}
	switch {
	case errors.Is(err, providers.ErrNotFound), errors.Is(err, errContradiction):
		return alone(r) // it changed since it was listed, or two reads disagree
	case err != nil:
		k.err = fmt.Errorf("%s: %w", r.Path, err)
	}
	return k
}

// listing returns the repositories of org by id, and the fence under which they
// were listed: those of an earlier run of the plan, unless something was planned
// since.
func (e *Engine) listing(ctx context.Context, p *provider, l syncqueue.Lease, org providers.Org) (map[string]providers.Repo, uint64, error) {
	if at := l.Job.Plan.Listed; at != 0 && !l.Job.Fresh {
		if repos := p.listings.get(org.ID, at); repos != nil {
			return repos, at, nil
		}
	}
	feed, ok := p.Forge.(providers.RepoFeed)
	if !ok {
		return nil, 0, syncqueue.Permanent(fmt.Errorf("this kind of forge cannot list the repositories of %s", org.Name))
	}
	all, err := collect(feed.Repos(ctx, org))
	if err != nil {
		return nil, 0, err
	}
	repos := make(map[string]providers.Repo, len(all))
	for _, r := range all {
		repos[r.ID] = r
	}
	p.listings.put(org.ID, repos, l.Fence)
	return repos, l.Fence, nil
}

// listings keeps the repositories of the organizations that have a plan.
type listings struct {
	mu    sync.Mutex
	byOrg map[string]listing
}

type listing struct {
	repos map[string]providers.Repo
	fence uint64
}

func (k *listings) get(org string, fence uint64) map[string]providers.Repo {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l := k.byOrg[org]; l.fence == fence {
		return l.repos
	}
	return nil
}

func (k *listings) put(org string, repos map[string]providers.Repo, fence uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byOrg == nil {
		k.byOrg = map[string]listing{}
	}
	k.byOrg[org] = listing{repos, fence}
}

func (k *listings) drop(org string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byOrg, org)
}

// ends estimates when so many calls about org will have been answered.
func (p *provider) ends(org providers.Org, calls int, lane syncqueue.Lane) time.Time {
	if b := p.budget(org.ID); b != nil {
		return b.Ends(calls, planWidth, lane.Leaves())
	}
	return time.Time{}
}

// requests counts what a forge was sent since the start, where it tells.
func requests(f providers.Forge) uint64 {
	if c, ok := f.(interface{ Requests() uint64 }); ok {
		return c.Requests()
	}
	return 0
}
