package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/handlers"
)

// How often webhooks are looked at: a look costs a call for each place that may
// have one. What is wrong is looked at more often, as somebody is mending it.
const (
	hooksWell = 30 * time.Minute
	hooksIll  = 5 * time.Minute
)

// hookHealth is what the last look at a provider's webhooks found.
type hookHealth struct {
	mu     sync.Mutex
	status handlers.HookStatus
}

func (h *hookHealth) set(s handlers.HookStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = s
}

func (h *hookHealth) get() handlers.HookStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.status
	if s.State == "" {
		s.State, s.Detail, s.Webhooks = hookUnknown, "nobody looked: it takes public_url and a token", []handlers.WebhookStatus{}
	}
	return s
}

// hooks looks at a provider's webhooks if it is time to.
func (w *watcher) hooks(ctx context.Context, p *forgeParty) {
	k := p.keeper()
	if k == nil {
		return
	}
	before := p.hooks.get()
	every := hooksIll
	if before.State == hookOK {
		every = hooksWell
	}
	if !before.CheckedAt.IsZero() && w.now().Sub(before.CheckedAt) < every {
		return
	}
	ask, cancel := context.WithTimeout(ctx, hookPatience)
	defer cancel()
	_, rows := k.surveyed(ask, choice{})
	if errors.Is(ask.Err(), context.Canceled) {
		return // we are stopping, which says nothing about the webhooks
	}
	now := hookStatus(rows)
	now.CheckedAt = w.now()
	p.hooks.set(now)
	if now.State != before.State || now.Detail != before.Detail {
		if now.State == hookOK {
			w.log.Info("webhooks are as they have to be", "provider", p.cfg.Name)
		} else {
			w.log.Warn("webhooks are not as they have to be", "provider", p.cfg.Name, "state", now.State, "detail", now.Detail)
		}
	}
}

// hookStatus sums rows up: the worst of them says how it is.
func hookStatus(rows []hookRow) handlers.HookStatus {
	s := handlers.HookStatus{State: hookOK, Webhooks: []handlers.WebhookStatus{}}
	rank := map[string]int{hookOK: 0, hookUnknown: 1, hookDrift: 2, hookMissing: 3}
	var wrong []string
	for _, r := range rows {
		if rank[r.State] > rank[s.State] {
			s.State = r.State
		}
		if r.State != hookOK {
			wrong = append(wrong, strings.TrimPrefix(r.place+": ", ": ")+r.summary())
		}
		if r.ID == "" {
			continue
		}
		flaws := []string{}
		for _, f := range r.Flaws {
			flaws = append(flaws, f.Text)
		}
		s.Webhooks = append(s.Webhooks, handlers.WebhookStatus{ID: r.ID, Place: string(r.Place), Org: r.Org, URL: r.URL, Events: r.Events, State: r.State, Flaws: flaws})
	}
	s.Detail = strings.Join(wrong, "; ")
	return s
}
