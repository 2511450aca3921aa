package bolt

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// fileEvery is how long pushes that keep coming wait to be filed together,
// unless a transaction takes them along. No job is due that early (see
// syncqueue.Timing).
const fileEvery = 100 * time.Millisecond

// fileAgain is when to try again after a transaction failed.
const fileAgain = time.Second

// fileSoon sees to it that what is held is filed, though nobody may ask for a
// transaction: at once, unless that was done only just now.
func (db *DB) fileSoon() {
	a := &db.ahead
	if !a.filing.CompareAndSwap(false, true) {
		return
	}
	a.filer.Go(func() {
		for wait := a.wait(); a.rest(wait); {
			if err := db.file(); err != nil {
				db.log.Error("deliveries stay in the write-ahead log for now", "err", err)
				wait = fileAgain
				continue
			}
			a.filing.Store(false)
			if !a.some.Load() || !a.filing.CompareAndSwap(false, true) {
				return
			}
			wait = a.wait()
		}
	})
}

// wait is how long those that are held may wait for more.
func (a *ahead) wait() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fileEvery - time.Since(a.at)
}

// rest returns after d, or false as soon as the engine ends.
func (a *ahead) rest(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.ended:
		return false
	}
}

// file files what is held and returns when that is committed.
func (db *DB) file() error {
	return db.update(context.Background(), func(*txn) error { return nil })
}

// settled runs fn in a view that shows every delivery that was pushed.
func (db *DB) settled(fn func(view) error) error {
	db.settle()
	return db.view(fn)
}

// settle lets views from now on show every delivery that was pushed. If it
// cannot be filed, which the log tells, they show what is there.
func (db *DB) settle() {
	if db.ahead.some.Load() {
		_ = db.file()
	}
}

// fileAhead files pushes in a transaction. One that cannot be filed as a whole
// is returned; after an error nothing of the transaction may be kept.
func (t *txn) fileAhead(held []*pushed) (*pushed, error) {
	if len(held) == 0 {
		return nil, nil
	}
	t.merging = map[string]*merging{}
	for _, p := range held {
		if t.has(tDeliveries, []byte(p.id)) {
			continue // its log said that it failed, and then a transaction did it
		}
		if err := t.do(p.file); err != nil {
			return p, err
		}
	}
	t.st.Filed = held[len(held)-1].number
	return nil, t.do((*txn).merged)
}

// A merging is a job that pushes of one transaction coalesce with: it is stored
// once for all of them.
type merging struct {
	old *jobRecord
	job syncqueue.Job
}

// merged stores what came of the jobs that were coalesced with.
func (t *txn) merged() error {
	all := t.merging
	t.merging = nil
	for _, id := range slices.Sorted(maps.Keys(all)) {
		m := all[id] // of what was stored: nothing in it has to be made so
		if err := t.fileStored(m.old, became(m.old, m.job)); err != nil {
			return err
		}
	}
	return nil
}
