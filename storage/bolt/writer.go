package bolt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hookd/hookd/storage"
)

// A request is one caller's part of a transaction. Its function may run more
// than once and keeps nothing of a run that was undone.
type request struct {
	do   func(*txn) error
	push *pushed // instead, of what is written ahead
	err  error
	turn chan bool // false: it was answered, true: its caller is to write
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

// commit commits a batch, after what was written ahead of it, and answers it. A
// request that fails after it wrote something fails alone: bbolt has no
// savepoints, so the others are done over.
func (db *DB) commit(batch []*request) {
	held := db.ahead.waiting()
	for len(batch) > 0 {
		t, err := db.begin()
		if err != nil {
			db.line.answer(batch, err)
			return
		}
		if p, err := t.fileAhead(held); err != nil {
			err = errors.Join(err, t.tx.Rollback())
			if p == nil || p.bare {
				db.line.answer(batch, err)
				return
			}
			db.log.Error("keeping a delivery without its jobs: replay it", "delivery", p.id, "err", err)
			p.bare = true
			continue
		}
		poisoned, wrote := -1, len(held) > 0
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
			db.line.answer(batch[poisoned:poisoned+1], nil)
			batch = append(batch[:poisoned:poisoned], batch[poisoned+1:]...)
			if err != nil {
				db.line.answer(batch, err)
				return
			}
			continue
		case !wrote:
			db.line.answer(batch, t.tx.Rollback())
			return
		}
		id := t.tx.ID()
		begun := time.Now()
		err = t.commit()
		db.line.took = time.Since(begun)
		if err == nil || db.visible(id) {
			db.adopt(t)
			db.ahead.release(held, t.st.Bytes)
		} else {
			db.ahead.fail()
		}
		db.line.answer(batch, err)
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
