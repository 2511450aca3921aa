package handlers

import (
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
)

// ProviderCoverage is how hookd hears of a provider's changes.
type ProviderCoverage struct {
	Provider  string
	Kind      string
	Coverage  providers.Coverage
	Seen      bool // a delivery showed which hook there is
	Members   time.Duration
	Repos     time.Duration
	Reconcile time.Duration // the bound for whatever went unheard
}

type coverageView struct {
	Provider  string       `json:"provider"`
	Kind      string       `json:"kind"`
	Hook      string       `json:"hook"`
	HookSeen  bool         `json:"hook_seen"`
	Reconcile string       `json:"reconcile"`
	Changes   []changeView `json:"changes"`
}

type changeView struct {
	Change   string   `json:"change"`
	Coverage string   `json:"coverage"`
	Events   []string `json:"events"`
	Poll     *string  `json:"poll"`
	Within   *float64 `json:"within_seconds"`
	Note     string   `json:"note,omitempty"`
}

// coverage tells of each provider which change arrives as an event, which is
// polled and which is only reconciled.
func (s *api) coverage(w http.ResponseWriter, r *http.Request) {
	all, err := s.Desk.Coverage(r.Context())
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	items := make([]coverageView, len(all))
	for i, p := range all {
		items[i] = p.view()
	}
	writePageOf(w, r, s.Log, items)
}

func (p ProviderCoverage) view() coverageView {
	v := coverageView{
		Provider: p.Provider, Kind: p.Kind, Hook: string(p.Coverage.Hook), HookSeen: p.Seen,
		Reconcile: p.Reconcile.String(), Changes: make([]changeView, len(p.Coverage.Rows)),
	}
	for i, h := range p.Coverage.Rows {
		c := changeView{Change: string(h.Change), Coverage: string(h.By), Events: h.Events, Note: h.Note}
		if c.Events == nil {
			c.Events = []string{}
		}
		if h.By == providers.ByPoll {
			poll := string(h.Poll)
			c.Poll = &poll
		}
		if d, ok := p.bound(h); ok {
			seconds := d.Seconds()
			c.Within = &seconds
		}
		v.Changes[i] = c
	}
	return v
}

// bound is how late hookd may hear of a change; ok is false where that is up
// to the forge, which announces it.
func (p ProviderCoverage) bound(h providers.Heard) (d time.Duration, ok bool) {
	switch {
	case h.By == providers.Reconciled:
		return p.Reconcile, true
	case h.By == providers.ByPoll && h.Poll == providers.PollRepos:
		return p.Repos, true
	case h.By == providers.ByPoll:
		return p.Members, true
	}
	return 0, false
}
