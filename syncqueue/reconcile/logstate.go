package reconcile

import (
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// A LogState is how reading an organization's delivery log goes.
type LogState struct {
	Org      string
	Readable bool
	Note     string    // why not, or what the last reading left open
	ReadAt   time.Time // zero if it never was since the start
	Fetched  int       // deliveries since the start
}

// logStates are a provider's, by the organization's id. The zero value works.
type logStates struct {
	mu    sync.Mutex
	byOrg map[string]LogState
}

// change replaces a state and returns what it was.
func (s *logStates) change(org string, f func(*LogState)) (was, is LogState, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byOrg == nil {
		s.byOrg = map[string]LogState{}
	}
	was, known = s.byOrg[org]
	is = was
	f(&is)
	s.byOrg[org] = is
	return was, is, known
}

// DeliveryLogs tells how reading a provider's delivery logs goes, by
// organization; nothing before the first reading.
func (e *Engine) DeliveryLogs(provider string) []LogState {
	p := e.providers[provider]
	if p == nil {
		return nil
	}
	p.logged.mu.Lock()
	defer p.logged.mu.Unlock()
	all := make([]LogState, 0, len(p.logged.byOrg))
	for _, s := range p.logged.byOrg {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b LogState) int { return compareNames(a.Org, b.Org) })
	return all
}

// unreadable says once why a log cannot be read.
func (e *Engine) unreadable(p *provider, org providers.Org, why string) {
	was, _, known := p.logged.change(org.ID, func(s *LogState) { s.Org, s.Readable, s.Note = org.Name, false, why })
	if !known || was.Readable || was.Note != why {
		e.cfg.Log.Warn("what never arrives cannot be fetched from the forge; polls and sweeps find it", "provider", p.Name, "org", org.Name, "why", why)
	}
}

// readable notes a reading, and says what it found if that was anything.
func (e *Engine) readable(p *provider, org providers.Org, b Backfill, now time.Time) {
	was, _, known := p.logged.change(org.ID, func(s *LogState) {
		s.Org, s.Readable, s.Note, s.ReadAt = org.Name, true, b.Note, now
		s.Fetched += b.Fetched
	})
	switch {
	case b.Missed > 0:
		e.cfg.Log.Info("fetched what never arrived", "provider", p.Name, "org", org.Name, "missed", b.Missed, "fetched", b.Fetched, "known", b.Known, "complete", b.Complete)
	case known && !was.Readable:
		e.cfg.Log.Info("the delivery log can be read", "provider", p.Name, "org", org.Name)
	}
}
