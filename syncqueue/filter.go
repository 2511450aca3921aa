package syncqueue

import (
	"slices"
	"time"
)

// A Filter narrows Lease; zero fields do not.
type Filter struct {
	Kinds []Kind
	Peers []Peer // only jobs that ask one of these
	Not   []Peer // no jobs that ask one of these
	Held  []Hold

	// Urgent lets only removals and additions through.
	Urgent bool
	// Idle lets only organizations through of which no job with this peer is
	// leased, so that a flood of one leaves room for the others.
	Idle bool
	// Every is how far apart two leases of jobs that ask one peer are at least.
	Every time.Duration
}

// Opens is when the filter lets the next job through of a peer that was served
// as t says.
func (f Filter) Opens(t Turn, now time.Time) time.Time {
	if f.Every <= 0 || t.At.IsZero() || t.At.After(now) { // a clock that was set back must not stop everybody
		return now
	}
	return t.At.Add(f.Every)
}

// AllowsPeer reports whether the filter lets jobs through that ask p.
func (f Filter) AllowsPeer(p Peer) bool {
	return (len(f.Peers) == 0 || slices.Contains(f.Peers, p)) && !slices.Contains(f.Not, p)
}

// AllowsOrg reports whether the filter lets jobs of an organization through, of
// which so many that ask p are leased.
func (f Filter) AllowsOrg(p Peer, org string, lane Lane, leased int) bool {
	if f.Urgent && lane > LaneAddition || f.Idle && leased > 0 {
		return false
	}
	return !slices.ContainsFunc(f.Held, func(h Hold) bool { return h.Holds(p, org, lane) })
}

// AllowsKind reports whether the filter lets jobs of kind k through.
func (f Filter) AllowsKind(k Kind) bool { return len(f.Kinds) == 0 || slices.Contains(f.Kinds, k) }
