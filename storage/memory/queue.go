package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

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
