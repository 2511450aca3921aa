package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// sweepSlices is into how many ticks the reconcile bound is cut.
const sweepSlices = 12

// rosterTimeout bounds how long a CI server that hangs holds up the sweep of its
// forge, which goes on without it.
const rosterTimeout = 15 * time.Second

// firstLook is the least time between two users who were never looked at.
const firstLook = 100 * time.Millisecond

// sweep finds users nobody looked at for long, publishes that were lost, and
// people of the CI server that the catalogue does not know.
func (e *Engine) sweep(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	now, pace := e.cfg.Now(), paceOf(e.cfg.Reconcile)
	o := syncqueue.Outcome{Next: now.Add(pace.tick)}

	known, err := e.users(ctx, storage.UserQuery{Provider: p.Name})
	if err != nil {
		return o, err
	}
	due := pace.looks(known, now)
	filling, err := e.filling(ctx, p)
	if err != nil {
		return o, err
	}
	for _, u := range due {
		if u.Checked.IsZero() && filling {
			continue // the fill is about to know what he holds
		}
		j := syncqueue.UserJob(p.Name, u.User, syncqueue.LaneReconcile, now)
		j.NotBefore = now.Add(u.wait)
		o.Follow = append(o.Follow, j)
	}
	behind := 0
	for _, t := range p.targets {
		users, err := e.users(ctx, storage.UserQuery{Provider: p.Name, Behind: t})
		if err != nil {
			return o, err
		}
		for i, u := range users {
			behind++
			j := syncqueue.PublishJob(t, p.Name, u.User, syncqueue.Job{}, syncqueue.LaneReconcile, now)
			// Who waits, for a credential or an operator or his turn, goes on
			// waiting for it.
			j.Gentle = true
			j.NotBefore = j.NotBefore.Add(pace.tick * time.Duration(i) / time.Duration(len(users)))
			j.Deadline = j.NotBefore
			o.Follow = append(o.Follow, j)
		}
		found, relapsed, err := e.newcomers(ctx, p, e.targets[t])
		if err != nil {
			e.cfg.Log.Warn("the CI server's users could not be listed", "target", t, "err", err)
		}
		for _, u := range found {
			o.Follow = append(o.Follow, syncqueue.UserJob(p.Name, u, syncqueue.LanePoll, now))
		}
		for _, u := range relapsed {
			o.Follow = append(o.Follow, syncqueue.PublishJob(t, p.Name, u, syncqueue.Job{}, syncqueue.LanePoll, now))
		}
		shown, err := e.exposed(ctx, p, e.targets[t])
		if err != nil {
			e.cfg.Log.Warn("what the CI server shows to strangers could not be listed", "target", t, "err", err)
		}
		o.Follow = append(o.Follow, shown...)
	}
	for _, t := range p.targets {
		parked, err := e.waiting(ctx, e.targets[t], "sweep", now.Add(-e.cfg.Reconcile))
		if err != nil {
			return o, err
		}
		o.Follow = append(o.Follow, parked...)
	}
	for i := range o.Follow {
		o.Follow[i].Causes = []syncqueue.Cause{{By: "sweep", At: now}}
	}
	o.Note = fmt.Sprintf("%d of %d users due, %d publishes behind", len(due), len(known), behind)
	return o, nil
}

// users lists all that q selects, by login.
func (e *Engine) users(ctx context.Context, q storage.UserQuery) ([]storage.UserRow, error) {
	var out []storage.UserRow
	cursor := ""
	for {
		rows, next, err := e.cfg.Store.Users(ctx, q, cursor, 500)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if next == "" {
			break
		}
		cursor = next
	}
	return out, nil
}

// newcomers returns people of the CI server whom the catalogue does not know
// and the forge does, and those who are active there although hookd deactivated
// them.
func (e *Engine) newcomers(ctx context.Context, p *provider, t Target) (out, relapsed []providers.User, err error) {
	roster, ok := t.Driver.(target.Roster)
	if !ok {
		return nil, nil, nil
	}
	ask, cancel := context.WithTimeout(ctx, rosterTimeout)
	defer cancel()
	accounts, err := roster.Accounts(ask)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range accounts {
		if a.Machine || !a.Active {
			continue
		}
		known, err := e.cfg.Store.UserByLogin(ctx, p.Name, a.Login)
		if err == nil {
			if again, err := e.endedBefore(ctx, p, t, known); err != nil {
				return out, relapsed, err
			} else if again {
				relapsed = append(relapsed, known)
			}
			continue
		}
		if !errors.Is(err, storage.ErrUnknown) {
			return out, relapsed, err
		}
		u, err := p.Forge.User(ctx, a.Login)
		if errors.Is(err, providers.ErrNotFound) {
			continue
		}
		if err != nil {
			return out, relapsed, err
		}
		out = append(out, u)
	}
	return out, relapsed, nil
}

// oldestFirst orders users by when they were last looked at; never comes first.
func oldestFirst(rows []storage.UserRow) {
	slices.SortStableFunc(rows, func(a, b storage.UserRow) int { return a.Checked.Compare(b.Checked) })
}
