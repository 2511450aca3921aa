package bolt

import (
	"context"
	"sync"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// A schedule is what a Lease needs to know to wait without touching the file.
type schedule struct {
	due    map[syncqueue.Peer]int            // jobs in the ready table; never changed
	turns  map[syncqueue.Peer]syncqueue.Turn // never changed
	next   time.Time                         // when the first waiting job comes due or the first lease runs out
	paused bool
	seen   time.Time // what the clock said then
}

// A clock holds the schedule of the last commit.
type clock struct {
	mu      sync.Mutex
	now     schedule
	changed chan struct{} // closed and replaced by set
}

func (c *clock) get() (schedule, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.changed
}

func (c *clock) set(s schedule) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = s
	close(c.changed)
	c.changed = make(chan struct{})
}

// wake lets every blocked Lease look again.
func (c *clock) wake() {
	s, _ := c.get()
	c.set(s)
}

// promising reports whether it is worth while to look for a job that f allows.
func (s schedule) promising(f syncqueue.Filter, now time.Time) bool {
	return !s.paused && (s.ready(f, now) || !s.next.IsZero() && !s.next.After(now) || syncqueue.SetBack(s.seen, now) > 0)
}

func (s schedule) ready(f syncqueue.Filter, now time.Time) bool {
	at, ok := s.opens(f, now)
	return ok && !at.After(now)
}

// opens is when f lets the first job through of those that are due.
func (s schedule) opens(f syncqueue.Filter, now time.Time) (first time.Time, ok bool) {
	for p := range s.due {
		if !f.AllowsPeer(p) {
			continue
		}
		if at := f.Opens(s.turns[p], now); !ok || at.Before(first) {
			first, ok = at, true
		}
	}
	return first, ok
}

// wait returns when the schedule changed or its next time came. It looks at the
// clock again every minute, in case that was set.
func (s schedule) wait(ctx context.Context, changed <-chan struct{}, f syncqueue.Filter, now time.Time) error {
	d := time.Minute
	if at, ok := s.opens(f, now); ok && !s.paused && at.After(now) {
		d = min(d, at.Sub(now))
	}
	if at := s.next; !at.IsZero() && !s.paused && at.After(now) {
		d = min(d, at.Sub(now))
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// next is when the first job comes due or the first lease runs out, zero if
// never.
func (v view) next() time.Time {
	var first time.Time
	note := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	c := v.bucket(tWaiting).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Seek([]byte{k[0] + 1}) {
		note(timeOf(k[1:]))
		if k[0] == 0xff {
			break
		}
	}
	if k, _ := v.bucket(tLeased).Cursor().First(); k != nil {
		note(timeOf(k))
	}
	return first
}
