package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hookd/hookd/storage"
)

// maxBatch bounds a transaction in requests, and so the memory it takes.
const maxBatch = 512

// fewCallers is how many callers share each transaction rather than take turns:
// what so few prepare is done long before a disk has synced.
const fewCallers = 32

// A request is one caller's part of a transaction. Its function may run more
// than once and keeps nothing of a run that was undone.
type request struct {
	do   func(*txn) error
	err  error
	turn chan bool // false: it was answered, true: its caller is to write
}

// A line is where requests queue up. Of those that wait one caller at a time
// writes, for all of them: a goroutine of its own would cost the only caller
// two switches for each commit.
type line struct {
	mu      sync.Mutex
	waiting []*request
	writing bool // somebody is
	last    int  // requests of the last batch
	shut    bool
	open    sync.WaitGroup // requests that are not answered
}

// update runs fn in a write transaction that it may share with others, and
// returns when that was committed and synced. It does not give up when ctx is
// done later: the caller could not know then what became of it.
func (db *DB) update(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{do: fn, turn: make(chan bool, 1)}
	write, ok := db.line.enter(r)
	if !ok {
		return storage.ErrClosed
	}
	if write || <-r.turn {
		db.commit(db.line.gather())
		db.line.pass()
	}
	return r.err
}

// enter queues a request up, unless the line is shut, and reports whether its
// caller is to write at once.
func (l *line) enter(r *request) (write, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return false, false
	}
	l.open.Add(1)
	l.waiting = append(l.waiting, r)
	write = !l.writing
	l.writing = true
	return write, true
}

// gather takes the next batch, of which the request of who writes is the first.
//
// With few callers it lets those of the last batch, who were only just answered,
// come back first, or every second batch would be small. With many it leaves
// half of them out: while one half is synced, the other prepares its requests,
// and neither the processors nor the disk wait.
func (l *line) gather() []*request {
	for before := 0; ; {
		l.mu.Lock()
		n := len(l.waiting)
		most := min(max(fewCallers, (n+l.last+1)/2), maxBatch)
		if n == before || n >= most {
			n = min(n, most)
			batch := slices.Clone(l.waiting[:n])
			l.waiting = append(l.waiting[:0:0], l.waiting[n:]...)
			l.last = n
			l.mu.Unlock()
			return batch
		}
		l.mu.Unlock()
		before = n
		runtime.Gosched()
	}
}

// pass lets the next caller write.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.writing = len(l.waiting) > 0; l.writing {
		l.waiting[0].turn <- true
	}
}

// close refuses requests from now on and returns when all are answered. It
// reports whether it was open.
func (l *line) close() bool {
	l.mu.Lock()
	was := !l.shut
	l.shut = true
	l.mu.Unlock()
	l.open.Wait()
	return was
}

func (l *line) closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut
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
		r.turn <- false
		db.line.open.Done()
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
