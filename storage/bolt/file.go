package bolt

import (
	"bytes"
	"errors"
	"slices"

	"github.com/hookd/hookd/syncqueue"
)

// intact returns the job of an id that stands in some index, nil if its record
// is gone or damaged. One unreadable job must not stop the others: whoever
// asked takes it out of the index, and the next push of its key begins anew.
func (t *txn) intact(id string) (*jobRecord, error) {
	r, err := t.job(id)
	var damaged *DamagedError
	if errors.As(err, &damaged) {
		t.db.log.Error("giving up a job that cannot be read", "job", id, "err", err)
		return nil, nil //nolint:nilerr // logged: there is nothing more to be done about it
	}
	return r, err
}

// job is that of the view, which the writer need not decode again.
func (t *txn) job(id string) (*jobRecord, error) {
	record := t.value(tJobs, []byte(id))
	if r, ok := t.db.recent.find(id, record); ok {
		return r, nil
	}
	return unsealJob(id, record)
}

// file stores j as what became of old (nil if it is new), in every table that
// its state asks for. A job that stays leased keeps its lease.
func (t *txn) file(old *jobRecord, j syncqueue.Job) error { return t.fileLease(old, became(old, j)) }

func became(old *jobRecord, j syncqueue.Job) *jobRecord {
	r := &jobRecord{Job: j}
	if old != nil && j.State == syncqueue.Leased {
		r.Fence, r.Until = old.Fence, old.Until
	}
	return r
}

func (t *txn) fileLease(old, r *jobRecord) error { return t.fileStored(old, asStored(r)) }

// fileStored is fileLease for a record that is as asStored returns it, and that
// nobody else refers to.
func (t *txn) fileStored(old, r *jobRecord) error {
	if old == nil || !t.stays(old, r) {
		if old != nil {
			if err := t.unfile(old, r.State); err != nil {
				return err
			}
		}
		if err := t.index(old, r); err != nil {
			return err
		}
	}
	record, err := sealJob([]byte(r.ID), r)
	if err != nil {
		return err
	}
	t.db.recent.keep(r, record)
	return t.swap(tJobs, []byte(r.ID), record)
}

// stays reports whether a job that is due, or waits, does so where it stands
// already: in a storm most are pushed again without becoming due any later.
func (t *txn) stays(old, r *jobRecord) bool {
	if old.State != syncqueue.Ready || r.State != syncqueue.Ready {
		return false
	}
	in, key := tReady, readyKey
	if r.NotBefore.After(t.now) {
		in, key = tWaiting, waitingKey
	}
	k := key(r.Job)
	return bytes.Equal(k, key(old.Job)) && t.has(in, k)
}

// index counts r and enters it into the table of its state.
func (t *txn) index(old, r *jobRecord) error {
	t.st.Jobs[r.State]++
	t.sched = true
	if r.State != syncqueue.Done && (old == nil || old.State != r.State) {
		if err := t.put(tStates, stateKey(r.Job), []byte{}); err != nil {
			return err
		}
	}
	switch r.State {
	case syncqueue.Ready:
		if r.NotBefore.After(t.now) {
			return t.put(tWaiting, waitingKey(r.Job), []byte{})
		}
		t.st.ready(r.Peer(), 1)
		return t.put(tReady, readyKey(r.Job), []byte{})
	case syncqueue.Leased:
		t.st.running(r.Job, 1)
		return t.put(tLeased, leasedKey(r), []byte{})
	case syncqueue.Done:
		if err := t.del(tKeys, []byte(r.Key)); err != nil || t.announced(r.Job) {
			return err
		}
		return t.put(tEnded, endedKey(r.Job), []byte{})
	}
	return nil
}

// unfile removes r from the table of its state, before it gets a new one.
func (t *txn) unfile(r *jobRecord, to syncqueue.State) error {
	t.st.Jobs[r.State]--
	if r.State != syncqueue.Done && r.State != to {
		if err := t.del(tStates, stateKey(r.Job)); err != nil {
			return err
		}
	}
	switch r.State {
	case syncqueue.Ready:
		if key := waitingKey(r.Job); t.has(tWaiting, key) {
			return t.del(tWaiting, key)
		}
		if key := readyKey(r.Job); t.has(tReady, key) {
			t.st.ready(r.Peer(), -1)
			return t.del(tReady, key)
		}
	case syncqueue.Leased:
		t.st.running(r.Job, -1)
		return t.del(tLeased, leasedKey(r))
	case syncqueue.Done:
		return t.del(tEnded, endedKey(r.Job))
	}
	return nil
}

// announced reports whether a delivery among the job's causes is still
// journalled.
func (t *txn) announced(j syncqueue.Job) bool {
	return slices.ContainsFunc(j.Causes, func(c syncqueue.Cause) bool {
		return c.Delivery != "" && t.has(tDeliveries, []byte(c.Delivery))
	})
}

// cause remembers which deliveries led to a job. Filed is the one that this
// request files, if any.
func (t *txn) cause(job string, causes []syncqueue.Cause, filed string) error {
	for _, c := range causes {
		key := causedKey(c.Delivery, job)
		if c.Delivery == "" || c.Delivery != filed && (t.has(tCaused, key) || !t.has(tDeliveries, []byte(c.Delivery))) {
			continue
		}
		if err := t.put(tCaused, key, []byte{}); err != nil {
			return err
		}
	}
	return nil
}
