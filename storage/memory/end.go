package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Extend implements syncqueue.Queue.
func (db *DB) Extend(ctx context.Context, l syncqueue.Lease, ttl time.Duration) (syncqueue.Lease, error) {
	err := db.end(ctx, l, func(j *job, now time.Time) {
		j.until = now.Add(ttl)
		l.Until = j.until
	})
	return l, err
}

// Retry implements syncqueue.Queue.
func (db *DB) Retry(ctx context.Context, l syncqueue.Lease, at time.Time, cause error) error {
	return db.end(ctx, l, func(j *job, now time.Time) { j.Job = syncqueue.Retried(j.Job, at, cause, now) })
}

// Bury implements syncqueue.Queue.
func (db *DB) Bury(ctx context.Context, l syncqueue.Lease, cause error) error {
	return db.end(ctx, l, func(j *job, now time.Time) { j.Job = syncqueue.Buried(j.Job, cause, now) })
}

// end does something to a leased job.
func (db *DB) end(ctx context.Context, l syncqueue.Lease, do func(*job, time.Time)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	unlock, err := db.open()
	if err != nil {
		return err
	}
	defer unlock()
	now := db.clock()
	j, err := db.held(l, now)
	if err != nil {
		return err
	}
	defer db.wake()
	do(j, now)
	return nil
}

// Complete implements syncqueue.Queue.
func (db *DB) Complete(ctx context.Context, l syncqueue.Lease, o syncqueue.Outcome) (storage.Applied, error) {
	if err := ctx.Err(); err != nil {
		return storage.Applied{}, err
	}
	if err := keyed(o.Follow); err != nil {
		return storage.Applied{}, err
	}
	unlock, err := db.open()
	if err != nil {
		return storage.Applied{}, err
	}
	defer unlock()
	now := db.clock()
	j, err := db.held(l, now)
	if err != nil {
		return storage.Applied{}, err
	}
	defer db.wake()

	a := applying{db: db, job: j.Job, fence: l.Fence, now: now}
	a.change(o.Change)
	a.confirm(o.Confirm)
	for delivery, d := range o.Details {
		if e := db.deliveries[delivery]; e != nil {
			d.Facts = maps.Clone(d.Facts)
			e.details = &d
		}
	}
	parent := j.Job
	for _, p := range slices.Concat(a.publish(o.Publish), a.publishRepos(o.Repos)) {
		db.push(p, now)
		a.out.Followed++
	}
	if over := o.Takeover; over != nil {
		db.takeOver(over, parent, now)
		a.out.Followed++
	}
	for _, p := range o.Follow {
		db.push(syncqueue.Following(p, parent), now)
		a.out.Followed++
	}
	j.Job, a.out.Rerun = syncqueue.End(j.Job, o, a.outrun(), now)
	if j.State == syncqueue.Done {
		delete(db.keys, j.Key)
	}
	return a.out, nil
}

// takeOver ends the jobs that a plan stands for from now on, and pushes it.
func (db *DB) takeOver(over *syncqueue.Takeover, parent syncqueue.Job, now time.Time) {
	plan := syncqueue.Following(over.Plan, parent)
	taken := []syncqueue.Job{parent}
	for _, id := range over.Jobs {
		j := db.jobs[id]
		if j == nil || !syncqueue.Plannable(j.Job) {
			continue
		}
		taken = append(taken, j.Job)
		plan, j.Job = syncqueue.TakenOver(plan, j.Job, now)
		delete(db.keys, j.Key)
	}
	id := db.push(plan, now)
	for _, j := range taken {
		db.cause(id, j.Causes)
	}
}
