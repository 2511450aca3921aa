package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// repo asks who has one repository in his list now.
func (e *Engine) repo(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	if o, err := e.storm(ctx, p, l); err != nil {
		return syncqueue.Outcome{}, err
	} else if o != nil {
		return *o, nil
	}
	f, err := e.lookAtRepo(ctx, p, l)
	if err == nil && l.Job.Hint.New {
		var jobs []syncqueue.Job
		jobs, err = e.announced(ctx, p, l, f)
		f.follow = append(f.follow, jobs...)
	}
	return e.settle(p, l, f, err), err
}

func (e *Engine) lookAtRepo(ctx context.Context, p *provider, l syncqueue.Lease) (finding, error) {
	id := l.Job.Subject.ID
	col, err := e.cfg.Store.Repo(ctx, p.Name, id)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		return finding{}, err
	}
	known := err == nil && !col.Gone
	r, err := p.Forge.Repo(ctx, id)
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return e.repoMissing(ctx, p, l, col, known)
	case err != nil:
		return finding{}, err
	}
	p.meet(r.Org)
	if l.Job.Hint.Gone {
		// Gitea queues "deleted" before it deletes (notifier order, 1.25).
		if o, ok := e.again(l, "said to be deleted, but the forge still answers with it"); ok {
			return finding{instead: &o}, nil
		}
	}
	if !known && !p.Orgs.Has(r.Org) {
		return superseded("belongs to " + r.Org.Name + ", which is not configured"), nil
	}
	if !known {
		col = storage.Column{}
	}
	a, fence, err := e.audience(ctx, p, l, r, col)
	f := finding{
		change: storage.Change{Read: fence, Labels: l.Fence, Repos: []providers.Repo{r}},
		follow: a.follow, note: a.note(), spared: a.spared,
	}
	a.record(&f.change)
	if errors.Is(err, errContradiction) {
		f.held, err = err.Error(), nil
	}
	if errors.Is(err, providers.ErrForbidden) && !p.Orgs.Has(r.Org) {
		// It left our organizations, and with that everybody lost what they
		// granted. What its new owner grants is not for this token to know; the
		// CI server finds out as each user.
		return finding{
			change: storage.Change{Repos: []providers.Repo{r}, Audiences: []storage.Audience{{Repo: r}}},
			note:   "belongs to " + r.Org.Name + " now, which is not configured and does not show who has it",
		}, nil
	}
	return f, err
}

// repoMissing decides what a 404 means.
func (e *Engine) repoMissing(ctx context.Context, p *provider, l syncqueue.Lease, col storage.Column, known bool) (finding, error) {
	if !known && !l.Job.Hint.Gone {
		// A new repository may be announced before the API shows it.
		if o, ok := e.again(l, "the forge does not show it yet"); ok {
			return finding{instead: &o}, nil
		}
		return superseded("the forge never showed it"), nil
	}
	if known {
		// The token may have lost its rights: that looks the same.
		switch err := e.prove(ctx, p, col.Repo.Org); {
		case errors.Is(err, providers.ErrWithheld) && !l.Job.Hint.Gone:
			return superseded("hookd may not read it, and what is known of it stays: " + err.Error()), nil
		case errors.Is(err, providers.ErrWithheld): // that it is deleted the forge itself said
		case err != nil:
			return finding{}, err
		}
		if _, err := p.Forge.Repo(ctx, l.Job.Subject.ID); !errors.Is(err, providers.ErrNotFound) {
			if err == nil {
				err = fmt.Errorf("it answered 404 a moment ago: %w", providers.ErrUnavailable)
			}
			return finding{}, err
		}
	}
	return finding{change: storage.Change{Gone: []string{l.Job.Subject.ID}}, note: "deleted"}, nil
}

// An audience is everybody who has a repository.
type audience struct {
	storage.Audience
	lost   []loss          // of those who do not have it any more, it is taken away
	spared []loss          // those of whom it is not, though they do not have it
	follow []syncqueue.Job // that judge those, and for when what somebody has ends by itself
}

// audience reads everybody who has r, and confirms whoever it would take r
// from. The fence is that of the oldest answer it rests on.
func (e *Engine) audience(ctx context.Context, p *provider, l syncqueue.Lease, r providers.Repo, col storage.Column) (audience, uint64, error) {
	a, fence, err := e.readAudience(ctx, p, l, r, l.Job.Fresh)
	if err != nil {
		return a, 0, err
	}
	from := col.Repo.Org
	moved := col.Repo.ID != "" && from.ID != r.Org.ID
	col.Repo = r // losses are judged by who owns the repository now
	lost := lostBy(col, a.Users)
	if len(lost) > 0 && fence < l.Fence {
		// Not from memory: read the teams again before anything is taken away.
		if a, fence, err = e.readAudience(ctx, p, l, r, true); err != nil {
			return a, 0, err
		}
		lost = lostBy(col, a.Users)
	}
	if moved && len(a.Users) > 0 {
		return a, fence, e.confirmMoved(ctx, p, l, from, lost)
	}
	if err := e.confirm(ctx, p, l, lost); err != nil {
		return a, fence, err
	}
	if a.spared, err = e.spare(ctx, p, l, lost); err != nil {
		return a, fence, err
	}
	a.lost = slices.DeleteFunc(lost, func(x loss) bool {
		return slices.ContainsFunc(a.spared, func(s loss) bool { return s.user.ID == x.user.ID })
	})
	judges, err := e.judges(ctx, p, l, a.spared)
	a.follow = append(a.follow, judges...)
	return a, fence, err
}

func (e *Engine) readAudience(ctx context.Context, p *provider, l syncqueue.Lease, r providers.Repo, fresh bool) (audience, uint64, error) {
	a := audience{Audience: storage.Audience{Repo: r}}
	fence := l.Fence
	seq := p.Forge.RepoAccess(ctx, r)
	if mf, ok := p.Forge.(providers.ModelForge); ok && !r.Org.Personal {
		atLeast := uint64(0)
		if fresh {
			atLeast = l.Fence
		}
		m, read, err := p.models.get(ctx, mf, r.Org, l.Fence, atLeast)
		switch {
		case errors.Is(err, providers.ErrNotFound): // owned by a person
		case err != nil:
			return a, 0, err
		default:
			seq, fence = mf.RepoAccessIn(ctx, r, m), read
		}
	}
	all, err := collect(seq)
	if err != nil {
		return a, 0, err
	}
	for _, x := range strongest(all, byUser) {
		if x.Permission > providers.None {
			a.Users = append(a.Users, storage.Member{User: x.User, Permission: x.Permission})
		}
	}
	a.follow, err = e.ending(ctx, p, l, all)
	return a, min(fence, l.Fence), err
}
