package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// Jobs returns the jobs that reconcile what is named now: with a user
// everything he holds, or what he holds in the organization; without one the
// organization in a pass, or each of the provider's. A name of an organization
// is the configured or the present one, case-folded, its id, or that of a group
// inside it. Without a provider all are meant. It asks no forge.
// providers.ErrNotFound if no organization of that name is known.
func (e *Engine) Jobs(ctx context.Context, providerName, org string, u *providers.User) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	now := e.cfg.Now()
	for _, name := range e.names() {
		p := e.providers[name]
		if providerName != "" && providerName != name {
			continue
		}
		if u != nil && org == "" {
			jobs = append(jobs, syncqueue.UserJob(name, *u, syncqueue.LaneAddition, now))
			continue
		}
		orgs, err := e.orgsNamed(ctx, p, org)
		if err != nil {
			return nil, err
		}
		for _, o := range orgs {
			j := syncqueue.ScopeJob(name, o, now)
			j.Lane = syncqueue.LanePoll
			if u != nil {
				j = syncqueue.MemberJob(name, *u, o, syncqueue.LaneAddition, now)
			}
			jobs = append(jobs, j)
		}
	}
	if org != "" && len(jobs) == 0 {
		return nil, fmt.Errorf("organization %q: %w", org, providers.ErrNotFound)
	}
	for i := range jobs {
		jobs[i].Fresh = true
	}
	return jobs, nil
}

// names are the providers in order.
func (e *Engine) names() []string {
	var out []string
	for name := range e.providers {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// orgsNamed returns the organizations known by id that a name means, all of
// them for "". Of those that lie inside each other the innermost is meant.
func (e *Engine) orgsNamed(ctx context.Context, p *provider, name string) ([]providers.Org, error) {
	known, err := e.learnt(ctx, p)
	if err != nil {
		return nil, err
	}
	asked := providers.Fold(name)
	var out []providers.Org
	best := 0
	for configured, o := range known {
		if name == "" || o.ID == name {
			out = append(out, o)
			continue
		}
		for _, n := range []string{configured, providers.Fold(o.Name)} {
			if (asked == n || strings.HasPrefix(asked, n+"/")) && len(n) > best {
				out, best = []providers.Org{o}, len(n)
			}
		}
	}
	slices.SortFunc(out, func(a, b providers.Org) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
