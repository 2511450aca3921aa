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
	db      *DB
	now     time.Time
	st      state
	wrote   bool     // the request at work wrote something
	sched   bool     // what Lease waits for changed
	plan    schedule // of this commit, if sched
	after   []func()
	guids   map[guid]string     // deliveries of this batch
	merging map[string]*merging // by id of the job, while pushes are filed that were written ahead
}

// state is what an engine counts; it is one record, rewritten by each commit.
type state struct {
	Fence   uint64                            `json:"fence"`
	Clock   time.Time                         `json:"clock"`           // the time of the last commit
	Filed   uint64                            `json:"filed,omitempty"` // number of the last push of the write-ahead log that is here
	Claims  uint64                            `json:"claims"`          // orders the claims to logins and paths
	Visible uint64                            `json:"visible"`         // orders visible records of one instant
	Paused  bool                              `json:"paused,omitempty"`
	Peer    syncqueue.Peer                    `json:"peer,omitzero"`     // the peer served last, among those that a Lease allowed
	Turns   map[syncqueue.Peer]syncqueue.Turn `json:"turns,omitempty"`   // of those that have been served
	Ready   map[syncqueue.Peer]int            `json:"ready,omitempty"`   // jobs in the ready table
	Running map[syncqueue.Peer]map[string]int `json:"running,omitempty"` // leased jobs by organization
	Jobs    map[syncqueue.State]int           `json:"jobs"`
	Bytes   int64                             `json:"bytes"`             // live bytes of deliveries, bodies and jobs
	Targets map[string][]string               `json:"targets,omitempty"` // provider -> targets seen
}

func (s state) clone() state {
	s.Turns, s.Ready, s.Jobs, s.Targets = copied(s.Turns), copied(s.Ready), copied(s.Jobs), copied(s.Targets)
	running := make(map[syncqueue.Peer]map[string]int, len(s.Running))
	for p, orgs := range s.Running {
		running[p] = maps.Clone(orgs)
	}
	s.Running = running
	return s
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// ready counts jobs that enter the ready table or leave it.
func (s *state) ready(p syncqueue.Peer, n int) {
	if s.Ready[p] += n; s.Ready[p] == 0 {
		delete(s.Ready, p)
	}
}

// due is how many jobs are in the ready table.
func (s *state) due() (n int) {
	for _, k := range s.Ready {
		n += k
	}
	return n
}

// running counts leases that begin or end.
func (s *state) running(j syncqueue.Job, n int) {
	p := j.Peer()
	if s.Running[p] == nil {
		s.Running[p] = map[string]int{}
	}
	if s.Running[p][j.Org] += n; s.Running[p][j.Org] == 0 {
		delete(s.Running[p], j.Org)
	}
	if len(s.Running[p]) == 0 {
		delete(s.Running, p)
	}
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
	return &txn{view: viewOf(tx), db: db, st: db.st.clone(), guids: map[guid]string{}}, nil
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
	t.st.Bytes += int64(len(record)) - int64(len(t.value(in, key)))
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
		t.plan = schedule{due: maps.Clone(t.st.Ready), turns: maps.Clone(t.st.Turns), next: t.next(), paused: t.st.Paused, seen: t.now}
	}
	if err := t.putJSON(tMeta, metaState, t.st); err != nil {
		return err
	}
	if err := t.tx.Commit(); err != nil {
		return fmt.Errorf("bolt: committing: %w", full(err))
	}
	return nil
}
