package bolt

import (
	"hash/maphash"
	"sync"

	"github.com/oklog/ulid/v2"
)

// A guid is what makes a delivery the same delivery.
type guid struct{ provider, guid string }

// A dedupe finds the delivery of a guid. It lives in memory, because on disk it
// would be the one index whose keys are random, and touches a page of its own
// for every delivery; it is rebuilt at open. It is safe for concurrent use.
//
// A million deliveries take about 40 MiB: 8 bytes of hash and 16 of id each.
// What the hash finds is compared with the record; the few that collide, and
// ids that are no ULIDs, are kept in full.
type dedupe struct {
	mu    sync.RWMutex
	seed  maphash.Seed
	ulids map[uint64]ulid.ULID
	odd   map[guid]string
}

func newDedupe() *dedupe {
	return &dedupe{seed: maphash.MakeSeed(), ulids: map[uint64]ulid.ULID{}, odd: map[guid]string{}}
}

// find returns the id that was added for g, which is certain only once the
// delivery's record was seen to carry g.
func (d *dedupe) find(g guid) (string, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if id, ok := d.odd[g]; ok {
		return id, true
	}
	id, ok := d.ulids[d.hash(g)]
	return id.String(), ok
}

func (d *dedupe) add(g guid, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hash(g)
	u, err := ulid.ParseStrict(id)
	if _, taken := d.ulids[h]; taken || err != nil || !is(u, id) {
		d.odd[g] = id
		return
	}
	d.ulids[h] = u
}

func (d *dedupe) remove(g guid, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.odd[g] == id {
		delete(d.odd, g)
		return
	}
	h := d.hash(g)
	if u, ok := d.ulids[h]; ok && is(u, id) {
		delete(d.ulids, h)
	}
}

func (d *dedupe) hash(g guid) uint64 { return maphash.Comparable(d.seed, g) }

// is reports whether id is how u is written.
func is(u ulid.ULID, id string) bool {
	var text [ulid.EncodedSize]byte
	return u.MarshalTextTo(text[:]) == nil && string(text[:]) == id
}
