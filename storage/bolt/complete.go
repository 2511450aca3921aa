package bolt

import (
	"context"
	"maps"
	"slices"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// maxRows bounds the cells that one transaction writes, so that intake never
// waits long behind a large change.
const maxRows = 5000

// Complete implements syncqueue.Queue. A change of more than about maxRows rows
// is applied in several transactions, each audience and list whole and followed
// by the publish jobs of the users it changed; the last one ends the job. A
// crash in between leaves a job that is leased again and reads again.
func (db *DB) Complete(ctx context.Context, l syncqueue.Lease, o syncqueue.Outcome) (storage.Applied, error) {
	if err := keyed(o.Follow); err != nil {
		return storage.Applied{}, err
	}
	c := &completing{lease: l, outcome: o, fresh: map[string]bool{}, users: map[string]bool{}}
	parts := split(o.Change)
	for i, part := range parts {
		var next *completing
		err := db.update(ctx, func(t *txn) error {
			next = c.clone()
			return next.apply(t, part, i == len(parts)-1)
		})
		if err != nil {
			return storage.Applied{}, err
		}
		c = next
	}
	return c.out, nil
}

// A completing is what the transactions of one Complete add up to.
type completing struct {
	lease   syncqueue.Lease
	outcome syncqueue.Outcome
	fresh   map[string]bool // users not known before
	users   map[string]bool // users whose holdings changed
	out     storage.Applied
	outrun  bool
}

// clone lets a transaction be done over.
func (c *completing) clone() *completing {
	next := *c
	next.fresh, next.users = maps.Clone(c.fresh), maps.Clone(c.users)
	return &next
}

// apply applies a part of the change, and with the last one ends the job.
func (c *completing) apply(t *txn, part *storage.Change, last bool) error {
	r, err := t.held(c.lease)
	if err != nil {
		return err
	}
	a := t.applying(c.lease, r.Job, part, c.fresh)
	if err := a.change(part); err != nil {
		return err
	}
	for _, j := range slices.Concat(a.publish(c.outcome.Publish), a.publishRepos(c.outcome.Repos)) {
		if _, err := t.push(j); err != nil {
			return err
		}
		c.out.Followed++
	}
	c.add(a)
	if !last {
		return nil
	}
	return c.end(t, r.Job)
}

func (c *completing) add(a *applying) {
	for id := range a.lost {
		c.users[id] = true
	}
	c.out.Users = len(c.users)
	c.out.Granted += a.out.Granted
	c.out.Altered += a.out.Altered
	c.out.Revoked += a.out.Revoked
	c.out.First += a.out.First
	c.out.Stale += a.out.Stale
	c.outrun = c.outrun || a.out.Stale > 0 && a.read < a.fence
}

// end files everything beside the change.
func (c *completing) end(t *txn, job syncqueue.Job) error {
	if f := c.outcome.Confirm; f != nil {
		a := t.applying(c.lease, job, &storage.Change{Provider: f.Provider}, c.fresh)
		if err := a.confirm(f); err != nil {
			return err
		}
		c.out.Visible = a.out.Visible
	}
	for delivery, d := range c.outcome.Details {
		if key := []byte(delivery); t.has(tDeliveries, key) {
			record, err := sealJSON(key, d)
			if err != nil {
				return err
			}
			if err := t.swap(tDetails, key, record); err != nil {
				return err
			}
		}
	}
	if err := c.takeOver(t, job); err != nil {
		return err
	}
	for _, j := range c.outcome.Follow {
		if _, err := t.push(syncqueue.Following(j, job)); err != nil {
			return err
		}
		c.out.Followed++
	}
	// What was just pushed may be the job itself.
	r, err := t.held(c.lease)
	if err != nil {
		return err
	}
	var next syncqueue.Job
	next, c.out.Rerun = syncqueue.End(r.Job, c.outcome, c.outrun, t.now)
	return t.file(r, next)
}

// takeOver ends the jobs that a plan stands for from now on, and pushes it. One
// that began to run since it was listed is left alone.
func (c *completing) takeOver(t *txn, job syncqueue.Job) error {
	over := c.outcome.Takeover
	if over == nil {
		return nil
	}
	plan := syncqueue.Following(over.Plan, job)
	taken := []syncqueue.Job{job}
	for _, id := range over.Jobs {
		r, err := t.intact(id)
		if err != nil {
			return err
		}
		if r == nil || !syncqueue.Plannable(r.Job) {
			continue
		}
		taken = append(taken, r.Job)
		var ended syncqueue.Job
		plan, ended = syncqueue.TakenOver(plan, r.Job, t.now)
		if err := t.file(r, ended); err != nil {
			return err
		}
	}
	id, err := t.push(plan)
	if err != nil {
		return err
	}
	c.out.Followed++
	for _, j := range taken {
		if err := t.cause(id, j.Causes, ""); err != nil {
			return err
		}
	}
	return nil
}

// split cuts a change into parts of about maxRows rows that are to be applied
// in order; there is at least one.
func split(c *storage.Change) []*storage.Change {
	if c == nil {
		return []*storage.Change{nil}
	}
	parts, rows := []*storage.Change{{Provider: c.Provider, Read: c.Read, Labels: c.Labels}}, 0
	room := func(n int) *storage.Change {
		if rows > 0 && rows+n > maxRows {
			parts, rows = append(parts, &storage.Change{Provider: c.Provider, Read: c.Read, Labels: c.Labels}), 0
		}
		rows += n
		return parts[len(parts)-1]
	}
	for _, u := range c.Users {
		p := room(1)
		p.Users = append(p.Users, u)
	}
	for _, r := range c.Repos {
		p := room(1)
		p.Repos = append(p.Repos, r)
	}
	for _, id := range c.Gone {
		p := room(1)
		p.Gone = append(p.Gone, id)
	}
	for _, a := range c.Audiences {
		p := room(1 + len(a.Users))
		p.Audiences = append(p.Audiences, a)
	}
	for _, l := range c.Lists {
		p := room(1 + len(l.Repos))
		p.Lists = append(p.Lists, l)
	}
	for _, x := range c.Cells {
		p := room(1)
		p.Cells = append(p.Cells, x)
	}
	parts[len(parts)-1].Snapshots = c.Snapshots
	return parts
}
