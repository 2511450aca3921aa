package bolt

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

var errNoKey = errors.New("bolt: a job without a key")

func keyed(jobs []syncqueue.Job) error {
	if slices.ContainsFunc(jobs, func(j syncqueue.Job) bool { return j.Key == "" }) {
		return errNoKey
	}
	return nil
}

// Push implements syncqueue.Queue. A push that is new and fits goes to the
// write-ahead log; of any other a transaction has to tell.
func (db *DB) Push(ctx context.Context, e syncqueue.Entry, jobs ...syncqueue.Job) (syncqueue.Receipt, error) {
	if err := keyed(jobs); err != nil {
		return syncqueue.Receipt{}, err
	}
	if e.Delivery.ID == "" {
		e.Delivery.ID = syncqueue.NewID(db.now())
	}
	p, err := made(e, jobs, db.now())
	if err != nil {
		return syncqueue.Receipt{}, err
	}
	switch err := db.writeAhead(ctx, p); {
	case err == nil:
		return p.receipt(), nil
	case !errors.Is(err, errNotAhead):
		return syncqueue.Receipt{}, err
	}
	defer p.done()
	defer db.ahead.leave(p.guid)
	return db.pushNow(ctx, p)
}

// pushNow pushes in a transaction.
func (db *DB) pushNow(ctx context.Context, p *pushed) (receipt syncqueue.Receipt, err error) {
	err = db.update(ctx, func(t *txn) error {
		receipt = syncqueue.Receipt{}
		first, known, err := t.known(p.guid)
		if err != nil {
			return err
		}
		if known {
			receipt, err = t.repeated(first)
			return err
		}
		if err := t.room(); err != nil {
			return err
		}
		if t.has(tDeliveries, []byte(p.id)) {
			return errors.New("bolt: a delivery with this id is already journalled")
		}
		receipt = p.receipt()
		return p.file(t)
	})
	return receipt, err
}

// Repeat implements syncqueue.Queue. It asks the writer, who alone may look at
// the index of what is known.
func (db *DB) Repeat(ctx context.Context, provider, id string) (syncqueue.Receipt, error) {
	var receipt syncqueue.Receipt
	err := db.update(ctx, func(t *txn) error {
		receipt = syncqueue.Receipt{}
		first, known, err := t.known(guid{provider, id})
		switch {
		case err != nil:
			return err
		case !known:
			return syncqueue.ErrUnknown
		}
		receipt, err = t.repeated(first)
		return err
	})
	return receipt, err
}

// known finds the delivery of g: in this batch, or in the journal.
func (t *txn) known(g guid) (string, bool, error) {
	if g.guid == "" {
		return "", false, nil
	}
	if id, ok := t.guids[g]; ok {
		return id, true, nil
	}
	id, ok := t.db.seen.find(g)
	if !ok {
		return "", false, nil
	}
	record := t.value(tDeliveries, []byte(id))
	if record == nil {
		return "", false, nil
	}
	have, _, err := cutDelivery([]byte(id), record)
	return id, have == g, err
}

// repeated is the answer to a delivery that is journalled already.
func (t *txn) repeated(first string) (syncqueue.Receipt, error) {
	n, err := t.reviveOf(first)
	return syncqueue.Receipt{Delivery: first, Jobs: n}, err
}

// reviveOf wakes the dead jobs of a delivery and returns how many there were.
func (t *txn) reviveOf(delivery string) (int, error) {
	ids, err := t.jobsOf(delivery)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, id := range ids {
		r, err := t.job(id)
		if err != nil {
			return 0, err
		}
		if r == nil || r.State != syncqueue.Dead {
			continue
		}
		if err := t.file(r, syncqueue.Awake(r.Job, t.now)); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// Enqueue implements syncqueue.Queue.
func (db *DB) Enqueue(ctx context.Context, c syncqueue.Cause, jobs ...syncqueue.Job) ([]string, error) {
	if err := keyed(jobs); err != nil {
		return nil, err
	}
	jobs = slices.Clone(jobs)
	for i := range jobs {
		j := &jobs[i]
		if c.Delivery != "" || c.By != "" {
			j.Causes = append(slices.Clone(j.Causes), c)
		}
		if c.Delivery != "" && j.Since.IsZero() {
			j.Since = c.At
		}
	}
	var ids []string
	err := db.update(ctx, func(t *txn) error {
		ids = make([]string, 0, len(jobs))
		for _, j := range jobs {
			id, err := t.push(j)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// A draft is a pushed job and, if that is made, what is stored of it unless it
// coalesces with another.
type draft struct {
	job    syncqueue.Job
	fresh  *jobRecord
	record []byte
}

func drafted(j syncqueue.Job, now time.Time) (draft, error) {
	if j.NotBefore.IsZero() {
		j.NotBefore = now
	}
	r := asStored(&jobRecord{Job: syncqueue.Fresh(j, now)})
	record, err := sealJob([]byte(r.ID), r)
	return draft{job: r.Job, fresh: r, record: record}, err
}

// push files j, or coalesces it with the job of its key, and returns the id.
func (t *txn) push(j syncqueue.Job) (string, error) {
	if j.NotBefore.IsZero() {
		j.NotBefore = t.now
	}
	return t.pushDraft(draft{job: j}, "")
}

// pushDraft is push for a draft of the delivery that this request files, if any.
func (t *txn) pushDraft(x draft, filed string) (string, error) {
	key := []byte(x.job.Key)
	if id := t.value(tKeys, key); id != nil {
		if m := t.merging[string(id)]; m != nil {
			m.job = syncqueue.Merge(m.job, x.job)
			return m.old.ID, t.cause(m.old.ID, x.job.Causes, filed)
		}
		old, err := t.intact(string(id))
		if err != nil {
			return "", err
		}
		if old != nil {
			job := syncqueue.Merge(old.Job, x.job)
			if t.merging != nil {
				t.merging[old.ID] = &merging{old, job}
			} else if err := t.file(old, job); err != nil {
				return "", err
			}
			return old.ID, t.cause(old.ID, x.job.Causes, filed)
		}
	}
	if x.fresh == nil {
		var err error
		if x, err = drafted(x.job, t.now); err != nil {
			return "", err
		}
	}
	id := []byte(x.fresh.ID)
	if err := errors.Join(t.put(tKeys, key, id), t.index(nil, x.fresh), t.add(tJobs, id, x.record)); err != nil {
		return "", err
	}
	t.db.recent.keep(x.fresh, x.record)
	return x.fresh.ID, t.cause(x.fresh.ID, x.fresh.Causes, filed)
}
