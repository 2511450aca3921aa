package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// Start brings back the organizations learnt in an earlier life and pushes the
// job that learns the rest, fills the catalogue at the first start, and sets
// polls and sweeps going. It asks no forge and returns at once; call it before
// the first delivery is taken.
func (e *Engine) Start(ctx context.Context) error {
	now := e.cfg.Now()
	for _, p := range e.providers {
		known, err := e.learnt(ctx, p)
		if err != nil {
			return err
		}
		for name, org := range known {
			p.Orgs.Learn(name, org.ID)
		}
		if _, err := e.cfg.Store.Enqueue(ctx, syncqueue.Cause{By: byStart, At: now}, syncqueue.PollJob(p.Name, syncqueue.PollOrgs, providers.Org{}, now)); err != nil {
			return err
		}
	}
	return nil
}

// Run watches for credentials, and for what is activated, until ctx is done.
func (e *Engine) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range e.targets {
		if k, ok := t.Driver.(target.Keyring); ok {
			wg.Go(func() { e.watch(ctx, t, k) })
		}
		if s, ok := t.Driver.(target.Scout); ok {
			wg.Go(func() { e.scout(ctx, t, s) })
		}
	}
	wg.Wait()
}

// watch pushes a publish job for each user whose credential appeared or
// changed.
func (e *Engine) watch(ctx context.Context, t Target, k target.Keyring) {
	for ctx.Err() == nil {
		err := k.Watch(ctx, func(login string) {
			cause := syncqueue.Cause{By: "credential", At: e.cfg.Now()}
			if _, err := e.Welcome(ctx, t.Name, login, cause); err != nil && ctx.Err() == nil {
				e.cfg.Log.Warn("a new credential could not be used yet", "target", t.Name, "user", login, "err", err)
			}
		})
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.Error("watching credentials failed", "target", t.Name, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(learnEvery):
			}
		}
	}
}
