package bolt

import (
	"bytes"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// maxRecent bounds recent in jobs, of which an ordinary one takes a kilobyte or
// two, as it is stored and as it was decoded.
const maxRecent = 4096

// recent holds the jobs that were last written, decoded: in a storm every
// delivery reads and rewrites the same few. A job is only taken from here if
// its record still has the very bytes it was written with, so that nothing has
// to be forgotten when a transaction fails. Only the writer uses it.
type recent struct {
	jobs map[string]written
	ring []string // ids in the order in which they came
	next int
}

type written struct {
	record []byte
	job    *jobRecord
}

func newRecent() *recent { return &recent{jobs: map[string]written{}} }

// find returns a job that the caller may change, but not what its slices and
// pointers refer to.
func (c *recent) find(id string, record []byte) (*jobRecord, bool) {
	w, ok := c.jobs[id]
	if !ok || !bytes.Equal(w.record, record) {
		return nil, false
	}
	r := *w.job
	return &r, true
}

func (c *recent) add(r *jobRecord, record []byte) { c.keep(asStored(r), record) }

// keep is add for a job that nobody else refers to any more.
func (c *recent) keep(r *jobRecord, record []byte) {
	if _, ok := c.jobs[r.ID]; !ok {
		if len(c.ring) < maxRecent {
			c.ring = append(c.ring, r.ID)
		} else {
			delete(c.jobs, c.ring[c.next])
			c.ring[c.next] = r.ID
			c.next = (c.next + 1) % maxRecent
		}
	}
	c.jobs[r.ID] = written{record, r}
}

// asStored returns r as it would be decoded from its record: without the
// readings of the monotonic clock, which would let it be compared with the time
// that passed instead of the time it is.
func asStored(r *jobRecord) *jobRecord {
	s := *r
	for _, t := range []*time.Time{&s.NotBefore, &s.Deadline, &s.Failing, &s.Created, &s.Finished, &s.Since, &s.Until} {
		*t = t.Round(0)
	}
	s.Causes, s.Plan = causesAsStored(s.Causes), planAsStored(s.Plan)
	if r.Again != nil {
		a := *r.Again
		for _, t := range []*time.Time{&a.NotBefore, &a.Deadline, &a.Since} {
			*t = t.Round(0)
		}
		a.Causes, a.Plan = causesAsStored(a.Causes), planAsStored(a.Plan)
		s.Again = &a
	}
	return &s
}

func causesAsStored(causes []syncqueue.Cause) []syncqueue.Cause {
	causes = slices.Clip(slices.Clone(causes))
	for i := range causes {
		causes[i].At = causes[i].At.Round(0)
	}
	return causes
}

func planAsStored(p *syncqueue.Plan) *syncqueue.Plan {
	if p == nil {
		return nil
	}
	out := *p
	out.Ends = out.Ends.Round(0)
	return &out
}
