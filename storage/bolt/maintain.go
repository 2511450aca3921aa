package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// maxDrops bounds what one transaction forgets.
const maxDrops = 500

// Maintain implements storage.Maintainer.
func (db *DB) Maintain(ctx context.Context, now time.Time) (storage.Swept, error) {
	var total storage.Swept
	for _, pass := range []func(*sweep) error{
		(*sweep).oldBodies, (*sweep).oldDeliveries, (*sweep).ended, (*sweep).oldVisible, (*sweep).tombstones,
		(*sweep).overBound,
	} {
		var from []byte
		for rest := true; rest; {
			var s sweep
			err := db.update(ctx, func(t *txn) error {
				s = sweep{t: t, now: now, from: bytes.Clone(from)}
				return pass(&s)
			})
			if err != nil {
				return total, err
			}
			total.Deliveries += s.out.Deliveries
			total.Bodies += s.out.Bodies
			total.Jobs += s.out.Jobs
			total.Visible += s.out.Visible
			total.Tombstones += s.out.Tombstones
			from, rest = s.from, s.rest
		}
	}
	return total, nil
}

// A sweep is one transaction of one pass. From is where it begins, and where
// the next one goes on if there is a rest.
type sweep struct {
	t    *txn
	now  time.Time
	from []byte
	rest bool
	out  storage.Swept
}

func (s *sweep) old(at time.Time, keep time.Duration) bool { return s.now.Sub(at) > keep }

// walk calls fn for the keys of a table, until it returns false or enough was
// looked at. fn may delete what it is called with, as it gets a copy.
func (s *sweep) walk(in table, fn func(k, record []byte) (bool, error)) error {
	type entry struct{ k, record []byte }
	var batch []entry
	c := s.t.bucket(in).Cursor()
	k, record := c.Seek(s.from)
	for ; k != nil && len(batch) < maxDrops; k, record = c.Next() {
		e := entry{k: bytes.Clone(k)}
		if in != tBodies {
			e.record = bytes.Clone(record)
		}
		batch = append(batch, e)
	}
	if s.rest = k != nil; s.rest {
		s.from = bytes.Clone(k)
	}
	for _, e := range batch {
		on, err := fn(e.k, e.record)
		if err != nil || !on {
			s.rest = false
			return err
		}
	}
	return nil
}

// received is when a delivery came, the zero time if it cannot be read: then
// it is the oldest.
func (s *sweep) received(id []byte) time.Time {
	d, err := unsealDelivery(id, s.t.value(tDeliveries, id))
	if err != nil {
		return time.Time{}
	}
	return d.Delivery.Received
}

// oldBodies and oldDeliveries end at the first that is not old: ids sort by
// time received.
func (s *sweep) oldBodies() error {
	keep := s.t.db.keep.Bodies
	if keep <= 0 {
		return nil
	}
	return s.walk(tBodies, func(k, _ []byte) (bool, error) {
		if !s.old(s.received(k), keep) {
			return false, nil
		}
		s.out.Bodies++
		return true, s.t.swap(tBodies, k, nil)
	})
}

func (s *sweep) oldDeliveries() error {
	keep := s.t.db.keep.Deliveries
	if keep <= 0 {
		return nil
	}
	return s.walk(tDeliveries, func(k, record []byte) (bool, error) {
		if !s.old(s.received(k), keep) {
			return false, nil
		}
		pending, err := s.pending(string(k))
		if err != nil || pending {
			return true, err
		}
		return true, s.forget(k, record)
	})
}

// pending reports whether work of a delivery is still to be done.
func (s *sweep) pending(delivery string) (bool, error) {
	ids, err := s.t.jobsOf(delivery)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		r, err := s.t.intact(id)
		if err != nil {
			return false, err
		}
		if r != nil && (r.State == syncqueue.Ready || r.State == syncqueue.Leased) {
			return true, nil
		}
	}
	return false, nil
}

// forget drops a delivery and the done jobs that only it kept.
func (s *sweep) forget(id, record []byte) error {
	t := s.t
	jobs, err := t.jobsOf(string(id))
	if err != nil {
		return err
	}
	for _, in := range []table{tDeliveries, tBodies, tDetails} {
		if t.has(in, id) {
			if err := t.swap(in, id, nil); err != nil {
				return err
			}
		}
	}
	var links [][]byte
	err = t.each(tCaused, join(string(id)), func(k, _ []byte) (bool, error) {
		links = append(links, bytes.Clone(k))
		return true, nil
	})
	for _, k := range links {
		if err == nil {
			err = t.del(tCaused, k)
		}
	}
	if err != nil {
		return err
	}
	for _, job := range jobs {
		r, err := t.intact(job)
		if err != nil {
			return err
		}
		if r != nil && r.State == syncqueue.Done && !t.announced(r.Job) {
			if err := s.drop(r); err != nil {
				return err
			}
		}
	}
	if g, _, err := cutDelivery(id, record); err == nil {
		t.after = append(t.after, func() { t.db.seen.remove(g, string(id)) })
	}
	s.out.Deliveries++
	return nil
}

// drop drops a done job.
func (s *sweep) drop(r *jobRecord) error {
	if err := s.t.unfile(r, r.State); err != nil {
		return err
	}
	s.out.Jobs++
	return s.t.swap(tJobs, []byte(r.ID), nil)
}

// ended drops the done jobs that no delivery keeps, an hour after they ended.
func (s *sweep) ended() error {
	return s.walk(tEnded, func(k, _ []byte) (bool, error) {
		if !s.old(timeOf(k), storage.Grace) {
			return false, nil
		}
		return true, s.dropEnded(k)
	})
}

func (s *sweep) dropEnded(k []byte) error {
	r, err := s.t.intact(string(k[8:]))
	if err != nil {
		return err
	}
	if r == nil {
		return s.t.del(tEnded, k)
	}
	return s.drop(r)
}

func (s *sweep) oldVisible() error {
	keep := s.t.db.keep.Deliveries
	if keep <= 0 {
		return nil
	}
	return s.walk(tVisible, func(k, _ []byte) (bool, error) {
		if !s.old(timeOf(k), keep) {
			return false, nil
		}
		s.out.Visible++
		return true, s.t.del(tVisible, k)
	})
}

// tombstones drops those that are older than a day and that every target
// confirmed.
func (s *sweep) tombstones() error {
	return s.walk(tTombs, func(k, _ []byte) (bool, error) {
		if !s.old(timeOf(k), storage.Settle) {
			return false, nil
		}
		where, ok := texts(k[8:], 3)
		if !ok {
			return true, s.t.del(tTombs, k)
		}
		provider, user, repo := where[0], where[1], where[2]
		u, err := s.t.user(provider, user)
		if err != nil {
			return false, err
		}
		var c cellRecord
		if _, err := s.t.get(tCells, k[8:], &c); err != nil {
			return false, err
		}
		for _, target := range s.t.st.Targets[provider] {
			if u.Targets[target].Version < c.Version {
				return true, nil
			}
		}
		s.out.Tombstones++
		if err := s.t.del(tTombs, k); err != nil {
			return false, err
		}
		if err := s.t.del(tHolders, holderKey(provider, repo, user)); err != nil {
			return false, err
		}
		return true, s.t.del(tCells, k[8:])
	})
}
