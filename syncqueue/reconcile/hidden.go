package reconcile

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// hidden returns which of the repositories hookd may not read now, as where an
// App was taken off them: what an answer leaves out of those says nothing.
func (e *Engine) hidden(ctx context.Context, p *provider, repos []providers.Repo) (map[string]bool, error) {
	pf, ok := p.Forge.(providers.PartialForge)
	if !ok || len(repos) == 0 {
		return nil, nil
	}
	byOrg := map[string][]string{}
	orgs := map[string]providers.Org{}
	for _, r := range repos {
		byOrg[r.Org.ID], orgs[r.Org.ID] = append(byOrg[r.Org.ID], r.ID), r.Org
	}
	out := map[string]bool{}
	for id, ids := range byOrg {
		some, err := pf.Hidden(ctx, orgs[id], ids)
		if err != nil {
			return nil, fmt.Errorf("finding out what may be read of %s: %w", orgs[id].Name, err)
		}
		for _, id := range some {
			out[id] = true
		}
	}
	return out, nil
}

// judgeable splits losses into those that hookd may judge, and what is to stay
// as it is believed because hookd may not read it now.
func (e *Engine) judgeable(ctx context.Context, p *provider, h storage.Holdings, lost []loss) (judged []loss, stays []providers.Access, err error) {
	repos := make([]providers.Repo, len(lost))
	for i, x := range lost {
		repos[i] = x.repo
	}
	hidden, err := e.hidden(ctx, p, repos)
	if err != nil || len(hidden) == 0 {
		return lost, nil, err
	}
	for _, x := range lost {
		if !hidden[x.repo.ID] {
			judged = append(judged, x)
		}
	}
	for _, a := range h.Present() {
		if hidden[a.Repo.ID] {
			stays = append(stays, a)
		}
	}
	return judged, stays, nil
}
