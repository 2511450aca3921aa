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
	users, err := e.people(ctx, m.p)
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
	m.is.Collaborators, m.is.Counts = make(map[string]string, len(repos)), nil
	for _, r := range repos {
		list, err := collect(cf.Collaborators(ctx, r))
		if errors.Is(err, providers.ErrNotFound) {
			m.jobs = append(m.jobs, syncqueue.RepoJob(m.p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
			continue
		}
		if err != nil {
			return err
		}
		m.is.Collaborators[r.ID] = digest(list)
		if before, ok := m.was.Collaborators[r.ID]; ok && before != m.is.Collaborators[r.ID] {
			m.jobs = append(m.jobs, saw(syncqueue.RepoJob(m.p.Name, r, syncqueue.LaneRemoval, e.cfg.Now()), "its collaborators changed"))
		}
	}
	return nil
}

func (e *Engine) pollCounts(ctx context.Context, m *membersPoll, cf providers.Counter, users []providers.User) error {
	m.is.Counts, m.is.Collaborators = make(map[string]int, len(users)), nil
	for _, u := range users {
		n, err := cf.Count(ctx, u)
		if errors.Is(err, providers.ErrNotFound) {
			n = -1 // renamed or gone: his own job finds out
		} else if err != nil {
			return err
		}
		m.is.Counts[u.ID] = n
		if before, ok := m.was.Counts[u.ID]; ok && before != n {
			why := fmt.Sprintf("the length of his list went from %d to %d", before, n)
			m.jobs = append(m.jobs, saw(syncqueue.UserJob(m.p.Name, u, laneOf(n < before), e.cfg.Now()), why))
		}
	}
	return nil
}

// people returns every user of the catalogue.
func (e *Engine) people(ctx context.Context, p *provider) ([]providers.User, error) {
	var out []providers.User
	cursor := ""
	for {
		rows, next, err := e.cfg.Store.Users(ctx, storage.UserQuery{Provider: p.Name}, cursor, 500)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, r.User)
		}
		if next == "" {
			return out, nil
		}
		cursor = next
	}
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
