package syncqueue

import (
	"context"
	"sync"
	"time"
)

// A Limit is what a peer bears. The zero Limit is the pool's.
type Limit struct {
	Workers int           // jobs at once, if fewer or more than of others
	Every   time.Duration // at least so long between the starts of two jobs
}

// workers is how many jobs of a peer run at once.
func (p *Pool) workers(peer Peer) int {
	if n := p.Limits[peer].Workers; n > 0 {
		return n
	}
	return p.Workers
}

// starts are when the next job of each peer may start.
type starts struct {
	mu   sync.Mutex
	next map[Peer]time.Time
}

// take returns how long to wait for the next start of a peer's job, which is
// the caller's from now on.
func (s *starts) take(peer Peer, every time.Duration, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = map[Peer]time.Time{}
	}
	at := s.next[peer]
	// A clock that was set back must not stop everybody.
	if at.Before(now) || at.Sub(now) > every*time.Duration(maxAhead) {
		at = now
	}
	s.next[peer] = at.Add(every)
	return at.Sub(now)
}

// maxAhead is how many jobs may wait for their start: more than a peer ever has
// workers.
const maxAhead = 2048

// start waits until a job of a peer may start. Its lease is extended meanwhile.
func (p *Pool) start(ctx context.Context, peer Peer) error {
	every := p.Limits[peer].Every
	if every <= 0 {
		return nil
	}
	if wait := p.starts.take(peer, every, p.Now()); wait > 0 {
		pause(ctx, wait)
	}
	return ctx.Err()
}
