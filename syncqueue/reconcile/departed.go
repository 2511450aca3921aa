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

// leaversAtOnce is how many people may leave within a spell: more than that go
// together only if something went wrong.
const (
	leaversAtOnce = 5
	spell         = time.Hour
)

// left reports whether a user who held something holds nothing any more.
func left(h storage.Holdings) bool {
	return h.Complete && len(h.Cells) > 0 && !slices.ContainsFunc(h.Cells, func(c storage.Cell) bool { return c.Permission > providers.None })
}

// departed asks the forge whether a user belongs to no configured organization
// and holds nothing there. It returns what speaks against it, "" if nothing
// does.
func (e *Engine) departed(ctx context.Context, p *provider, u providers.User) (why string, err error) {
	if p.Orgs.All() {
		return "every organization is configured, and nobody leaves them all", nil
	}
	orgs, err := e.learnt(ctx, p)
	if err != nil {
		return "", err
	}
	for _, name := range p.Names {
		org, ok := orgs[providers.Fold(name)]
		if !ok {
			return "the forge does not know the organization " + name, nil
		}
		members, err := collect(p.Forge.Members(ctx, syncqueue.OrgSubject(org)))
		switch {
		case err != nil:
			return "", fmt.Errorf("whether he left %s: %w", org.Name, err)
		case len(members) == 0:
			return "the forge names no member of " + org.Name + " at all", nil
		case slices.ContainsFunc(members, func(m providers.User) bool { return m.ID == u.ID }):
			return "he is a member of " + org.Name, nil
		}
	}
	switch now, err := p.Forge.User(ctx, u.Login); {
	case errors.Is(err, providers.ErrNotFound): // his list, which his id leads to, tells
	case err != nil:
		return "", fmt.Errorf("whether he is still there: %w", err)
	case now.ID != u.ID:
		return "the name " + u.Login + " belongs to somebody else now", nil
	}
	list, err := collect(p.Forge.UserAccess(ctx, u))
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("whether he holds anything: %w", err)
	}
	for _, a := range list {
		if a.Permission > providers.None && p.Orgs.Has(a.Repo.Org) {
			return "he still has " + a.Repo.Path, nil
		}
	}
	return "", nil
}

// leavers counts who left within the last spell, or before and is not dealt
// with, up to one too many.
func (e *Engine) leavers(ctx context.Context, p *provider, t Target) (n int, err error) {
	all, err := e.users(ctx, storage.UserQuery{Provider: p.Name})
	if err != nil {
		return 0, err
	}
	for _, u := range all {
		if u.Repos > 0 || !u.Complete || u.Version == 0 {
			continue
		}
		var was storage.Departure
		if err := e.load(ctx, storage.DepartureKey(t.Name, p.Name, u.User.ID), &was); err != nil {
			return 0, err
		}
		switch was.State {
		case "":
			if u.Targets[t.Name].Version == u.Version {
				continue
			}
		case storage.Departing, storage.Held:
		default:
			if e.cfg.Now().Sub(was.At) > spell {
				continue
			}
		}
		if n++; n > leaversAtOnce {
			return n, nil
		}
	}
	return n, nil
}
