package syncqueue

import "time"

// Patience is how often in a row a lane that has something ready is passed over
// for the lanes above it, before it has one turn. Under a flood of removals each
// lane below still has about one lease in Patience + Lanes: a reconcile comes
// late, but it comes.
const Patience = 15

// A Turn is who was served last among the jobs that ask one peer. It is a value:
// every engine keeps one for each peer and takes the same turns.
type Turn struct {
	Orgs   [Lanes]string `json:"orgs"`        // the organization served last in each lane
	Passed [Lanes]int    `json:"passed"`      // how often each lane was passed over
	At     time.Time     `json:"at,omitzero"` // when somebody was served last under a Filter's Every
}

// Lane returns the lane whose turn it is, of those that have something ready; ok
// is false if none has. The uppermost goes first, unless another was passed over
// too often.
func (t Turn) Lane(ready [Lanes]bool) (next Lane, ok bool) {
	for l := range Lanes {
		switch {
		case !ready[l]:
		case !ok:
			next, ok = l, true
		case t.Passed[l] >= Patience && (t.Passed[next] < Patience || t.Passed[l] > t.Passed[next]):
			next = l
		}
	}
	return next, ok
}

// Served returns the turn after a job of an organization was leased from a
// lane, when those lanes had something ready.
func (t Turn) Served(lane Lane, org string, ready [Lanes]bool) Turn {
	t.Orgs[lane] = org
	t.Passed[lane] = 0
	above := false
	for l := range Lanes {
		// A lane that is not ready may only be kept from who asked.
		if ready[l] && l != lane && above {
			t.Passed[l]++
		}
		above = above || ready[l]
	}
	return t
}

// Paced returns the turn after a job was leased under a filter at a time.
func (t Turn) Paced(f Filter, now time.Time) Turn {
	if f.Every > 0 {
		t.At = now
	}
	return t
}

// Before reports whether the lane of a peer goes before that of another when a
// Lease allows both: the upper lane, and among equals the peer that comes first
// after the one served last.
func Before(p Peer, l Lane, q Peer, m Lane, last Peer) bool {
	if l != m {
		return l < m
	}
	if a, b := p.Compare(last) > 0, q.Compare(last) > 0; a != b {
		return a
	}
	return p.Compare(q) < 0
}
