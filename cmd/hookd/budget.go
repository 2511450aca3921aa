package main

import (
	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// budgets are those of a provider's tokens, by organization.
func (p *forgeParty) budgets() map[string]*providers.Budget {
	if m, ok := p.forge.(providers.Metered); ok {
		return m.Budgets()
	}
	return nil
}

// rate is the state of the scarcest of a provider's budgets, nil if the forge
// told of no limit and asked for no pause.
func (p *forgeParty) rate() *handlers.RateStatus {
	var out *handlers.RateStatus
	for _, b := range p.budgets() {
		r, limited := b.Rate()
		if !limited && r.Paused.IsZero() {
			continue
		}
		s := &handlers.RateStatus{PausedUntil: r.Paused}
		if limited {
			s.Limit, s.Remaining, s.Reserve, s.Reset = &r.Limit, &r.Remaining, &r.Reserve, r.Reset
		}
		if out == nil || limited && (out.Remaining == nil || r.Remaining < *out.Remaining) {
			out = s
		}
	}
	return out
}

// held is what no job may be leased of, as the budgets of the forges are out.
func (d *desk) held() syncqueue.Held {
	var h syncqueue.Held
	for _, p := range d.forges {
		h.Hold(p.cfg.Name, p.budgets())
	}
	return h
}

// remaining is what each provider's token has left, nil without a known limit.
func (d *desk) remaining() map[string]*int {
	out := map[string]*int{}
	for _, p := range d.forges {
		out[p.cfg.Name] = nil
		if r := p.rate(); r != nil {
			out[p.cfg.Name] = r.Remaining
		}
	}
	return out
}
