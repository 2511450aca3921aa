package providers

import "sync"

// An OrgSet is the set of organizations that a provider entry is responsible
// for. Names come from the configuration; ids are learnt once, so that a
// renamed organization stays ours and a stranger who takes the old name does
// not become it. It is safe for concurrent use.
type OrgSet struct {
	mu    sync.RWMutex
	all   bool
	names map[string]string // folded name -> id, "" until learnt
	ids   map[string]bool
}

// NewOrgSet returns the set of the given names; "*" stands for all.
func NewOrgSet(names ...string) *OrgSet {
	s := &OrgSet{names: map[string]string{}, ids: map[string]bool{}}
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
func (s *OrgSet) Learn(name, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[Fold(name)] = id
	s.ids[id] = true
}

// Has reports whether o is in the set: by id where the id is known, else by
// case-folded name.
func (s *OrgSet) Has(o Org) bool {
	if s.all {
		return true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o.ID != "" && s.ids[o.ID] {
		return true
	}
	id, ok := s.names[Fold(o.Name)]
	return ok && (id == "" || o.ID == "")
}
