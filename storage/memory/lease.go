package memory

import (
	"context"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

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
		if open := f.Opens(db.turns[p], now); open.After(now) {
			if next.IsZero() || open.Before(next) {
				next = open
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
	db.peer, db.turns[p] = p, db.turns[p].Served(best.Lane, best.Org, ready(heads[p])).Paced(f, now)
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
