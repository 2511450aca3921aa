package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// nothingSample is how many repositories are asked about one user when an answer
// says that he has none at all.
const nothingSample = 2

// confirmNothing asks about some of the repositories that one user lost, each by
// itself, where the answer says that he has none: lists that are empty by a fault
// are so for the teams and the collaborators too, and agree.
func (e *Engine) confirmNothing(ctx context.Context, p *provider, lost []loss) error {
	n := min(len(lost), nothingSample)
	for i := range n {
		x := lost[i*len(lost)/n]
		still, err := e.grants(ctx, p, x)
		if err != nil {
			return fmt.Errorf("confirming that %s has nothing: %w", x.user.Login, err)
		}
		if still {
			return fmt.Errorf("%s has nothing, but %s is his: %w", x.user.Login, x.repo.Path, errContradiction)
		}
	}
	var doubt error
	for _, x := range lost[:min(len(lost), maxGone)] {
		if doubt = e.confirmLists(ctx, p, x); !errors.Is(doubt, errContradiction) {
			return doubt
		}
		// Of what is deleted nobody has anything left: the next one has to tell.
		if _, gone, err := e.find(ctx, p, x.repo); err != nil || !gone {
			return cmp.Or(err, doubt)
		}
	}
	if len(lost) > maxGone {
		return doubt
	}
	return nil
}

// maxGone is how many deleted repositories are passed over in the search for one
// that people still have.
const maxGone = 25

// maxWitnesses is how many people are asked about for one who has a list.
const maxWitnesses = 3

// confirmLists fails if the forge counts nothing for those either who keep what
// one user lost. Asked about him alone a forge may know nothing: to a site
// administrator Gitea grants everything, whatever else he has.
func (e *Engine) confirmLists(ctx context.Context, p *provider, x loss) error {
	c, ok := p.Forge.(providers.Counter)
	if !ok {
		return nil
	}
	col, err := e.cfg.Store.Repo(ctx, p.Name, x.repo.ID)
	if errors.Is(err, storage.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	// An owner, if there is one, is the least likely to have lost everything.
	slices.SortStableFunc(col.Holders, func(a, b storage.Holder) int { return cmp.Compare(b.Cell.Permission, a.Cell.Permission) })
	asked := 0
	for _, h := range col.Holders {
		if h.User.ID == x.user.ID || h.Cell.Permission == providers.None {
			continue
		}
		n, err := c.Count(ctx, h.User)
		switch {
		case errors.Is(err, providers.ErrNotFound): // he is gone
			continue
		case err != nil:
			return fmt.Errorf("confirming that %s has nothing: %w", x.user.Login, err)
		case n > 0:
			return nil
		}
		if asked++; asked == maxWitnesses {
			break
		}
	}
	if asked > 0 {
		return fmt.Errorf("%s has nothing, but neither has anybody else who had %s: %w", x.user.Login, x.repo.Path, errContradiction)
	}
	return nil
}

// confirmCount fails if the forge counts nothing at all in the list of somebody
// who holds more than what he lost. It reports whether that was to be asked.
func (e *Engine) confirmCount(ctx context.Context, p *provider, x loss) (bool, error) {
	c, ok := p.Forge.(providers.Counter)
	if !ok {
		return false, nil
	}
	h, err := e.cfg.Store.Holdings(ctx, p.Name, x.user.ID)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		return false, err
	}
	others := missing(h, nil, func(r providers.Repo) bool { return r.ID != x.repo.ID })
	if len(others) == 0 {
		return false, nil
	}
	n, err := c.Count(ctx, x.user)
	switch {
	case errors.Is(err, providers.ErrNotFound): // he is gone
		return true, nil
	case err != nil:
		return true, fmt.Errorf("confirming a loss of %s: %w", x.user.Login, err)
	case n == 0:
		return true, e.confirmNothing(ctx, p, append([]loss{x}, others...))
	}
	return true, nil
}
