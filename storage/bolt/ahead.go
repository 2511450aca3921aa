package bolt

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/storage"
)

// maxAhead bounds the pushes that are written ahead and not filed yet: what one
// transaction files, and what is left to be done after a crash.
const maxAhead = 4096

// An ahead holds the pushes that are safe in the write-ahead log and that the
// next transaction files, whoever asked for that. To append and sync takes a
// small part of what a transaction of bbolt does, and hundreds of pushes that
// are filed at once touch hardly more pages than one.
type ahead struct {
	line   line // of those who push
	wal    *wal
	filing atomic.Bool // somebody sees to it that they are filed
	some   atomic.Bool // there are any
	ended  chan struct{}
	filer  sync.WaitGroup

	mu     sync.Mutex
	held   []*pushed    // in the order of their numbers
	bytes  int64        // of those
	guids  map[guid]int // of those, and of pushes that are about
	stored int64        // live bytes in the data file
	filed  uint64       // number of the last push that is in the data file
	at     time.Time    // when they were last filed
	stuck  bool         // the last attempt to file them failed
}

// errNotAhead means that a push is for a transaction of its own.
var errNotAhead = errors.New("bolt: not written ahead")

// writeAhead journals a push and returns when it is on disk, or errNotAhead
// if only a transaction can tell what becomes of it: it may be known already,
// there may be no room. Then its caller has to call leave afterwards.
func (db *DB) writeAhead(ctx context.Context, p *pushed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{push: p, turn: make(chan bool, 1)}
	write, ok := db.ahead.line.enter(r)
	if !ok {
		return storage.ErrClosed
	}
	if write || <-r.turn {
		db.append(db.ahead.line.gather())
		db.ahead.line.pass()
	}
	return r.err
}

// append writes a batch to the log and answers it.
func (db *DB) append(batch []*request) {
	a := &db.ahead
	begun := time.Now()
	fresh, filed := a.admit(batch, db)
	if len(fresh) > 0 {
		if err := a.wal.append(fresh, filed); err != nil {
			if !errors.Is(err, errNoRoom) && !errors.Is(err, storage.ErrFull) {
				db.log.Error("writing a delivery to the data file at once, because the write-ahead log fails", "err", err)
			}
			for _, r := range batch {
				r.err = errNotAhead
			}
		} else {
			a.hold(fresh)
			db.fileSoon()
		}
	}
	a.line.took = time.Since(begun)
	a.line.answer(batch, nil)
}

// admit returns the pushes of a batch that can be written ahead; the others get
// errNotAhead. Nobody else with the guid of any is let in until it is filed, or
// until its caller leaves.
func (a *ahead) admit(batch []*request, db *DB) (fresh []*pushed, filed uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, bytes := len(a.held), a.stored+a.bytes
	for _, r := range batch {
		p := r.push
		bytes += p.size()
		if a.known(p.guid, db.seen) || a.stuck || !p.plain() || n == maxAhead || db.maxBytes > 0 && bytes > db.maxBytes {
			r.err = errNotAhead
			continue
		}
		n++
		fresh = append(fresh, p)
	}
	return fresh, a.filed
}

// known reports whether a push of g may be a repetition, and notes that there is
// one more. What was filed is looked for last: it is noted there before it is
// forgotten here.
func (a *ahead) known(g guid, seen *dedupe) (known bool) {
	if g.guid == "" {
		return false
	}
	if known = a.guids[g] > 0; !known {
		_, known = seen.find(g)
	}
	a.guids[g]++
	return known
}

// leave forgets a push that was not written ahead, and that is in the data file
// now or will not be.
func (a *ahead) leave(g guid) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.drop(g)
}

func (a *ahead) drop(g guid) {
	if a.guids[g]--; a.guids[g] <= 0 {
		delete(a.guids, g)
	}
}

// hold keeps what is in the log until it is filed.
func (a *ahead) hold(fresh []*pushed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = append(a.held, fresh...)
	for _, p := range fresh {
		a.bytes += p.size()
	}
	a.some.Store(true)
}

// waiting returns what is to be filed.
func (a *ahead) waiting() []*pushed {
	if !a.some.Load() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clip(a.held)
}

// fail notes that nothing could be committed: who pushes shall be told so.
func (a *ahead) fail() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stuck = true
}

// release forgets the first pushes, which are in the data file now, of which
// stored bytes are live.
func (a *ahead) release(filed []*pushed, stored int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stored, a.stuck = stored, false
	if len(filed) == 0 {
		return
	}
	for _, p := range filed {
		a.bytes -= p.size()
		a.drop(p.guid)
		p.done()
	}
	a.held = slices.Clone(a.held[len(filed):])
	a.some.Store(len(a.held) > 0)
	a.filed, a.at = filed[len(filed)-1].number, time.Now()
}
