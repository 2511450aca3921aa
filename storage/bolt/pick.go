package bolt

import (
	"bytes"
	"context"

	"github.com/hookd/hookd/syncqueue"
)

// pick returns the ready job whose turn it is, nil if f allows none, and takes
// the turn.
func (t *txn) pick(f syncqueue.Filter) (*jobRecord, error) {
	for {
		c := t.candidate(f)
		if c == nil {
			return nil, nil
		}
		key := c.keys[c.lane]
		r, err := t.intact(string(key[len(key)-idLen:]))
		if err != nil {
			return nil, err
		}
		if r != nil {
			t.st.Peer, t.st.Turns[c.peer] = c.peer, t.st.Turns[c.peer].Served(c.lane, r.Org, c.ready()).Paced(f, t.now)
			return r, nil
		}
		if err := t.del(tReady, key); err != nil {
			return nil, err
		}
		t.st.ready(c.peer, -1)
		t.sched = true
	}
}

// A candidate is what one peer has ready in each lane.
type candidate struct {
	peer syncqueue.Peer
	keys [syncqueue.Lanes][]byte // nil where there is nothing
	lane syncqueue.Lane          // whose turn it is
}

func (c *candidate) ready() (lanes [syncqueue.Lanes]bool) {
	for l, k := range c.keys {
		lanes[l] = k != nil
	}
	return lanes
}

// candidate returns what the peer has whose turn it is: of those whose lane is the
// uppermost, the first after the one served last.
func (t *txn) candidate(f syncqueue.Filter) *candidate {
	var best *candidate
	for p := range t.st.Ready {
		if !f.AllowsPeer(p) || f.Opens(t.st.Turns[p], t.now).After(t.now) {
			continue
		}
		c := &candidate{peer: p}
		for l := range syncqueue.Lanes {
			c.keys[l] = t.first(f, p, l)
		}
		lane, ok := t.st.Turns[p].Lane(c.ready())
		if c.lane = lane; ok && (best == nil || syncqueue.Before(c.peer, c.lane, best.peer, best.lane, t.st.Peer)) {
			best = c
		}
	}
	return best
}

// first returns the key of the job whose turn it is in a lane. It looks at one
// key for each kind of each organization until one fits, however many jobs
// there are.
func (t *txn) first(f syncqueue.Filter, p syncqueue.Peer, l syncqueue.Lane) []byte {
	lane := append(peerKey(p), byte(l))
	end := append(peerKey(p), byte(l)+1)
	turn := append(appendBare(bytes.Clone(lane), t.st.Turns[p].Orgs[l]), escape, beyond)
	if k := t.firstIn(f, p, l, turn, end); k != nil {
		return k
	}
	return t.firstIn(f, p, l, lane, turn)
}

// firstIn returns the key of the first allowed job between two keys of one lane.
func (t *txn) firstIn(f syncqueue.Filter, p syncqueue.Peer, l syncqueue.Lane, from, to []byte) []byte {
	lane := append(peerKey(p), byte(l))
	c := t.bucket(tReady).Cursor()
	for k, _ := c.Seek(from); k != nil && bytes.Compare(k, to) < 0; {
		org, rest, ok := cut(k[len(lane):])
		if !ok {
			return nil
		}
		within := bytes.Clone(k[:len(k)-len(rest)])
		var best []byte
		for f.AllowsOrg(p, org, l, t.st.Running[p][org]) && bytes.HasPrefix(k, within) {
			kind, due, ok := cut(k[len(within):])
			if !ok {
				return nil
			}
			if f.AllowsKind(syncqueue.Kind(kind)) && (best == nil || bytes.Compare(due, best[len(best)-len(due):]) < 0) {
				best = bytes.Clone(k)
			}
			k, _ = c.Seek(append(appendBare(bytes.Clone(within), kind), escape, beyond))
		}
		if best != nil {
			return best
		}
		k, _ = c.Seek(append(appendBare(bytes.Clone(lane), org), escape, beyond))
	}
	return nil
}

// Ready implements syncqueue.Backlog.
func (db *DB) Ready(ctx context.Context, provider, org string, k syncqueue.Kind, limit int) (jobs []syncqueue.Job, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = db.settled(func(v view) error {
		for l := range syncqueue.Lanes {
			within := append(peerKey(syncqueue.Peer{Provider: provider}), byte(l))
			within = appendText(appendText(within, org), string(k))
			err := v.each(tReady, within, func(key, _ []byte) (bool, error) {
				if len(jobs) == limit {
					return false, nil
				}
				// A job that cannot be read is for whoever leases it.
				if r, err := v.job(string(key[len(key)-idLen:])); err == nil && r != nil {
					jobs = append(jobs, r.Job)
				}
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return jobs, err
}
