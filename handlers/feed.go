package handlers

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// The bounds of a feed.
const (
	feedKept    = 1024     // happenings in memory at least, and at most twice as many
	feedLargest = 16 << 10 // bytes of one; of a larger one only the id is told
	feedClients = 32       // at once
)

// The kinds of happenings, which are the names of server-sent events.
const (
	kindDelivery = "delivery" // was journalled
	kindJob      = "job"      // ended, or waits for somebody
	kindVisible  = "visible"  // a change shows in a CI server
	kindReset    = "reset"    // something was left out: read the lists again
)

// A Feed tells whoever listens what happens while it happens. Telling it never
// waits for a listener and takes a bounded amount of memory: the newest
// happenings are kept once for all, and each listener reads on from where he is.
// A nil Feed hears everything and tells nobody.
type Feed struct {
	past Past
	now  func() time.Time

	mu      sync.Mutex
	kept    []happening   // by id
	floor   int64         // kept is all that has a greater id
	last    int64         // the newest id
	changed chan struct{} // closed by the next happening, and by Close
	clients int
	left    time.Time // when there was last a listener, zero if there never was one
	closed  bool
}

// Past is what a store can tell of what happened before.
type Past struct {
	Journal  syncqueue.Journal
	Console  syncqueue.Console
	Visibles storage.Visibles
}

// A happening is one event. Its id is when it was told in nanoseconds, and
// unique.
type happening struct {
	id   int64
	kind string
	data []byte // JSON, on one line
}

// NewFeed returns a feed that begins now. Of what was before, past is asked.
func NewFeed(past Past, now func() time.Time) *Feed {
	begun := now().UnixNano()
	return &Feed{past: past, now: now, floor: begun, last: begun, changed: make(chan struct{})}
}

// Delivery tells that an entry was journalled under its id, with this many jobs.
func (f *Feed) Delivery(e syncqueue.Entry, jobs int) {
	if f.heard() {
		f.tell(kindDelivery, e.Delivery.ID, viewDelivery(syncqueue.Record{
			Entry: e, Size: len(e.Delivery.Body), HasBody: len(e.Delivery.Body) > 0, JobCount: jobs,
		}))
	}
}

// Job tells what a run of a job came to, if the job ended or waits for somebody
// now, and what it made visible.
func (f *Feed) Job(r syncqueue.Report) {
	if !f.heard() {
		return
	}
	for _, v := range r.Applied.Visible {
		f.tell(kindVisible, v.Repo, v)
	}
	j := r.Job
	switch r.Result {
	case syncqueue.ResultDone:
		if !r.Outcome.Next.IsZero() {
			return // it recurs
		}
	case syncqueue.ResultHidden, syncqueue.ResultSuperseded, syncqueue.ResultParked, syncqueue.ResultBuried:
	default:
		return
	}
	j.Outcome, j.Note, j.Finished = r.Result, r.Outcome.Note, f.now()
	if r.Err != nil {
		j.LastError = r.Err.Error()
	}
	f.tell(kindJob, j.ID, viewEnd(j))
}

// jobEnd is a job that ended, or waits for somebody.
type jobEnd struct {
	ID       string           `json:"id"`
	Kind     syncqueue.Kind   `json:"kind"`
	Key      syncqueue.Key    `json:"key"`
	Provider string           `json:"provider"`
	Target   string           `json:"target,omitempty"`
	Org      string           `json:"org,omitempty"`
	Subject  string           `json:"subject"`
	Outcome  syncqueue.Result `json:"outcome"`
	Note     string           `json:"note,omitempty"`
	Error    string           `json:"error,omitempty"`
	At       time.Time        `json:"at"`
}

func viewEnd(j syncqueue.Job) jobEnd {
	return jobEnd{
		ID: j.ID, Kind: j.Kind, Key: j.Key, Provider: j.Provider, Target: j.Target, Org: j.Org,
		Subject: j.Subject.String(), Outcome: j.Outcome, Note: j.Note, Error: j.LastError, At: j.Finished,
	}
}

// encode returns what happened as it is sent. It holds nothing of what it was
// made of: a name may be a part of a body of many megabytes.
func encode(subject string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here: a fault of the program
	}
	if len(data) > feedLargest {
		if data, err = json.Marshal(map[string]string{"id": subject[:min(len(subject), maxName)]}); err != nil {
			panic(err)
		}
	}
	return data
}

// maxName bounds, in bytes, what stands for something too large to be told.
const maxName = 256

// heard reports whether anybody may want to know what is about to be told.
// Where nobody has listened for long nothing is kept: whoever comes back is told
// by the store.
func (f *Feed) heard() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.clients > 0 || now.Sub(f.left) <= pastReach {
		return true
	}
	f.last = max(now.UnixNano(), f.last+1)
	f.floor, f.kept = f.last, nil
	return false
}

func (f *Feed) tell(kind, subject string, v any) {
	data := encode(subject, v)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.last = max(f.now().UnixNano(), f.last+1)
	if len(f.kept) == 2*feedKept { // half of them go at once, which costs less
		f.floor = f.kept[feedKept-1].id
		f.kept = append(f.kept[:0], f.kept[feedKept:]...)
	}
	f.kept = append(f.kept, happening{f.last, kind, data})
	close(f.changed)
	f.changed = make(chan struct{})
}

// Close ends every listener's answer after what has happened by now, and every
// later one at once.
func (f *Feed) Close() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.changed)
	}
}

// A glance is what a listener finds when he looks.
type glance struct {
	next    []happening     // in order
	last    int64           // the newest id
	covered bool            // nothing was left out
	changed <-chan struct{} // closed when it is worth to look again
	closed  bool
}

// since returns what happened after an id, n happenings at most.
func (f *Feed) since(id int64, n int) glance {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := glance{last: f.last, covered: id >= f.floor && id <= f.last, changed: f.changed, closed: f.closed}
	if g.covered {
		i, _ := slices.BinarySearchFunc(f.kept, id+1, func(h happening, id int64) int { return cmp.Compare(h.id, id) })
		g.next = slices.Clone(f.kept[i:min(i+n, len(f.kept))])
	}
	return g
}

// enter counts a listener in, if there is room for him.
func (f *Feed) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.clients == feedClients {
		return false
	}
	f.clients++
	return true
}

func (f *Feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clients--
	f.left = f.now()
}
