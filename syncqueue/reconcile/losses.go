package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// A loss is one cell that a read would take away.
type loss struct {
	user providers.User
	repo providers.Repo
	read uint64 // fence of the read that granted it
}

// errContradiction: two independent reads of the forge disagree, so neither is
// believed.
var errContradiction = errors.New("two independent reads of the forge disagree")

// maxOutsiders bounds the lists that one confirmation reads; more losses than
// that among people outside every team wait for an operator.
const maxOutsiders = 25

// confirm asks a second, independent source about losses. It returns an error
// that wraps errContradiction when that source says otherwise.
//
// On a forge with teams the source is the team model, which is read through
// other calls than an audience or a user's list: a loss agrees with it when no
// team grants the access. People in no team at all were collaborators; theirs
// are looked up in their own lists. Elsewhere the read itself is repeated by
// the caller.
func (e *Engine) confirm(ctx context.Context, p *provider, l syncqueue.Lease, losses []loss) error {
	tf, ok := p.Forge.(providers.TeamForge)
	if !ok || len(losses) == 0 || l.Job.Force {
		return nil
	}
	byOrg := map[string][]loss{}
	for _, x := range losses {
		byOrg[x.repo.Org.ID] = append(byOrg[x.repo.Org.ID], x)
	}
	outsiders := map[string][]loss{}
	for _, lost := range byOrg {
		org := lost[0].repo.Org
		if org.Personal {
			for _, x := range lost {
				outsiders[x.user.ID] = append(outsiders[x.user.ID], x)
			}
			continue
		}
		var newest uint64
		for _, x := range lost {
			newest = max(newest, x.read)
		}
		m, _, err := p.models.get(ctx, tf, org, l.Fence, newest+1)
		switch {
		case errors.Is(err, providers.ErrNotFound):
			// The organization is gone or its owner is a person: no team speaks for anybody.
			m = providers.Model{}
		case err != nil:
			return fmt.Errorf("confirming a loss in %s: %w", org.Name, err)
		}
		gone := map[string]bool{}
		for _, x := range lost {
			if g := grants(m, x.user.ID, x.repo.ID); g > providers.None && !gone[x.repo.ID] {
				// A team that reaches everything also "reaches" what left the organization.
				left, err := e.left(ctx, p, x.repo)
				if err != nil {
					return err
				}
				if !left {
					return fmt.Errorf("%s lost %s, but a team grants %s: %w", x.user.Login, x.repo.Path, g, errContradiction)
				}
				gone[x.repo.ID] = true
			}
			if !belongs(m, x.user.ID) && l.Job.Kind == syncqueue.KindRepo {
				outsiders[x.user.ID] = append(outsiders[x.user.ID], x)
			}
		}
	}
	return e.confirmOutsiders(ctx, p, outsiders)
}

// left reports whether r is proven to be deleted or to belong to somebody else
// now.
func (e *Engine) left(ctx context.Context, p *provider, r providers.Repo) (bool, error) {
	now, err := p.Forge.Repo(ctx, r.ID)
	if errors.Is(err, providers.ErrNotFound) {
		return true, e.prove(ctx, p, r.Org)
	}
	if err != nil {
		return false, err
	}
	return now.Org.ID != r.Org.ID, nil
}

// prove returns nil if the forge shows hookd's token what org keeps to itself,
// so that a 404 about something of org means that it is not there.
func (e *Engine) prove(ctx context.Context, p *provider, org providers.Org) error {
	pr, ok := p.Forge.(providers.Prover)
	if !ok {
		return nil
	}
	if err := pr.Prove(ctx, org); err != nil {
		return fmt.Errorf("a 404 proves nothing while %s cannot be read: %w", org.Name, err)
	}
	return nil
}

// confirmOutsiders looks into the own lists of people whose access no team can
// explain.
func (e *Engine) confirmOutsiders(ctx context.Context, p *provider, outsiders map[string][]loss) error {
	if len(outsiders) > maxOutsiders {
		return fmt.Errorf("%d people outside every team would lose access at once: %w", len(outsiders), errContradiction)
	}
	for _, lost := range outsiders {
		list, err := collect(p.Forge.UserAccess(ctx, lost[0].user))
		if errors.Is(err, providers.ErrNotFound) {
			continue // the user himself is gone
		}
		if err != nil {
			return fmt.Errorf("confirming a loss of %s: %w", lost[0].user.Login, err)
		}
		for _, a := range list {
			for _, x := range lost {
				if a.Repo.ID == x.repo.ID {
					return fmt.Errorf("%s is still in the list of %s: %w", x.repo.Path, x.user.Login, errContradiction)
				}
			}
		}
	}
	return nil
}

// lostBy returns the holders of a column who are not among the members.
func lostBy(col storage.Column, members []storage.Member) []loss {
	still := make(map[string]bool, len(members))
	for _, m := range members {
		still[m.User.ID] = true
	}
	var out []loss
	for _, h := range col.Holders {
		if h.Cell.Permission > providers.None && !still[h.User.ID] {
			out = append(out, loss{user: h.User, repo: col.Repo, read: h.Cell.Read})
		}
	}
	return out
}

// missing returns the holdings, among those that in selects, that are not in
// the list.
func missing(h storage.Holdings, list []providers.Access, in func(providers.Repo) bool) []loss {
	still := make(map[string]bool, len(list))
	for _, a := range list {
		if a.Permission > providers.None {
			still[a.Repo.ID] = true
		}
	}
	var out []loss
	for _, c := range h.Cells {
		if c.Permission > providers.None && !still[c.Repo.ID] && in(c.Repo) {
			out = append(out, loss{user: h.User, repo: c.Repo, read: c.Read})
		}
	}
	return out
}
