package bolt

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// A txn is one write transaction, shared by the requests of a batch. What it
// changes outside the file is collected and takes effect after the commit.
type txn struct {
	view
	db    *DB
	now   time.Time
	st    state
	wrote bool     // the request at work wrote something
	sched bool     // what Lease waits for changed
	plan  schedule // of this commit, if sched
	after []func()
	guids map[guid]string // deliveries of this batch
}

// state is what an engine counts; it is one record, rewritten by each commit.
type state struct {
	Fence   uint64                    `json:"fence"`
	Clock   time.Time                 `json:"clock"`   // the time of the last commit
	Claims  uint64                    `json:"claims"`  // orders the claims to logins and paths
	Visible uint64                    `json:"visible"` // orders visible records of one instant
	Paused  bool                      `json:"paused,omitempty"`
	Turn    map[syncqueue.Lane]string `json:"turn,omitempty"` // the organization served last
	Jobs    map[syncqueue.State]int   `json:"jobs"`
	Due     int                       `json:"due"`               // jobs in the ready table
	Bytes   int64                     `json:"bytes"`             // live bytes of deliveries, bodies and jobs
	Targets map[string][]string       `json:"targets,omitempty"` // provider -> targets seen
}

func (s state) clone() state {
	s.Turn, s.Jobs, s.Targets = maps.Clone(s.Turn), maps.Clone(s.Jobs), maps.Clone(s.Targets)
	if s.Turn == nil {
		s.Turn = map[syncqueue.Lane]string{}
	}
	if s.Jobs == nil {
		s.Jobs = map[syncqueue.State]int{}
	}
	if s.Targets == nil {
		s.Targets = map[string][]string{}
	}
	return s
}

// target remembers that a target follows a provider.
func (t *txn) target(provider, target string) {
	if known := t.st.Targets[provider]; !slices.Contains(known, target) {
		t.st.Targets[provider] = append(slices.Clone(known), target)
		t.wrote = true
	}
}

// begin starts a write transaction.
func (db *DB) begin() (*txn, error) {
	tx, err := db.bolt.Begin(true)
	if err != nil {
		return nil, fmt.Errorf("bolt: beginning a transaction: %w", closed(err))
	}
	return &txn{view: view{tx}, db: db, st: db.st.clone(), guids: map[guid]string{}}, nil
}

// do runs one request. A panic counts as having written: nobody knows what the
// transaction looks like after it.
func (t *txn) do(fn func(*txn) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			t.wrote = true
			err = fmt.Errorf("bolt: the data file is damaged: %v", v)
		}
	}()
	t.wrote, t.now = false, t.db.now()
	if d := syncqueue.SetBack(t.st.Clock, t.now); d > 0 {
		if err := t.setBack(d); err != nil {
			return err
		}
	}
	t.st.Clock = t.now
	return fn(t)
}

func (t *txn) put(in table, key, record []byte) error {
	t.wrote = true
	b := t.bucket(in)
	b.FillPercent = in.fill()
	if err := b.Put(key, record); err != nil {
		return fmt.Errorf("bolt: writing to %s: %w", in, err)
	}
	return nil
}

func (t *txn) putJSON(in table, key []byte, v any) error {
	record, err := sealJSON(key, v)
	if err != nil {
		return err
	}
	return t.put(in, key, record)
}

func (t *txn) del(in table, key []byte) error {
	t.wrote = true
	if err := t.bucket(in).Delete(key); err != nil {
		return fmt.Errorf("bolt: deleting from %s: %w", in, err)
	}
	return nil
}

// add writes a record whose size counts, under a key that has none.
func (t *txn) add(in table, key, record []byte) error {
	t.st.Bytes += int64(len(record))
	return t.put(in, key, record)
}

// swap rewrites a record whose size counts.
func (t *txn) swap(in table, key, record []byte) error {
	t.st.Bytes += int64(len(record)) - int64(len(t.bucket(in).Get(key)))
	if record == nil {
		return t.del(in, key)
	}
	return t.put(in, key, record)
}

// commit ends the transaction. When it fails nothing of it is kept, and the
// next one can begin.
func (t *txn) commit() (err error) {
	defer func() {
		if err != nil {
			_ = t.tx.Rollback() // unless bbolt did
		}
	}()
	defer recovered(&err)
	if t.sched {
		t.plan = schedule{due: t.st.Due, next: t.next(), paused: t.st.Paused, seen: t.now}
	}
	if err := t.putJSON(tMeta, metaState, t.st); err != nil {
		return err
	}
	if err := t.tx.Commit(); err != nil {
		return fmt.Errorf("bolt: committing: %w", full(err))
	}
	return nil
}
