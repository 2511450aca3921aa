package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hookd/hookd/storage"
)

const (
	// linger is how long a batch waits for requests that are on their way.
	linger = 200 * time.Microsecond
	// maxBatch bounds a transaction in requests, and so the memory it takes.
	maxBatch = 512
)

// A request is one caller's part of a transaction. Its function may run more
// than once and keeps nothing of a run that was undone.
type request struct {
	do   func(*txn) error
	err  error
	done chan struct{}
}

// update runs fn in a write transaction that it may share with others, and
// returns when that was committed and synced. It does not give up when ctx is
// done later: the caller could not know then what became of it.
func (db *DB) update(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{do: fn, done: make(chan struct{})}
	db.gate.RLock()
	if db.shut {
		db.gate.RUnlock()
		return storage.ErrClosed
	}
	db.flying.Add(1)
	db.requests <- r
	db.gate.RUnlock()
	<-r.done
	return r.err
}

// write is the one writer: it gathers what queued up while the last batch was
// synced and commits it at once.
func (db *DB) write() {
	defer close(db.written)
	for {
		batch := db.gather()
		if batch == nil {
			return
		}
		db.commit(batch)
	}
}

// gather returns the next batch, nil when the engine is closed. It takes all
// requests in flight if they come soon.
func (db *DB) gather() []*request {
	r, ok := <-db.requests
	if !ok {
		return nil
	}
	batch := []*request{r}
	drain := func() {
		for len(batch) < maxBatch {
			select {
			case r, ok := <-db.requests:
				if !ok {
					return
				}
				batch = append(batch, r)
			default:
				return
			}
		}
	}
	// The callers of the last batch were only just answered: let them run, or
	// they all would miss this one and every second batch would be small.
	for before := 0; before < len(batch); {
		before = len(batch)
		runtime.Gosched()
		drain()
	}
	var late <-chan time.Time
	for len(batch) < maxBatch && int64(len(batch)) < db.flying.Load() {
		if late == nil {
			t := time.NewTimer(linger)
			defer t.Stop()
			late = t.C
		}
		select {
		case r, ok := <-db.requests:
			if !ok {
				return batch
			}
			batch = append(batch, r)
		case <-late:
			return batch
		}
	}
	return batch
}

// commit commits a batch and answers it. A request that fails after it wrote
// something fails alone: bbolt has no savepoints, so the others are done over.
func (db *DB) commit(batch []*request) {
	for len(batch) > 0 {
		t, err := db.begin()
		if err != nil {
			db.answer(batch, err)
			return
		}
		poisoned, wrote := -1, false
		for i, r := range batch {
			r.err = t.do(r.do)
			wrote = wrote || t.wrote
			if r.err != nil && t.wrote {
				poisoned = i
				break
			}
		}
		switch {
		case poisoned >= 0:
			err = t.tx.Rollback()
			db.answer(batch[poisoned:poisoned+1], nil)
			batch = append(batch[:poisoned:poisoned], batch[poisoned+1:]...)
			if err != nil {
				db.answer(batch, err)
				return
			}
			continue
		case !wrote:
			db.answer(batch, t.tx.Rollback())
			return
		}
		if t.sched {
			t.plan = schedule{due: t.st.Due, next: t.next(), paused: t.st.Paused, seen: t.now}
		}
		id := t.tx.ID()
		err = t.commit()
		if err == nil || db.visible(id) {
			db.adopt(t)
		}
		db.answer(batch, err)
		return
	}
}

// adopt lets what was committed take effect in memory.
func (db *DB) adopt(t *txn) {
	db.st = t.st
	for _, fn := range t.after {
		fn()
	}
	if t.sched {
		db.clock.set(t.plan)
	}
}

// visible reports whether a transaction whose commit failed shows all the same:
// the last sync of its meta page failed, so nobody was promised anything, but
// what is in memory has to agree with the file.
func (db *DB) visible(id int) bool {
	shows := false
	err := db.view(func(v view) error {
		shows = v.tx.ID() >= id
		return nil
	})
	return err == nil && shows
}

// answer ends the requests: with err, if there is one, for all of them.
func (db *DB) answer(batch []*request, err error) {
	for _, r := range batch {
		if err != nil {
			r.err = err
		}
		db.flying.Add(-1)
		close(r.done)
	}
}

// full marks the errors that mean that there is no room. When bbolt fails to
// grow the file it keeps no more than the text of the reason.
func full(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, bolterrors.ErrMaxSizeReached} {
		if errors.Is(err, e) || strings.Contains(err.Error(), e.Error()) {
			return fmt.Errorf("%w: %w", storage.ErrFull, err)
		}
	}
	return err
}
