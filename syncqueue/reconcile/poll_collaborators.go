package reconcile

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// pollCollaborators looks for changes among direct collaborators: exactly, by
// listing each repository's, where the repositories are not many more than the
// people; else by the size of each person's own list, which also shows what
// teams did, but not an exchange of one repository for another. The sweep
// finds those.
func (e *Engine) pollCollaborators(ctx context.Context, m *membersPoll) error {
	if !m.coverage.Polls(inCollaborators...) {
		return nil
	}
	repos, err := e.known(ctx, m.p, m.org)
	if err != nil {
		return err
	}
	users, err := e.users(ctx, storage.UserQuery{Provider: m.p.Name})
	if err != nil {
		return err
	}
	if cf, ok := m.p.Forge.(providers.CollaboratorForge); ok && len(repos) <= len(users)+100 {
		return e.pollRepoCollaborators(ctx, m, cf, repos)
	}
	if cf, ok := m.p.Forge.(providers.Counter); ok {
		return e.pollCounts(ctx, m, cf, users)
	}
	return nil
}

func (e *Engine) pollRepoCollaborators(ctx context.Context, m *membersPoll, cf providers.CollaboratorForge, repos []providers.Repo) error {
	m.is.Collaborators, m.is.Beyond = make(map[string]string, len(repos)), nil
	for _, r := range repos {
		list, err := collect(cf.Collaborators(ctx, r))
		if errors.Is(err, providers.ErrNotFound) {
			m.jobs = append(m.jobs, syncqueue.RepoJob(m.p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
			continue
		}
		if errors.Is(err, providers.ErrForbidden) {
			// One that was moved away shows them to others; it must not stop the poll of all.
			if e.withheld(ctx, m.p, r) {
				m.jobs = append(m.jobs, syncqueue.RepoJob(m.p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
				continue
			}
		}
		if err != nil {
			return err
		}
		m.is.Collaborators[r.ID] = digest(list)
		before, looked := m.was.Collaborators[r.ID]
		changed := looked && before != m.is.Collaborators[r.ID]
		if !looked {
			// He may have come after its audience was read, and before this.
			if changed, err = e.unheldBy(ctx, m.p, r, list); err != nil {
				return err
			}
		}
		if changed {
			m.jobs = append(m.jobs, saw(syncqueue.RepoJob(m.p.Name, r, syncqueue.LaneRemoval, e.cfg.Now()), "its collaborators changed"))
		}
	}
	return nil
}

// unheldBy reports whether somebody among those listed does not hold r.
func (e *Engine) unheldBy(ctx context.Context, p *provider, r providers.Repo, list []providers.Access) (bool, error) {
	col, err := e.cfg.Store.Repo(ctx, p.Name, r.ID)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		return false, err
	}
	holds := map[string]bool{}
	for _, h := range col.Holders {
		holds[h.User.ID] = h.Cell.Permission > providers.None
	}
	return slices.ContainsFunc(list, func(a providers.Access) bool { return a.Permission > providers.None && !holds[a.User.ID] }), nil
}

// pollCounts compares how much each list is longer than the catalogue has it
// with what it was at the poll before: what is known already makes no
// difference. Where many differ at once, some repository of theirs is most
// likely on its way into the catalogue. Only if the next poll finds so too, the
// organization is read.
func (e *Engine) pollCounts(ctx context.Context, m *membersPoll, cf providers.Counter, users []storage.UserRow) error {
	var jobs []syncqueue.Job
	m.is.Beyond, m.is.Crowd, m.is.Collaborators = make(map[string]int, len(users)), false, nil
	for _, r := range users {
		n, err := cf.Count(ctx, r.User)
		if errors.Is(err, providers.ErrNotFound) {
			n = -1 // renamed or gone: his own job finds out
		} else if err != nil {
			return err
		}
		beyond := n - r.Repos
		m.is.Beyond[r.User.ID] = beyond
		if before, ok := m.was.Beyond[r.User.ID]; ok && before != beyond {
			why := fmt.Sprintf("his list has %d repositories, %d are known", n, r.Repos)
			jobs = append(jobs, saw(syncqueue.UserJob(m.p.Name, r.User, laneOf(beyond < before), e.cfg.Now()), why))
		}
	}
	switch {
	case len(jobs) <= scopeAbove:
		m.jobs = append(m.jobs, jobs...)
	case m.was.Crowd:
		m.jobs = append(m.jobs, e.pass(m.p, m.org, fmt.Sprintf("the lists of %d people are not as known", len(jobs))))
	default:
		m.is.Beyond, m.is.Crowd = m.was.Beyond, true
	}
	return nil
}

// digest stands for a set of accesses, whatever their order.
func digest(list []providers.Access) string {
	lines := make([]string, 0, len(list))
	for _, a := range list {
		lines = append(lines, a.User.ID+"="+a.Permission.String())
	}
	slices.Sort(lines)
	h := fnv.New64a()
	for _, line := range lines {
		h.Write([]byte(line))
		h.Write([]byte{0})
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
