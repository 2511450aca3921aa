package providers

import (
	"strings"
	"sync"
)

// An OrgSet is the set of organizations that a provider entry is responsible
// for. Names come from the configuration; ids are learnt once, so that a
// renamed organization stays ours and a stranger who takes the old name does
// not become it. It is safe for concurrent use.
//
// On GitLab a name is also a path prefix: "acme" covers "acme/sub/x". The
// names of other forges have no slash.
type OrgSet struct {
	mu     sync.RWMutex
	all    bool
	names  map[string]string // folded name -> id, "" until learnt
	ids    map[string]bool
	within map[string]string // id of what lies inside one of ours -> id of that one
}

// NewOrgSet returns the set of the given names; "*" stands for all.
func NewOrgSet(names ...string) *OrgSet {
	s := &OrgSet{names: map[string]string{}, ids: map[string]bool{}, within: map[string]string{}}
	for _, n := range names {
		if n == "*" {
			s.all = true
			continue
		}
		s.names[Fold(n)] = ""
	}
	return s
}

// All reports whether every organization is in the set.
func (s *OrgSet) All() bool { return s.all }

// Learn ties a configured name to the id it had when it was first resolved.
// A name that is not configured is what an organization of ours is called now.
func (s *OrgSet) Learn(name, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[Fold(name)] = id
	s.ids[id] = true
}

// Within says which organizations lie inside the one whose id is outer, as
// nested groups do; it replaces what was said of it before. An event may name
// such a one by its id and the last part of its path alone, which no prefix
// can tell.
func (s *OrgSet) Within(outer string, ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, in := range s.within {
		if in == outer {
			delete(s.within, id)
		}
	}
	for _, id := range ids {
		s.within[id] = outer
	}
}

// Is reports whether o itself is in the set: by id where the id is known, else
// by case-folded name.
func (s *OrgSet) Is(o Org) bool {
	if s.all {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.is(o)
}

// Has reports whether o is in the set or lies inside an organization that is.
// Of the latter it cannot be sure after an organization was renamed and a
// stranger took its name, which is good enough for hints: whatever they lead
// to is read from the forge with its owner.
func (s *OrgSet) Has(o Org) bool {
	if s.all {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.is(o) || s.inside(o)
}

func (s *OrgSet) is(o Org) bool {
	if o.ID != "" && s.ids[o.ID] {
		return true
	}
	id, ok := s.names[Fold(o.Name)]
	return ok && (id == "" || o.ID == "")
}

func (s *OrgSet) inside(o Org) bool {
	if o.ID != "" && s.within[o.ID] != "" {
		return true
	}
	for name := Fold(o.Name); ; {
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return false
		}
		name = name[:i]
		if _, ok := s.names[name]; ok {
			return true
		}
	}
}
