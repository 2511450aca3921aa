package syncqueue

import (
	"context"
	"time"
)

// spareShare is one in how many workers of a peer is kept for removals and
// additions, and spareIdle from how many workers on one of those is kept for
// organizations that have no other worker at work. With fewer workers than that
// nobody is spared: a worker that waits for others would cost too much.
const (
	spareShare = 4
	spareIdle  = 4
)

// filters returns one filter for each worker. Every peer has its number, whatever
// the others do. One more takes the jobs of peers that are not
// configured any more, which the handler buries: nobody else would.
func (p *Pool) filters() []Filter {
	var all []Filter
	for _, peer := range p.Peers {
		n := p.workers(peer)
		for i := range n {
			f := Filter{Peers: []Peer{peer}, Every: p.Limits[peer].Every}
			if n >= spareIdle {
				// A removal must not wait for eight polls to end, nor one
				// organization's event for another's eight hundred.
				f.Urgent, f.Idle = i < n/spareShare, i == 0
			}
			all = append(all, f)
		}
	}
	return append(all, Filter{Not: p.Peers})
}

// holdFor is how long what is held is taken for granted.
const holdFor = time.Minute

// lease waits for a job that f and the budgets allow. It returns
// context.DeadlineExceeded when the budgets are to be looked at again.
func (p *Pool) lease(ctx context.Context, f Filter) (Lease, error) {
	if p.Held != nil {
		if h := p.Held(); len(h.Holds) > 0 {
			f.Held = h.Holds
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, min(max(h.Until.Sub(p.Now()), time.Millisecond), holdFor))
			defer cancel()
		}
	}
	return p.Queue.Lease(ctx, p.TTL, f)
}
