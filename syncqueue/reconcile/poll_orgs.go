package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// byStart is the cause of the jobs a start pushes.
const byStart = "start"

// learnEvery is how soon a configured organization that the forge does not
// know is asked for again.
const learnEvery = 30 * time.Second

func orgsKey(provider string) string { return "orgs/" + provider }

// learnt returns the organizations whose ids are kept, by folded name.
func (e *Engine) learnt(ctx context.Context, p *provider) (map[string]providers.Org, error) {
	known := map[string]providers.Org{}
	err := e.load(ctx, orgsKey(p.Name), &known)
	return known, err
}

// orgs returns the organizations known by id, without asking the forge.
func (e *Engine) orgs(ctx context.Context, p *provider) ([]providers.Org, error) {
	known, err := e.learnt(ctx, p)
	out := make([]providers.Org, 0, len(known))
	for _, o := range known {
		out = append(out, o)
	}
	return out, err
}

// pollOrgs resolves the configured organizations to ids, once in the life of a
// data folder, and sets their work going: after a start for all, later for
// those that are new. On an instance served as a whole ("*") it recurs.
func (e *Engine) pollOrgs(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	known, err := e.learnt(ctx, p)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	starting := l.Job.CausedBy(byStart)
	now := e.cfg.Now()
	o := syncqueue.Outcome{Change: &storage.Change{Provider: p.Name}}
	fresh := map[string]bool{}
	var faults []error
	for _, name := range p.Names {
		if name == "*" {
			found, err := e.listed(ctx, p)
			if err != nil {
				return o, err
			}
			for _, org := range found {
				fresh[providers.Fold(org.Name)] = known[providers.Fold(org.Name)].ID != org.ID
				known[providers.Fold(org.Name)] = org
			}
			o.Next = now.Add(max(p.Repos, learnEvery))
			continue
		}
		if _, ok := known[providers.Fold(name)]; ok {
			continue
		}
		org, err := p.Forge.Org(ctx, name)
		if errors.Is(err, providers.ErrNotFound) {
			faults = append(faults, fmt.Errorf("the forge shows no organization %q to this token", name))
			o.Next = now.Add(learnEvery)
			continue
		}
		if errors.Is(err, providers.ErrWithheld) {
			faults = append(faults, fmt.Errorf("organization %q: %w", name, err))
			o.Next = now.Add(learnEvery)
			continue
		}
		if err != nil {
			return o, err
		}
		known[providers.Fold(name)], fresh[providers.Fold(name)] = org, true
		p.Orgs.Learn(name, org.ID)
	}
	for name, org := range known {
		if starting || fresh[name] {
			jobs, err := e.begins(ctx, p, org)
			if err != nil {
				return o, err
			}
			o.Follow = append(o.Follow, jobs...)
		}
	}
	if starting {
		sweep := syncqueue.SweepJob(p.Name, now)
		if slices.ContainsFunc(o.Follow, func(j syncqueue.Job) bool { return j.Kind == syncqueue.KindScope }) {
			sweep.NotBefore = now.Add(paceOf(e.cfg.Reconcile).tick) // the first fill finds everybody
		}
		o.Follow = append(o.Follow, sweep)
	}
	if o.Change.Snapshots, err = e.enforce(ctx, p, slices.Collect(maps.Values(known))); err != nil {
		return o, err
	}
	o.Change.Snapshots[orgsKey(p.Name)] = encode(known)
	o.Note = fmt.Sprintf("%d organizations", len(known))
	if err := errors.Join(faults...); err != nil {
		o.Note = err.Error()
		e.cfg.Log.Warn("an organization could not be resolved", "provider", p.Name, "err", err, "next", learnEvery)
	}
	return o, nil
}

// saw notes what a poll saw of what j looks at.
func saw(j syncqueue.Job, why string) syncqueue.Job {
	j.Causes = []syncqueue.Cause{{Why: why}}
	return j
}

// polled says of jobs which poll pushes them, beside what it saw.
func polled(jobs []syncqueue.Job, poll string, now time.Time) {
	for i, j := range jobs {
		c := syncqueue.Cause{By: "poll", Why: poll, At: now}
		if len(j.Causes) == 1 && j.Causes[0].Why != "" {
			c.Why += ": " + j.Causes[0].Why
		}
		jobs[i].Causes = []syncqueue.Cause{c}
	}
}

// heardOf says of jobs that a delivery led to them, by way of a poll: j.
func heardOf(jobs []syncqueue.Job, j syncqueue.Job) {
	for i := range jobs {
		jobs[i].Causes, jobs[i].Since = j.Causes, j.Since
	}
}

// begins returns the jobs that follow an organization: its first fill, unless
// that was done before, and its polls.
func (e *Engine) begins(ctx context.Context, p *provider, org providers.Org) ([]syncqueue.Job, error) {
	now := e.cfg.Now()
	var jobs []syncqueue.Job
	at, err := e.progress(ctx, scopeKey(p.Name, org.ID))
	if err != nil {
		return nil, err
	}
	if !at.Done {
		fill := syncqueue.ScopeJob(p.Name, org, now)
		fill.Causes = []syncqueue.Cause{{By: syncqueue.ByFill, At: now}}
		jobs = append(jobs, fill)
	}
	if p.Members > 0 {
		jobs = append(jobs, syncqueue.PollJob(p.Name, syncqueue.PollMembers, org, now))
	}
	if p.Repos > 0 {
		jobs = append(jobs, syncqueue.PollJob(p.Name, syncqueue.PollRepos, org, now))
	}
	if _, ok := p.Forge.(providers.DeliveryLog); ok && p.Deliveries > 0 {
		jobs = append(jobs, syncqueue.PollJob(p.Name, syncqueue.PollDeliveries, org, now))
	}
	return jobs, nil
}

func (e *Engine) listed(ctx context.Context, p *provider) ([]providers.Org, error) {
	ol, ok := p.Forge.(providers.OrgLister)
	if !ok {
		return nil, fmt.Errorf("this kind of forge cannot list its organizations: name them in orgs")
	}
	return collect(ol.Orgs(ctx))
}
