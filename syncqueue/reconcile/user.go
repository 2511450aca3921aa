package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// user asks for everything one user holds.
func (e *Engine) user(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	if l.Job.Subject.ID == "" {
		return e.introduce(ctx, p, l)
	}
	f, err := e.lookAtUser(ctx, p, l)
	o := e.settle(p, l, f, err)
	if err != nil || f.held != "" {
		return o, err
	}
	// Also when nothing changed: the CI server is looked at as well.
	for _, t := range p.targets {
		o.Follow = append(o.Follow, syncqueue.PublishJob(t, p.Name, f.change.Lists[0].User, l.Job, l.Job.Lane, e.cfg.Now()))
	}
	holds, err := e.relieved(ctx, p, l, f.change.Lists[0].User)
	o.Follow = append(o.Follow, holds...)
	return o, err
}

func (e *Engine) lookAtUser(ctx context.Context, p *provider, l syncqueue.Lease) (finding, error) {
	u, h, err := e.whom(ctx, p, l)
	if err != nil {
		return finding{}, err
	}
	if list, fence, err := e.filledList(ctx, p, l, h); fence > 0 || err != nil {
		return finding{
			change: storage.Change{Read: fence, Lists: []storage.List{list}},
			note:   fmt.Sprintf("%d repositories, as the first fill found them", len(list.Repos)),
		}, err
	}
	all, u, err := e.ownList(ctx, p, u, func(u providers.User) ([]providers.Access, error) {
		return collect(p.Forge.UserAccess(ctx, u))
	})
	if err != nil {
		return finding{}, err
	}
	h.User = u // under his present name
	list := strongest(p.ours(all, h), byRepo)
	lost, stays, err := e.judgeable(ctx, p, h, missing(h, list, func(providers.Repo) bool { return true }))
	if err != nil {
		return finding{}, err
	}
	held, err := e.doubted(ctx, p, l, h, list, lost)
	if err != nil {
		return finding{}, err
	}
	others, err := e.others(ctx, p, h, list)
	return finding{
		follow: others,
		change: storage.Change{Lists: []storage.List{{User: u, Repos: append(list, stays...)}}, Users: []providers.User{u}},
		note:   fmt.Sprintf("%d repositories", len(list)), held: held,
	}, err
}

// member asks for what one user holds in what an organization, team or
// repository reaches.
func (e *Engine) member(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	if l.Job.Announced() && l.Job.Org != "" {
		p.models.drop(l.Job.Org)
	}
	f, err := e.lookAtMember(ctx, p, l)
	if err == nil && f.held == "" && f.instead == nil {
		var holds []syncqueue.Job
		holds, err = e.relieved(ctx, p, l, providers.User{ID: l.Job.Subject.ID})
		f.follow = append(f.follow, holds...)
	}
	return e.settle(p, l, f, err), err
}

func (e *Engine) lookAtMember(ctx context.Context, p *provider, l syncqueue.Lease) (finding, error) {
	u, h, err := e.whom(ctx, p, l)
	if err != nil {
		return finding{}, err
	}
	within := l.Job.Within
	all, u, err := e.ownList(ctx, p, u, func(u providers.User) ([]providers.Access, error) {
		return collect(p.Forge.ScopeAccess(ctx, u, within))
	})
	if errors.Is(err, providers.ErrNotFound) {
		o := e.scopeless(p, l, u)
		return finding{instead: &o}, nil
	}
	if err != nil {
		return finding{}, err
	}
	h.User = u
	cells := strongest(p.ours(all, h), byRepo)
	named := make(map[string]bool, len(cells))
	for _, a := range cells {
		named[a.Repo.ID] = true
	}
	lost := missing(h, cells, func(r providers.Repo) bool {
		switch within.Kind {
		case providers.SubjectOrg:
			return r.Org.ID == within.ID
		case providers.SubjectRepo:
			return r.ID == within.ID
		}
		return named[r.ID]
	})
	if lost, _, err = e.judgeable(ctx, p, h, lost); err != nil {
		return finding{}, err
	}
	if l.Job.Announced() {
		for _, x := range lost { // of other organizations too: a subgroup's event reaches them
			p.models.drop(x.repo.Org.ID)
		}
	}
	held, err := e.doubted(ctx, p, l, h, cells, lost)
	if err != nil {
		return finding{}, err
	}
	follow, err := e.others(ctx, p, h, cells)
	if err != nil {
		return finding{}, err
	}
	ending, err := e.ending(ctx, p, l, cells)
	if err != nil {
		return finding{}, err
	}
	for _, x := range lost {
		if !named[x.repo.ID] {
			cells = append(cells, providers.Access{User: u, Repo: x.repo})
		}
	}
	for i := range cells {
		cells[i].User, cells[i].Until = u, time.Time{}
	}
	return finding{
		follow: append(follow, ending...),
		change: storage.Change{Cells: cells, Users: []providers.User{u}},
		note:   fmt.Sprintf("%d repositories, %d lost", len(cells), len(lost)), held: held,
	}, nil
}

// scopeless ends a look at what u holds in something that is not there (any
// more): whatever it took with it, his whole list lacks.
func (e *Engine) scopeless(p *provider, l syncqueue.Lease, u providers.User) syncqueue.Outcome {
	now := e.cfg.Now()
	o := syncqueue.Outcome{Result: syncqueue.ResultSuperseded, Note: fmt.Sprintf("the forge has no %s", l.Job.Within)}
	if l.Job.Within.Kind == providers.SubjectRepo {
		r := providers.Repo{ID: l.Job.Within.ID, Path: l.Job.Within.Name, Org: providers.Org{ID: l.Job.Org}}
		o.Follow = append(o.Follow, syncqueue.RepoJob(p.Name, r, l.Job.Lane, now))
	}
	o.Follow = append(o.Follow, syncqueue.UserJob(p.Name, u, l.Job.Lane, now))
	return o
}

// doubted looks for a second opinion on losses, and says why they are to be
// held, "" if they are not: it disagrees, or they leave much less than before to
// somebody who did not leave.
func (e *Engine) doubted(ctx context.Context, p *provider, l syncqueue.Lease, h storage.Holdings, answer []providers.Access, lost []loss) (held string, err error) {
	err = e.confirm(ctx, p, l, lost)
	nothing := !slices.ContainsFunc(answer, func(a providers.Access) bool { return a.Permission > providers.None })
	if err == nil && !l.Job.Force && nothing && l.Job.Within.Kind != providers.SubjectRepo {
		err = e.confirmNothing(ctx, p, lost)
	}
	if err == nil && !l.Job.Force {
		err = e.guard(p, len(h.Present()), lost)
	}
	if errors.Is(err, errContradiction) || errors.Is(err, errShrinks) {
		return err.Error(), nil
	}
	return "", err
}

// whom is the user a job is about, with what the catalogue believes of him.
func (e *Engine) whom(ctx context.Context, p *provider, l syncqueue.Lease) (providers.User, storage.Holdings, error) {
	u := providers.User{ID: l.Job.Subject.ID, Login: l.Job.Subject.Name}
	h, err := e.cfg.Store.Holdings(ctx, p.Name, u.ID)
	if errors.Is(err, storage.ErrUnknown) {
		return u, storage.Holdings{User: u}, nil
	}
	if err != nil {
		return u, h, err
	}
	if u.Login == "" {
		u.Login = h.User.Login
	}
	return u, h, nil
}

// ownList reads u's own list under the login he has now. If nobody has his id,
// he is gone and his list is empty.
func (e *Engine) ownList(ctx context.Context, p *provider, u providers.User, read func(providers.User) ([]providers.Access, error)) ([]providers.Access, providers.User, error) {
	now, err := p.Forge.User(ctx, u.Login)
	if errors.Is(err, providers.ErrNotFound) || err == nil && now.ID != u.ID {
		// Nobody told that he is called otherwise; whoever has his login now must
		// not answer for him.
		if now, err = p.Forge.UserByID(ctx, u.ID); errors.Is(err, providers.ErrNotFound) {
			return nil, u, nil
		}
	}
	if err != nil {
		return nil, u, err
	}
	list, err := read(now)
	return list, now, err
}

// ours keeps what belongs to organizations this provider entry is responsible
// for, and what once did: a repository that was transferred away stays visible
// to those who still have it, or have it again.
func (p *provider) ours(all []providers.Access, h storage.Holdings) []providers.Access {
	if p.Orgs.All() {
		return all
	}
	met := map[string]bool{}
	for _, c := range h.Cells {
		met[c.Repo.ID] = true
	}
	out := make([]providers.Access, 0, len(all))
	for _, a := range all {
		p.meet(a.Repo.Org)
		if met[a.Repo.ID] || p.Orgs.Has(a.Repo.Org) {
			out = append(out, a)
		}
	}
	return out
}

// meet notes what an organization of ours is called now: CI servers, and some
// events, know it by its name alone.
func (p *provider) meet(o providers.Org) {
	if !p.Orgs.All() && o.ID != "" && p.Orgs.Is(o) && !p.Orgs.Is(providers.Org{Name: o.Name}) {
		p.Orgs.Learn(o.Name, o.ID)
	}
}
