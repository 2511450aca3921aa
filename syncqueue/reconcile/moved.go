package reconcile

import (
	"context"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// confirmMoved asks about those who lost a repository that has another owner
// now. The teams of its former owner do not reach it any more, which explains
// what their members lost; whoever collaborates on it goes on doing so. Where
// the forge lists its collaborators apart, an empty list of them takes that
// away: people in no team are looked up in their own lists, and some of the
// others tell whether the forge counts at all.
func (e *Engine) confirmMoved(ctx context.Context, p *provider, l syncqueue.Lease, from providers.Org, losses []loss) error {
	mf, computed := p.Forge.(providers.ModelForge)
	if !computed || len(losses) == 0 || l.Job.Force {
		return nil
	}
	explained := func(string) bool { return true } // nobody can tell who was in its teams
	switch {
	case from.Personal:
		explained = func(string) bool { return false }
	case p.Orgs.Has(from):
		m, _, err := e.teams(ctx, p, mf, l, from, 0)
		if err != nil {
			return err
		}
		if len(m.Teams) > 0 {
			explained = func(id string) bool { return belongs(m, id) }
		}
	}
	outsiders, asked := map[string][]loss{}, 0
	for _, x := range losses {
		if !explained(x.user.ID) {
			outsiders[x.user.ID] = append(outsiders[x.user.ID], x)
			continue
		}
		if asked == insiderSample {
			continue
		}
		ok, err := e.confirmCount(ctx, p, x)
		if err != nil {
			return err
		}
		if ok {
			asked++
		}
	}
	return e.confirmOutsiders(ctx, p, l, outsiders)
}
