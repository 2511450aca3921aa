package syncqueue

import "time"

// A Limit is what a peer bears. The zero Limit is the pool's.
type Limit struct {
	Workers int           // jobs at once, if fewer or more than of others
	Every   time.Duration // at least so long between the leases of two jobs
}

// workers is how many jobs of a peer run at once.
func (p *Pool) workers(peer Peer) int {
	if n := p.Limits[peer].Workers; n > 0 {
		return n
	}
	return p.Workers
}
