package reconcile

import (
	"context"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

const (
	// stormFrom is how many repositories of one organization have to be due at
	// once for a plan to be thought of.
	stormFrom = 20
	// stormMost bounds how many one takeover takes over; the rest joins by the
	// next one.
	stormMost = 2000
)

// storm makes a plan of the repo jobs of an organization that are due, if
// there are many and looking at them together is cheaper. A nil outcome means
// that l is looked at by itself.
func (e *Engine) storm(ctx context.Context, p *provider, l syncqueue.Lease) (*syncqueue.Outcome, error) {
	_, lists := p.Forge.(providers.RepoFeed)
	if j := l.Job; !lists || j.Org == "" || j.Lane == syncqueue.LaneRemoval || j.Hint.Gone || j.Force || j.Attempts > 1 || j.Looks > 0 {
		return nil, nil
	}
	due, err := e.cfg.Store.Ready(ctx, p.Name, l.Job.Org, syncqueue.KindRepo, stormMost)
	if err != nil {
		return nil, err
	}
	due = slices.DeleteFunc(due, func(j syncqueue.Job) bool { return !syncqueue.Plannable(j) })
	if len(due)+1 < stormFrom {
		return nil, nil
	}
	org := providers.Org{ID: l.Job.Org}
	known, err := e.knownRows(ctx, p, org)
	if err != nil {
		return nil, err
	}
	for _, r := range known {
		org.Name = r.Repo.Org.Name
	}
	plan := syncqueue.Plan{Repos: []string{l.Job.Subject.ID}, Price: p.price(org, known)}
	whole := plan
	for _, j := range due {
		whole.Repos = append(whole.Repos, j.Subject.ID)
	}
	if whole.Calls() >= whole.Alone() {
		return nil, nil
	}
	plan.Ends = p.ends(org, whole.Calls(), l.Job.Lane)
	over := &syncqueue.Takeover{Plan: syncqueue.PlanJob(p.Name, org, plan, l.Job.Lane, e.cfg.Now())}
	for _, j := range due {
		over.Jobs = append(over.Jobs, j.ID)
	}
	return &syncqueue.Outcome{
		Result: syncqueue.ResultSuperseded, Takeover: over,
		Note: "looked at together with others of its organization",
	}, nil
}

// price is what questions about an organization cost, by what is known of its
// size. Without a word of the forge each costs one call.
func (p *provider) price(org providers.Org, known []storage.RepoRow) providers.Price {
	size := providers.Size{Repos: len(known)}
	for _, r := range known {
		size.People = max(size.People, r.Users)
	}
	if m, ok := p.models.peek(org.ID); ok {
		size.People = max(size.People, len(m.Members()))
	}
	if f, ok := p.Forge.(providers.Pricer); ok {
		return f.Price(size)
	}
	return providers.Price{List: 1, Repo: 1, Audience: 1}
}

// budget is the one that questions about an organization are asked from, nil if
// the forge has none.
func (p *provider) budget(org string) *providers.Budget {
	m, ok := p.Forge.(providers.Metered)
	if !ok {
		return nil
	}
	all := m.Budgets()
	if b := all[org]; b != nil {
		return b
	}
	return all[""]
}
