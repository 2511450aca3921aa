package gitlab

import (
	"sync"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"
)

// sharing remembers which groups each project is shared with and who is in those
// groups, each from the read that began last.
type sharing struct {
	mu       sync.Mutex
	reads    uint64
	projects map[int64]sharedProject
	groups   map[int64]sharedGroup
}

type sharedProject struct {
	read uint64
	with []share
}

type sharedGroup struct {
	read    uint64
	members map[int64]*member
	// beyond are those of them whom a project that is shared with the group left
	// out: they are in it because it is shared with a group of theirs.
	beyond map[int64]bool
}

// begin numbers a read. It comes before the request.
func (s *sharing) begin() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	return s.reads
}

func (s *sharing) putProjects(read uint64, projects ...*sdk.Project) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.projects == nil {
		s.projects = map[int64]sharedProject{}
	}
	for _, p := range projects {
		if s.projects[p.ID].read < read {
			s.projects[p.ID] = sharedProject{read, sharesOf(p)}
		}
	}
}

func (s *sharing) putGroup(read uint64, group int64, rows []*member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.groups[group]
	if was.read >= read {
		return
	}
	now := sharedGroup{read: read, members: map[int64]*member{}, beyond: map[int64]bool{}}
	for _, m := range best(rows) {
		now.members[m.ID] = m
		if was.beyond[m.ID] {
			now.beyond[m.ID] = true
		}
	}
	if s.groups == nil {
		s.groups = map[int64]sharedGroup{}
	}
	s.groups[group] = now
}

// recall returns those whom the list of a project's members left out. It is false
// if memory cannot tell: of somebody who was never left out before, it may be that
// he is in the group no more, or that the share has ended.
func (s *sharing) recall(project int64, listed map[int64]bool) ([]*member, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.projects[project]
	var left []*member
	for _, share := range p.with {
		g, ok := s.groups[share.group]
		if !ok {
			return nil, false
		}
		for id, m := range g.members {
			switch {
			case listed[id]:
			case !g.beyond[id]:
				return nil, false
			default:
				left = append(left, m.upTo(share.level))
			}
		}
	}
	return left, known
}

// leftOut notes who of a group is not listed, after it was read.
func (s *sharing) leftOut(with share, listed map[int64]bool) []*member {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[with.group]
	var left []*member
	for id, m := range g.members {
		if !listed[id] {
			g.beyond[id] = true
			left = append(left, m.upTo(with.level))
		}
	}
	return left
}
