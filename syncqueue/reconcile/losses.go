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

// errShrinks: the answer is complete and confirmed, but so much smaller than
// what was known that an operator has to say that it is meant.
var errShrinks = errors.New("the answer is much smaller than before")

// teams returns the model of org, read under a fence of at least atLeast. No
// team speaks for anybody where the organization is gone or is a person, or is
// none of ours and shows its teams to its own people.
func (e *Engine) teams(ctx context.Context, p *provider, tf providers.TeamForge, l syncqueue.Lease, org providers.Org, atLeast uint64) (providers.Model, uint64, error) {
	m, read, err := p.models.get(ctx, tf, org, l.Fence, atLeast)
	switch {
	case errors.Is(err, providers.ErrNotFound), errors.Is(err, providers.ErrForbidden) && !p.Orgs.Has(org):
		return providers.Model{}, l.Fence, nil
	case err != nil:
		return m, 0, fmt.Errorf("confirming a loss in %s: %w", org.Name, err)
	}
	return m, read, nil
}

// guard returns an error that wraps errShrinks when the losses of one user are
// more than the shrink guard allows and he is still in a team of the
// organizations where they are: whoever left altogether explains his losses.
func (e *Engine) guard(p *provider, have int, lost []loss) error {
	unexplained := 0
	for _, x := range lost {
		if k := p.models.of(x.repo.Org.ID); !k.knows() || k.has(x.user.ID) {
			unexplained++
		}
	}
	if e.cfg.Guard.Shrinks(have, have-unexplained) {
		return fmt.Errorf("%s would keep %d of %d repositories: %w", lost[0].user.Login, have-unexplained, have, errShrinks)
	}
	return nil
}

// left reports whether r is proven to be deleted or to belong to somebody else
// now.
func (e *Engine) left(ctx context.Context, p *provider, r providers.Repo) (bool, error) {
	now, gone, err := e.find(ctx, p, r)
	return gone || err == nil && now.Org.ID != r.Org.ID, err
}

// find returns r as it is now, or that it is proven to be deleted.
func (e *Engine) find(ctx context.Context, p *provider, r providers.Repo) (now providers.Repo, gone bool, err error) {
	now, err = p.Forge.Repo(ctx, r.ID)
	if errors.Is(err, providers.ErrNotFound) {
		return now, true, e.prove(ctx, p, r.Org)
	}
	return now, false, err
}

// withheld reports whether it is because r belongs to somebody else, as was known
// before or is found now, that hookd's token is refused who has it: he shows that
// to his own people. What else agrees on a loss is enough then.
func (e *Engine) withheld(ctx context.Context, p *provider, r providers.Repo) bool {
	if !p.Orgs.Has(r.Org) {
		return true
	}
	left, err := e.left(ctx, p, r)
	return err == nil && left
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
