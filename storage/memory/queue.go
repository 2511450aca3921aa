package memory

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Push implements syncqueue.Queue.
func (db *DB) Push(ctx context.Context, e syncqueue.Entry, jobs ...syncqueue.Job) (syncqueue.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return syncqueue.Receipt{}, err
	}
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Receipt{}, err
	}
	defer unlock()
	if err := keyed(jobs); err != nil {
		return syncqueue.Receipt{}, err
	}
	now := db.clock()
	defer db.wake()
	g := guid{e.Delivery.Provider, e.Delivery.GUID}
	if first, ok := db.guids[g]; ok && g.guid != "" {
		return syncqueue.Receipt{Delivery: first, Jobs: db.reviveOf(first, now)}, nil
	}
	if e.Delivery.ID == "" {
		e.Delivery.ID = syncqueue.NewID(now)
	}
	if _, taken := db.deliveries[e.Delivery.ID]; taken {
		return syncqueue.Receipt{}, errors.New("memory: a delivery with this id is already journalled")
	}
	e = cloneEntry(e)
	db.deliveries[e.Delivery.ID] = &delivery{Entry: e, size: len(e.Delivery.Body), hasBody: true}
	if g.guid != "" {
		db.guids[g] = e.Delivery.ID
	}
	for _, j := range jobs {
		db.push(j, now)
	}
	return syncqueue.Receipt{Delivery: e.Delivery.ID, Fresh: true, Jobs: len(jobs)}, nil
}

// Repeat implements syncqueue.Queue.
func (db *DB) Repeat(ctx context.Context, provider, id string) (syncqueue.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return syncqueue.Receipt{}, err
	}
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Receipt{}, err
	}
	defer unlock()
	first, ok := db.guids[guid{provider, id}]
	if !ok {
		return syncqueue.Receipt{}, syncqueue.ErrUnknown
	}
	defer db.wake()
	return syncqueue.Receipt{Delivery: first, Jobs: db.reviveOf(first, db.clock())}, nil
}

// reviveOf wakes the dead jobs of a delivery and returns how many there were.
func (db *DB) reviveOf(delivery string, now time.Time) int {
	n := 0
	for id := range db.caused[delivery] {
		if j := db.jobs[id]; j != nil && j.State == syncqueue.Dead {
			j.Job = syncqueue.Awake(j.Job, now)
			n++
		}
	}
	return n
}

// Enqueue implements syncqueue.Queue.
func (db *DB) Enqueue(ctx context.Context, c syncqueue.Cause, jobs ...syncqueue.Job) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := keyed(jobs); err != nil {
		return nil, err
	}
	now := db.clock()
	defer db.wake()
	ids := make([]string, 0, len(jobs))
	for _, j := range jobs {
		if c.Delivery != "" || c.By != "" {
			j.Causes = append(slices.Clone(j.Causes), c)
		}
		if c.Delivery != "" && j.Since.IsZero() {
			j.Since = c.At
		}
		ids = append(ids, db.push(j, now))
	}
	return ids, nil
}

// push files j, or coalesces it with the job of its key, and returns the id.
func (db *DB) push(j syncqueue.Job, now time.Time) string {
	if j.NotBefore.IsZero() {
		j.NotBefore = now
	}
	j = cloneJob(j)
	if id, ok := db.keys[j.Key]; ok {
		old := db.jobs[id]
		old.Job = syncqueue.Merge(old.Job, j)
		db.cause(id, j.Causes)
		return id
	}
	j = syncqueue.Fresh(j, now)
	db.jobs[j.ID] = &job{Job: j}
	db.keys[j.Key] = j.ID
	db.cause(j.ID, j.Causes)
	return j.ID
}

// cause remembers which deliveries led to a job.
func (db *DB) cause(job string, causes []syncqueue.Cause) {
	for _, c := range causes {
		if db.deliveries[c.Delivery] == nil {
			continue
		}
		if db.caused[c.Delivery] == nil {
			db.caused[c.Delivery] = map[string]bool{}
		}
		db.caused[c.Delivery][job] = true
	}
}

// Lease implements syncqueue.Queue.
func (db *DB) Lease(ctx context.Context, ttl time.Duration, f syncqueue.Filter) (syncqueue.Lease, error) {
	for {
		if err := ctx.Err(); err != nil {
			return syncqueue.Lease{}, err
		}
		unlock, err := db.open()
		if err != nil {
			return syncqueue.Lease{}, err
		}
		now := db.clock()
		l, next, ok := db.lease(now, ttl, f)
		changed := db.changed
		unlock()
		if ok {
			return l, nil
		}
		if err := wait(ctx, changed, next, now); err != nil {
			return syncqueue.Lease{}, err
		}
	}
}

// wait returns when something changed or the next job is due. It looks at the
// clock again every minute, in case that was set.
func wait(ctx context.Context, changed <-chan struct{}, next, now time.Time) error {
	d := time.Minute
	if !next.IsZero() {
		d = min(d, next.Sub(now))
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// lease takes the first job that is due and allowed; if there is none it
// returns when the next one will be, zero if never.
func (db *DB) lease(now time.Time, ttl time.Duration, f syncqueue.Filter) (l syncqueue.Lease, next time.Time, ok bool) {
	if db.paused {
		return l, next, false
	}
	type place struct {
		peer syncqueue.Peer
		org  string
	}
	leased := map[place]int{}
	for _, j := range db.jobs {
		if j.State == syncqueue.Leased && !j.until.After(now) {
			j.Job = syncqueue.Expired(j.Job, now)
		}
		if j.State == syncqueue.Leased {
			leased[place{j.Peer(), j.Org}]++
		}
	}
	heads := map[syncqueue.Peer][syncqueue.Lanes]*job{} // the first of each lane
	for _, j := range db.jobs {
		at, p := j.NotBefore, j.Peer()
		switch {
		case j.State == syncqueue.Leased:
			at = j.until
		case j.State != syncqueue.Ready || !f.AllowsPeer(p) || !f.AllowsKind(j.Kind):
			continue
		}
		if at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		if h := heads[p]; f.AllowsOrg(p, j.Org, j.Lane, leased[place{p, j.Org}]) && (h[j.Lane] == nil || db.before(j, h[j.Lane])) {
			h[j.Lane] = j
			heads[p] = h
		}
	}
	var best *job
	for p, h := range heads {
		lane, _ := db.turns[p].Lane(ready(h))
		if best == nil || syncqueue.Before(p, lane, best.Peer(), best.Lane, db.peer) {
			best = h[lane]
		}
	}
	if best == nil {
		return l, next, false
	}
	db.fence++
	p := best.Peer()
	db.peer, db.turns[p] = p, db.turns[p].Served(best.Lane, best.Org, ready(heads[p]))
	best.Job = syncqueue.Begin(best.Job)
	best.fence, best.until = db.fence, now.Add(ttl)
	return syncqueue.Lease{Job: cloneJob(best.Job), Fence: best.fence, Until: best.until}, next, true
}

func ready(heads [syncqueue.Lanes]*job) (lanes [syncqueue.Lanes]bool) {
	for l, j := range heads {
		lanes[l] = j != nil
	}
	return lanes
}

// before orders ready jobs of one peer and lane: by whose organization's turn
// it is, then by due time.
func (db *DB) before(a, b *job) bool {
	if a.Org != b.Org {
		served := db.turns[a.Peer()].Orgs[a.Lane]
		if (a.Org > served) != (b.Org > served) {
			return a.Org > served
		}
		return a.Org < b.Org
	}
	if !a.NotBefore.Equal(b.NotBefore) {
		return a.NotBefore.Before(b.NotBefore)
	}
	return a.ID < b.ID
}

// held returns the leased job, or ErrLost.
func (db *DB) held(l syncqueue.Lease, now time.Time) (*job, error) {
	j := db.jobs[l.Job.ID]
	if j == nil || j.State != syncqueue.Leased || j.fence != l.Fence || !j.until.After(now) {
		return nil, syncqueue.ErrLost
	}
	return j, nil
}

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
	for _, p := range a.publish(o.Publish) {
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

// Ready implements syncqueue.Backlog.
func (db *DB) Ready(ctx context.Context, provider, org string, k syncqueue.Kind, limit int) ([]syncqueue.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	now := db.clock()
	var out []syncqueue.Job
	for _, j := range db.jobs {
		if j.StateAt(now) == syncqueue.Ready && j.Peer() == (syncqueue.Peer{Provider: provider}) && j.Org == org && j.Kind == k {
			out = append(out, cloneJob(j.Job))
		}
	}
	slices.SortFunc(out, func(a, b syncqueue.Job) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), a.NotBefore.Compare(b.NotBefore), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(limit, len(out))], nil
}

func keyed(jobs []syncqueue.Job) error {
	for _, j := range jobs {
		if j.Key == "" {
			return errors.New("memory: a job without a key")
		}
	}
	return nil
}
