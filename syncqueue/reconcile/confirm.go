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

// maxOutsiders bounds the lists that one confirmation reads; more losses than
// that among people outside every team wait for an operator.
const maxOutsiders = 25

// insiderSample is how many members who lose one repository are looked up in
// their own lists: when a team lost it there may be hundreds.
const insiderSample = 3

// confirm asks a second, independent source about losses. It returns an error
// that wraps errContradiction when that source says otherwise.
//
// On a forge with teams the source is the team model, which is read through
// other calls than an audience or a user's list: a loss agrees with it when no
// team grants the access. People in no team at all were collaborators: they are
// looked up in their own lists and among the collaborators. That somebody lost
// one repository is asked of the repository, where its audience is not computed
// from the teams.
func (e *Engine) confirm(ctx context.Context, p *provider, l syncqueue.Lease, losses []loss) error {
	tf, ok := p.Forge.(providers.TeamForge)
	if !ok || len(losses) == 0 || l.Job.Force {
		return nil
	}
	if _, computed := p.Forge.(providers.ModelForge); !computed && l.Job.Kind == syncqueue.KindMember && l.Job.Within.Kind == providers.SubjectRepo {
		return e.confirmByAudience(ctx, p, losses)
	}
	byOrg := map[string][]loss{}
	for _, x := range losses {
		byOrg[x.repo.Org.ID] = append(byOrg[x.repo.Org.ID], x)
	}
	outsiders, insiders := map[string][]loss{}, map[string][]loss{}
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
		m, read, err := e.teams(ctx, p, tf, l, org, newest+1)
		if err != nil {
			return err
		}
		if read < l.Fence && slices.ContainsFunc(lost, func(x loss) bool { return grants(m, x.user.ID, x.repo.ID) > providers.None }) {
			// The teams may have been read before the access was lost.
			if m, _, err = e.teams(ctx, p, tf, l, org, l.Fence); err != nil {
				return err
			}
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
			switch {
			case !belongs(m, x.user.ID):
				outsiders[x.user.ID] = append(outsiders[x.user.ID], x)
			case l.Job.Kind == syncqueue.KindRepo && len(insiders) < insiderSample:
				// He may have collaborated beside his teams: some own lists tell.
				insiders[x.user.ID] = append(insiders[x.user.ID], x)
			}
		}
	}
	for _, lost := range insiders {
		if err := e.confirmByList(ctx, p, l, lost); err != nil {
			return err
		}
	}
	return e.confirmOutsiders(ctx, p, l, outsiders)
}

// confirmOutsiders looks into the own lists of people whose access no team can
// explain, and, where it was such a list that lacked a repository, among the
// repository's collaborators.
func (e *Engine) confirmOutsiders(ctx context.Context, p *provider, l syncqueue.Lease, outsiders map[string][]loss) error {
	if len(outsiders) > maxOutsiders {
		return fmt.Errorf("%d people outside every team would lose access at once: %w", len(outsiders), errContradiction)
	}
	for _, lost := range outsiders {
		if err := e.confirmByList(ctx, p, l, lost); err != nil {
			return err
		}
		if l.Job.Kind == syncqueue.KindRepo {
			continue
		}
		if err := e.confirmByCollaborators(ctx, p, lost); err != nil {
			return err
		}
	}
	return nil
}

// confirmByAudience lists everybody who has the repositories, where the forge
// does so by itself: for the one repository that a collaborator lost that is
// cheaper than all teams.
func (e *Engine) confirmByAudience(ctx context.Context, p *provider, losses []loss) error {
	for _, x := range losses {
		list, err := collect(p.Forge.RepoAccess(ctx, x.repo))
		if errors.Is(err, providers.ErrNotFound) {
			err = e.prove(ctx, p, x.repo.Org)
		}
		if err != nil {
			return fmt.Errorf("confirming a loss of %s: %w", x.user.Login, err)
		}
		for _, a := range list {
			if a.User.ID == x.user.ID && a.Permission > providers.None {
				return fmt.Errorf("%s still has %s: %w", x.user.Login, x.repo.Path, errContradiction)
			}
		}
	}
	return nil
}

// confirmByList reads the own list of the one user that lost is about, whose
// length must agree with what the forge counts.
func (e *Engine) confirmByList(ctx context.Context, p *provider, l syncqueue.Lease, lost []loss) error {
	u := lost[0].user
	list, err := collect(p.Forge.UserAccess(ctx, u))
	if errors.Is(err, providers.ErrNotFound) {
		return nil // the user himself is gone
	}
	if err != nil {
		return fmt.Errorf("confirming a loss of %s: %w", u.Login, err)
	}
	if c, ok := p.Forge.(providers.Counter); ok {
		n, err := c.Count(ctx, u)
		if err != nil {
			return fmt.Errorf("confirming a loss of %s: %w", u.Login, err)
		}
		if n != len(list) {
			return fmt.Errorf("the list of %s has %d repositories, but the forge counts %d: %w", u.Login, len(list), n, errContradiction)
		}
	}
	if len(list) == 0 && l.Job.Kind == syncqueue.KindRepo { // of a list that his own job reads, that one asks so
		h, err := e.cfg.Store.Holdings(ctx, p.Name, u.ID)
		if err != nil && !errors.Is(err, storage.ErrUnknown) {
			return err
		}
		others := missing(h, nil, func(r providers.Repo) bool { return r.ID != lost[0].repo.ID })
		return e.confirmNothing(ctx, p, append(slices.Clip(lost), others...))
	}
	for _, a := range list {
		for _, x := range lost {
			if a.Repo.ID == x.repo.ID && a.Permission > providers.None {
				return fmt.Errorf("%s is still in the list of %s: %w", x.repo.Path, u.Login, errContradiction)
			}
		}
	}
	return nil
}

func (e *Engine) confirmByCollaborators(ctx context.Context, p *provider, lost []loss) error {
	cf, ok := p.Forge.(providers.CollaboratorForge)
	if !ok {
		return nil
	}
	// A leaver may lose a thousand: his own list, its count and the teams agree
	// already, so some of the repositories are enough.
	for _, x := range lost[:min(len(lost), maxOutsiders)] {
		list, err := collect(cf.Collaborators(ctx, x.repo))
		if errors.Is(err, providers.ErrNotFound) {
			continue // the repository is gone
		}
		if errors.Is(err, providers.ErrForbidden) {
			if e.withheld(ctx, p, x.repo) {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("confirming a loss of %s: %w", x.user.Login, err)
		}
		if !slices.ContainsFunc(list, func(a providers.Access) bool { return a.User.ID == x.user.ID }) {
			continue
		}
		// Not every grant puts a repository into somebody's list: on Gitea
		// reading a public one does not.
		still, err := e.grants(ctx, p, x)
		if err != nil {
			return fmt.Errorf("confirming a loss of %s: %w", x.user.Login, err)
		}
		if still {
			return fmt.Errorf("%s still collaborates on %s: %w", x.user.Login, x.repo.Path, errContradiction)
		}
	}
	return nil
}

// grants reports whether the forge, asked about that alone, still grants what is
// lost. What is gone is not granted, nor what its new owner withholds.
func (e *Engine) grants(ctx context.Context, p *provider, x loss) (bool, error) {
	all, err := collect(p.Forge.ScopeAccess(ctx, x.user, syncqueue.RepoSubject(x.repo)))
	if errors.Is(err, providers.ErrNotFound) || errors.Is(err, providers.ErrForbidden) && e.withheld(ctx, p, x.repo) {
		return false, nil
	}
	return slices.ContainsFunc(all, func(a providers.Access) bool { return a.Permission > providers.None }), err
}
