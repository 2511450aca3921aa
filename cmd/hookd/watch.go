package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// How often the parties are asked whether they are well. A probe costs a
// forge one call, so a healthy one is left alone.
const (
	probeWell = 5 * time.Minute
	probeIll  = 30 * time.Second
	// rosterEvery bounds how long a first login to the CI server goes unseen.
	rosterEvery = 10 * time.Second
	askTimeout  = 15 * time.Second
)

// A watcher keeps what the desk tells fresh, and wakes what waited for a user
// to log in to the CI server.
type watcher struct {
	desk *desk
	log  *slog.Logger
	now  func() time.Time
	// welcome queues a look at who came to a CI server.
	welcome func(ctx context.Context, target, login string, c syncqueue.Cause) (jobs int, err error)
}

// run works until ctx is done. Each party is watched by itself: one that hangs
// must not keep a first login to another from being seen.
func (w *watcher) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, p := range w.desk.forges {
		if prober, ok := p.forge.(providers.Prober); ok {
			wg.Go(func() {
				w.each(ctx, func() {
					w.probe(ctx, &p.health, "provider", p.cfg.Name, prober.Probe)
					w.hooks(ctx, p)
				})
			})
		}
	}
	for _, t := range w.desk.targets {
		wg.Go(func() {
			w.each(ctx, func() {
				w.probe(ctx, &t.health, "target", t.cfg.Name, t.driver.Probe)
				w.roster(ctx, t)
			})
		})
	}
	wg.Wait()
}

// each calls look, again and again, until ctx is done.
func (w *watcher) each(ctx context.Context, look func()) {
	tick := time.NewTicker(rosterEvery)
	defer tick.Stop()
	for {
		look()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probe asks a party for its version if it is time to.
func (w *watcher) probe(ctx context.Context, h *health, kind, name string, ask func(context.Context) (string, error)) {
	_, at, _, well := h.get()
	every := probeIll
	if well {
		every = probeWell
	}
	if !at.IsZero() && w.now().Sub(at) < every {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	version, err := ask(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return // we are stopping, which says nothing about the party
	}
	if errors.Is(err, providers.ErrLimited) {
		return // its budget is out, which says that it is well
	}
	h.set(version, err, w.now())
	switch {
	case err != nil && (well || at.IsZero()):
		w.log.Warn("not reachable", kind, name, "err", err)
	case err == nil && !well:
		w.log.Info("reachable", kind, name, "version", version)
	}
}

// roster lists the people of a CI server and sees who is new there.
func (w *watcher) roster(ctx context.Context, t *targetParty) {
	r, ok := t.driver.(target.Roster)
	if !ok || t.cfg.Token == "" && t.cfg.Mode != "database" {
		return
	}
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	accounts, err := r.Accounts(ask)
	if err != nil {
		w.log.Debug("the CI server's users could not be listed", "target", t.cfg.Name, "err", err)
		return
	}
	_, watched := t.people()
	for _, a := range t.update(accounts) {
		if err := w.arrived(ctx, t, a.Login, watched); err != nil && ctx.Err() == nil {
			w.log.Warn("a new user of the CI server is left to the next sweep", "target", t.cfg.Name, "user", a.Login, "err", err)
		}
	}
}

// arrived sees to a user who appeared in the CI server. In the first list since
// the start everybody is new: of those only who lacks something is looked at,
// and the sweep asks the forge about whom the catalogue does not know.
func (w *watcher) arrived(ctx context.Context, t *targetParty, login string, watched bool) error {
	if !watched {
		u, err := w.desk.store.UserByLogin(ctx, t.cfg.Provider, login)
		if errors.Is(err, storage.ErrUnknown) {
			return nil
		}
		if err != nil {
			return err
		}
		h, err := w.desk.store.Holdings(ctx, t.cfg.Provider, u.ID)
		if err != nil || !h.Behind(t.cfg.Name) {
			return err
		}
	}
	_, err := w.welcome(ctx, t.cfg.Name, login, syncqueue.Cause{By: "target", At: w.now()})
	return err
}
