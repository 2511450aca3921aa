package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// idLen is the length of the ids that the engine gives to jobs.
const idLen = 26

// maxMoves bounds how many jobs one transaction moves from waiting to ready, or
// takes back from workers that never reported.
const maxMoves = 1000

// Lease implements syncqueue.Queue.
func (db *DB) Lease(ctx context.Context, ttl time.Duration, f syncqueue.Filter) (syncqueue.Lease, error) {
	for {
		s, changed := db.clock.get()
		now := db.now()
		if s.promising(f, now) || db.ahead.some.Load() && !s.paused {
			l, err := db.tryLease(ctx, ttl, f)
			if err != nil || l.Fence != 0 {
				return l, err
			}
		} else if db.line.closed() {
			return syncqueue.Lease{}, storage.ErrClosed
		}
		if err := s.wait(ctx, changed, f, now); err != nil {
			return syncqueue.Lease{}, err
		}
	}
}

// tryLease returns the zero Lease if no job is due that f allows.
func (db *DB) tryLease(ctx context.Context, ttl time.Duration, f syncqueue.Filter) (l syncqueue.Lease, err error) {
	err = db.update(ctx, func(t *txn) error {
		l = syncqueue.Lease{}
		if t.st.Paused {
			return nil
		}
		if err := t.expire(); err != nil {
			return err
		}
		if err := t.promote(); err != nil {
			return err
		}
		r, err := t.pick(f)
		if r == nil || err != nil {
			return err
		}
		t.st.Fence++
		next := &jobRecord{Job: syncqueue.Begin(r.Job), Fence: t.st.Fence, Until: t.now.Add(ttl)}
		if err := t.fileLease(r, next); err != nil {
			return err
		}
		l = syncqueue.Lease{Job: next.Job, Fence: next.Fence, Until: next.Until}
		return nil
	})
	return l, err
}

// expire takes back the leases that ran out.
func (t *txn) expire() error { return t.takeBack(t.now, maxMoves) }

// takeBack takes back up to n of the leases that end by a time.
func (t *txn) takeBack(by time.Time, n int) error {
	var over [][]byte
	err := t.each(tLeased, nil, func(k, _ []byte) (bool, error) {
		if timeOf(k).After(by) || len(over) == n {
			return false, nil
		}
		over = append(over, bytes.Clone(k))
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, k := range over {
		r, err := t.intact(string(k[8:]))
		if err != nil {
			return err
		}
		if r == nil {
			err = t.del(tLeased, k)
		} else {
			err = t.file(r, syncqueue.Expired(r.Job, t.now))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// promote moves what came due from waiting to ready, the upper lanes first.
func (t *txn) promote() error {
	var moved [][]byte
	c := t.bucket(tWaiting).Cursor()
	for k, _ := c.First(); k != nil && len(moved) < maxMoves; {
		if timeOf(k[1:]).After(t.now) {
			if k[0] == 0xff {
				break
			}
			k, _ = c.Seek([]byte{k[0] + 1})
			continue
		}
		moved = append(moved, bytes.Clone(k))
		k, _ = c.Next()
	}
	for _, k := range moved {
		if err := t.del(tWaiting, k); err != nil {
			return err
		}
		t.sched = true
		r, err := t.intact(string(k[9:]))
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if err := t.put(tReady, readyKey(r.Job), []byte{}); err != nil {
			return err
		}
		t.st.ready(r.Peer(), 1)
	}
	return nil
}

// held returns the leased job, or ErrLost.
func (t *txn) held(l syncqueue.Lease) (*jobRecord, error) {
	r, err := t.job(l.Job.ID)
	if err != nil {
		return nil, err
	}
	if r == nil || r.State != syncqueue.Leased || r.Fence != l.Fence || !r.Until.After(t.now) {
		return nil, syncqueue.ErrLost
	}
	return r, nil
}

// Extend implements syncqueue.Queue.
func (db *DB) Extend(ctx context.Context, l syncqueue.Lease, ttl time.Duration) (syncqueue.Lease, error) {
	err := db.update(ctx, func(t *txn) error {
		r, err := t.held(l)
		if err != nil {
			return err
		}
		next := *r
		next.Until = t.now.Add(ttl)
		l.Until = next.Until
		return t.fileLease(r, &next)
	})
	return l, err
}

// Retry implements syncqueue.Queue.
func (db *DB) Retry(ctx context.Context, l syncqueue.Lease, at time.Time, cause error) error {
	return db.end(ctx, l, func(j syncqueue.Job, now time.Time) syncqueue.Job {
		return syncqueue.Retried(j, at, cause, now)
	})
}

// Bury implements syncqueue.Queue.
func (db *DB) Bury(ctx context.Context, l syncqueue.Lease, cause error) error {
	return db.end(ctx, l, func(j syncqueue.Job, now time.Time) syncqueue.Job {
		return syncqueue.Buried(j, cause, now)
	})
}

// end files what becomes of a leased job.
func (db *DB) end(ctx context.Context, l syncqueue.Lease, become func(syncqueue.Job, time.Time) syncqueue.Job) error {
	return db.update(ctx, func(t *txn) error {
		r, err := t.held(l)
		if err != nil {
			return err
		}
		return t.file(r, become(r.Job, t.now))
	})
}
