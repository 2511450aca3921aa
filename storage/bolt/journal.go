package bolt

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// maxScan bounds the records that one read transaction looks at, so that a
// listing that finds little does not keep the writer from its pages.
const maxScan = 2000

// Deliveries implements syncqueue.Journal.
func (db *DB) Deliveries(ctx context.Context, q syncqueue.DeliveryQuery, cursor string, limit int) ([]syncqueue.Record, string, error) {
	var out []syncqueue.Record
	more, err := db.backwards(ctx, tDeliveries, nil, cursor, func(v view, k, record []byte) (bool, error) {
		d, err := unsealDelivery(k, record)
		if err != nil || !q.Matches(d.Entry) {
			return true, err
		}
		if len(out) == limit {
			return false, nil
		}
		r, err := v.record(d)
		out = append(out, r)
		return true, err
	})
	if err != nil || !more {
		return out, "", err
	}
	return out, out[limit-1].Delivery.ID, nil
}

// backwards walks a table's keys that begin with prefix from below prefix+cursor
// down, in as many short transactions as it takes, until fn returns false; then
// more is true.
func (db *DB) backwards(ctx context.Context, t table, prefix []byte, cursor string, fn func(v view, k, record []byte) (bool, error)) (more bool, err error) {
	to := after(prefix)
	if cursor != "" {
		to = append(bytes.Clone(prefix), cursor...)
	}
	db.settle()
	for rest := true; rest; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		err := db.view(func(v view) error {
			rest = false
			c := v.bucket(t).Cursor()
			k, record := below(c, to)
			for n := 0; k != nil && bytes.HasPrefix(k, prefix); k, record = c.Prev() {
				if n++; n > maxScan {
					rest = true
					return nil
				}
				on, err := fn(v, k, record)
				if err != nil || !on {
					more = !on
					return err
				}
				to = bytes.Clone(k)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return more, nil
}

// below moves to the last key that sorts before to; nil is after everything.
func below(c *bbolt.Cursor, to []byte) (k, record []byte) {
	if to == nil {
		return c.Last()
	}
	if k, _ = c.Seek(to); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// after is the first key that sorts after all that begin with prefix, nil if
// there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			next := bytes.Clone(prefix[:i+1])
			next[i]++
			return next
		}
	}
	return nil
}

// Delivery implements syncqueue.Journal.
func (db *DB) Delivery(_ context.Context, prefix string) (r syncqueue.Record, err error) {
	err = db.settled(func(v view) error {
		d, err := v.delivery(prefix)
		if err != nil {
			return err
		}
		r, err = v.record(d)
		return err
	})
	return r, err
}

// delivery finds a delivery by id or unique prefix.
func (v view) delivery(prefix string) (d deliveryRecord, err error) {
	id, err := v.resolve(tDeliveries, prefix)
	if err != nil {
		return d, err
	}
	return unsealDelivery([]byte(id), v.value(tDeliveries, []byte(id)))
}

func (v view) record(d deliveryRecord) (syncqueue.Record, error) {
	id := []byte(d.Delivery.ID)
	r := syncqueue.Record{Entry: d.Entry, Size: d.Size, HasBody: v.has(tBodies, id)}
	var details providers.Details
	ok, err := v.get(tDetails, id, &details)
	if err != nil {
		return r, err
	}
	if ok {
		r.Details = &details
	}
	jobs, err := v.jobsOf(d.Delivery.ID)
	r.JobCount = len(jobs)
	return r, err
}

// Body implements syncqueue.Journal.
func (db *DB) Body(_ context.Context, prefix string) (out providers.Delivery, err error) {
	err = db.settled(func(v view) error {
		d, err := v.delivery(prefix)
		if err != nil {
			return err
		}
		out = d.Delivery
		key := []byte(out.ID)
		record := v.value(tBodies, key)
		if record == nil {
			return syncqueue.ErrUnknown
		}
		out.Body, err = unpackBody(key, record, d.Size)
		return err
	})
	if err != nil {
		return providers.Delivery{}, err
	}
	return out, nil
}

// Known implements syncqueue.Journal. It asks the writer, who alone may look at
// the index of what is known.
func (db *DB) Known(ctx context.Context, provider string, guids []string) (known []bool, oldest time.Time, err error) {
	err = db.update(ctx, func(t *txn) error {
		known, oldest = make([]bool, len(guids)), time.Time{}
		for i, g := range guids {
			var err error
			if _, known[i], err = t.known(guid{provider, g}); err != nil {
				return err
			}
		}
		k, record := t.bucket(tDeliveries).Cursor().First()
		if k == nil {
			return nil
		}
		first, err := unsealDelivery(k, record)
		oldest = first.Delivery.Received
		return err
	})
	return known, oldest, err
}

// JobsOf implements syncqueue.Journal: oldest first.
func (db *DB) JobsOf(_ context.Context, deliveryID string) (out []syncqueue.Job, err error) {
	err = db.settled(func(v view) error {
		out = nil
		ids, err := v.jobsOf(deliveryID)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r, err := v.job(id)
			if err != nil {
				return err
			}
			out = append(out, r.Job)
		}
		return nil
	})
	return out, err
}

// jobsOf returns the ids of a delivery's jobs that still exist, oldest first.
func (v view) jobsOf(delivery string) (ids []string, err error) {
	prefix := join(delivery)
	err = v.each(tCaused, prefix, func(k, _ []byte) (bool, error) {
		if id := k[len(prefix):]; v.has(tJobs, id) {
			ids = append(ids, string(id))
		}
		return true, nil
	})
	slices.Sort(ids)
	return ids, err
}
