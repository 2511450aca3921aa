// Package memory is the plain engine: maps behind one mutex. It keeps every
// contract of the durable engines but durability itself, and is what tests use
// and what the durable engines are compared with. It prefers being obviously
// right to being fast.
package memory

import (
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Options are what an engine needs from outside; the zero value works.
type Options struct {
	Now       func() time.Time // time.Now if nil
	Retention storage.Retention
}

// A DB is a queue, journal, console and catalogue in memory. It is safe for
// concurrent use.
type DB struct {
	now  func() time.Time
	keep storage.Retention

	mu      sync.Mutex
	closed  bool
	changed chan struct{} // closed and replaced at every change
	seen    time.Time     // when anybody last looked at the clock
	fence   uint64
	claims  uint64 // orders the claims to logins and paths
	paused  bool
	turns   map[syncqueue.Peer]syncqueue.Turn
	peer    syncqueue.Peer // the one served last

	deliveries map[string]*delivery
	guids      map[guid]string // -> delivery
	jobs       map[string]*job
	keys       map[syncqueue.Key]string   // -> job that is not done
	caused     map[string]map[string]bool // delivery -> jobs

	users     map[id]*user
	repos     map[id]*repo
	cells     cells
	former    map[alias]uint64 // -> when it was given up, counted in claims
	targets   map[string]map[string]bool
	snapshots map[string][]byte
	visible   []storage.Visible
}

type (
	guid struct{ provider, guid string }
	id   struct{ provider, id string }
	pair struct{ provider, user, repo string }

	alias struct {
		provider string
		kind     providers.SubjectKind
		name, id string
	}
)

type delivery struct {
	syncqueue.Entry
	size    int
	hasBody bool
	details *providers.Details
}

type job struct {
	syncqueue.Job
	fence uint64 // of the lease, while leased
	until time.Time
}

type user struct {
	providers.User
	claim    uint64 // to its login: the newest holds it
	read     uint64 // fence of the read that the login comes from
	version  uint64
	complete bool
	floor    uint64
	checked  time.Time
	targets  map[string]storage.Published
}

type repo struct {
	providers.Repo
	claim uint64 // to its path: the newest holds it
	read  uint64 // fence of the read that its labels come from
	floor uint64
	born  uint64
	gone  uint64 // fence of the read that proved it deleted, zero if none did
	seen  time.Time
}

// New returns an empty engine.
func New(o Options) *DB {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &DB{
		now: o.Now, keep: o.Retention, changed: make(chan struct{}),
		turns:      map[syncqueue.Peer]syncqueue.Turn{},
		deliveries: map[string]*delivery{}, guids: map[guid]string{},
		jobs: map[string]*job{}, keys: map[syncqueue.Key]string{}, caused: map[string]map[string]bool{},
		users: map[id]*user{}, repos: map[id]*repo{}, cells: newCells(),
		former:  map[alias]uint64{},
		targets: map[string]map[string]bool{}, snapshots: map[string][]byte{},
	}
}

// Close ends the engine: everything answers storage.ErrClosed from now on.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.closed = true
	db.wake()
	return nil
}

// open locks the engine unless it is closed.
func (db *DB) open() (unlock func(), err error) {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil, storage.ErrClosed
	}
	return db.mu.Unlock, nil
}

// clock tells the time, and moves what waits along when it was set back.
func (db *DB) clock() time.Time {
	now := db.now()
	if d := syncqueue.SetBack(db.seen, now); d > 0 {
		for _, j := range db.jobs {
			switch j.State {
			case syncqueue.Ready:
				j.Job = syncqueue.Earlier(j.Job, d)
			case syncqueue.Leased:
				j.Job, j.until = syncqueue.Earlier(j.Job, d), j.until.Add(-d)
			}
		}
	}
	db.seen = now
	return now
}

// wake lets every blocked Lease look again.
func (db *DB) wake() {
	close(db.changed)
	db.changed = make(chan struct{})
}

// find returns the one key of m that equals or begins with prefix.
func find[V any](m map[string]V, prefix string) (string, error) {
	if _, ok := m[prefix]; ok {
		return prefix, nil
	}
	found := ""
	for k := range m {
		switch {
		case prefix == "" || !strings.HasPrefix(k, prefix):
		case found != "":
			return "", syncqueue.ErrAmbiguous
		default:
			found = k
		}
	}
	if found == "" {
		return "", syncqueue.ErrUnknown
	}
	return found, nil
}
