package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
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

// Run watches for credentials until ctx is done.
func (e *Engine) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range e.targets {
		if k, ok := t.Driver.(target.Keyring); ok {
			wg.Go(func() { e.watch(ctx, t, k) })
		}
	}
	wg.Wait()
}

// watch pushes a publish job for each user whose credential appeared or
// changed.
func (e *Engine) watch(ctx context.Context, t Target, k target.Keyring) {
	for ctx.Err() == nil {
		err := k.Watch(ctx, func(login string) {
			if err := e.credential(ctx, t, login); err != nil && ctx.Err() == nil {
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

// credential wakes what waited for login's credential. A user the catalogue
// does not know yet is looked up on the forge.
func (e *Engine) credential(ctx context.Context, t Target, login string) error {
	p, now := e.providers[t.Provider], e.cfg.Now()
	cause := syncqueue.Cause{By: "credential", At: now}
	u, err := e.cfg.Store.UserByLogin(ctx, p.Name, login)
	if err == nil {
		_, err = e.cfg.Store.Enqueue(ctx, cause, syncqueue.PublishJob(t.Name, p.Name, u, syncqueue.Job{}, syncqueue.LaneAddition, now))
		return err
	}
	if !errors.Is(err, storage.ErrUnknown) {
		return err
	}
	if u, err = p.Forge.User(ctx, login); err != nil {
		return err
	}
	_, err = e.cfg.Store.Enqueue(ctx, cause, syncqueue.UserJob(p.Name, u, syncqueue.LaneAddition, now))
	return err
}
