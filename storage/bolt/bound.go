package bolt

import (
	"time"

	"github.com/hookd/hookd/storage"
)

// retrim is how long Push does not look again for something to forget after it
// found nothing.
const retrim = time.Second

// maxLooks bounds, in walks of maxDrops rows, how far one transaction looks past
// unfinished work for something to forget.
const maxLooks = 20

// over reports whether the live bytes exceed the bound.
func (t *txn) over() bool { return t.db.maxBytes > 0 && t.st.Bytes > t.db.maxBytes }

// room makes room for a delivery. It answers storage.ErrFull only when nothing
// is left to forget: unfinished work alone exceeds the bound.
func (t *txn) room() error {
	if !t.over() {
		return nil
	}
	if wait := t.now.Sub(t.db.stuck); wait >= 0 && wait < retrim {
		return storage.ErrFull
	}
	s := sweep{t: t, now: t.now}
	if err := s.overBound(); err != nil {
		return err
	}
	if t.over() && s.dropped() == 0 {
		t.db.stuck = t.now
		return storage.ErrFull
	}
	return nil
}

func (s *sweep) dropped() int { return s.out.Bodies + s.out.Deliveries + s.out.Jobs }

// overBound forgets until the bound is kept or nothing is left to forget: or
// until this transaction did enough, and then there is a rest.
func (s *sweep) overBound() error {
	more := false
	for _, pass := range []func(*sweep) error{(*sweep).spareBodies, (*sweep).spareDeliveries, (*sweep).spareJobs} {
		before := s.dropped()
		s.from, s.rest = nil, true
		for looked := 0; s.rest && s.t.over() && looked < maxLooks; looked++ {
			if err := pass(s); err != nil {
				return err
			}
			if s.dropped()-before >= maxDrops {
				more = s.t.over()
				break
			}
		}
	}
	s.rest = more
	return nil
}

// spareBodies, spareDeliveries and spareJobs drop, oldest first, what no work
// waits for, while the bound is exceeded.
func (s *sweep) spareBodies() error {
	return s.walk(tBodies, func(k, _ []byte) (bool, error) {
		if !s.t.over() {
			return false, nil
		}
		pending, err := s.pending(string(k))
		if err != nil || pending {
			return true, err
		}
		s.out.Bodies++
		return true, s.t.swap(tBodies, k, nil)
	})
}

func (s *sweep) spareDeliveries() error {
	return s.walk(tDeliveries, func(k, record []byte) (bool, error) {
		if !s.t.over() {
			return false, nil
		}
		pending, err := s.pending(string(k))
		if err != nil || pending {
			return true, err
		}
		return true, s.forget(k, record)
	})
}

func (s *sweep) spareJobs() error {
	return s.walk(tEnded, func(k, _ []byte) (bool, error) {
		if !s.t.over() {
			return false, nil
		}
		return true, s.dropEnded(k)
	})
}
