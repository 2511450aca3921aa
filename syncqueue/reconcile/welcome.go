package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// Welcome queues a look at whoever has a login in a CI server, since he came or
// can be acted for from now on, and wakes what waited for that. It asks nobody,
// and returns how many jobs it pushed; they are on disk.
func (e *Engine) Welcome(ctx context.Context, name, login string, c syncqueue.Cause) (jobs int, err error) {
	t, ok := e.targets[name]
	if !ok {
		return 0, fmt.Errorf("target %q: %w", name, syncqueue.ErrUnknown)
	}
	if g, ok := t.Driver.(target.Greeter); ok {
		g.Greet(login)
	}
	now := e.cfg.Now()
	j := syncqueue.LoginJob(t.Provider, login, syncqueue.LaneAddition, now)
	switch u, err := e.cfg.Store.UserByLogin(ctx, t.Provider, login); {
	case err == nil:
		j = syncqueue.PublishJob(t.Name, t.Provider, u, syncqueue.Job{}, syncqueue.LaneAddition, now)
	case !errors.Is(err, storage.ErrUnknown):
		return 0, err
	}
	parked, err := e.waiting(ctx, t, c.By, now)
	if err != nil {
		return 0, err
	}
	ids, err := e.cfg.Store.Enqueue(ctx, c, append(parked, j)...)
	return len(ids), err
}

// introduce asks the forge who a login is, of whom the catalogue knew nothing
// when the job was made.
func (e *Engine) introduce(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	login := l.Job.Subject.Name
	u, err := p.Forge.User(ctx, login)
	if errors.Is(err, providers.ErrNotFound) {
		return syncqueue.Outcome{Note: "the forge knows no such user"}, nil
	}
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	j := syncqueue.UserJob(p.Name, u, l.Job.Lane, e.cfg.Now())
	j.Causes = l.Job.Causes
	return syncqueue.Outcome{Note: fmt.Sprintf("user %s of the forge", u.ID), Follow: []syncqueue.Job{j}}, nil
}
