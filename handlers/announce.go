package handlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// An Announcer is one configured target whose CI server tells by itself what
// happens to its users.
type Announcer struct {
	Name string
	Hook AnnouncementHook

	// Welcome queues a look at whoever has a login in the CI server, durably,
	// and returns how many jobs that takes. It asks nobody.
	Welcome func(ctx context.Context, login string, c syncqueue.Cause) (jobs int, err error)
}

// An AnnouncementHook reads what a CI server announces. It does no I/O and is
// safe for concurrent use.
type AnnouncementHook interface {
	// Verify is providers.Hook's.
	Verify(h http.Header, body []byte) (secret int, err error)
	// Parse reads a verified announcement that is valid JSON. The event's user
	// has a login. The error is a *providers.Ignored, or wraps
	// providers.ErrMalformed.
	Parse(body []byte) (providers.Event, error)
}

// welcomed is the body of a 202. There is no delivery: an announcement is not
// journalled, it only makes jobs.
type welcomed struct {
	Event string `json:"event"`
	Jobs  int    `json:"jobs"`
}

// announced takes one announcement. It answers as receive does.
func (rc *receiver) announced(w http.ResponseWriter, r *http.Request) {
	start := rc.Now()
	if rc.Draining() {
		w.Header().Set("Connection", "close")
	}
	a, ok := rc.Announcers()[param(r, "target")]
	if !ok {
		writeProblem(w, http.StatusNotFound, "no target of this name takes events")
		return
	}
	d := door{
		of: "target", name: a.Name, verify: a.Hook.Verify,
		count: func(event, result string) { rc.Metrics.Announcement(a.Name, event, result) },
	}
	m, ok := rc.admit(w, r, d)
	defer m.held.release()
	if !ok {
		return
	}
	ev, err := a.Hook.Parse(m.body)
	sum := sha256.Sum256(append([]byte(a.Name+"\x00"), m.raw...))
	answer := func(result, reason string) {
		rc.done(d, start, ev.Name, result)
		writeJSON(w, http.StatusOK, received{Result: result, Reason: reason})
	}
	var ignored *providers.Ignored
	switch {
	case rc.told.has(sum, start):
		answer(resultDuplicate, "already received")
		return
	case errors.As(err, &ignored):
		answer(resultIgnored, ignored.Reason)
		return
	case err != nil:
		rc.warn("authentic announcement cannot be read", d, err)
		answer(resultIgnored, "the payload cannot be read")
		return
	case rc.Draining():
		rc.unavailable(w, d, ev.Name, errDraining)
		return
	}
	jobs, err := a.Welcome(context.WithoutCancel(r.Context()), ev.User.Login, syncqueue.Cause{By: "target", Event: ev.Name, At: start})
	if err != nil {
		rc.unavailable(w, d, ev.Name, err)
		return
	}
	rc.told.add(sum, start)
	rc.done(d, start, ev.Name, resultAccepted)
	writeJSON(w, http.StatusAccepted, welcomed{ev.Name, jobs})
}

// repeatable is how long an announcement is known again. A CI server gives them
// no ids, and what is older its signature's date refuses.
const repeatable = 15 * time.Minute

// repetitions knows which announcements led to work a while ago. One that
// comes after a restart only makes hookd look once more.
type repetitions struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time
}

func (p *repetitions) has(sum [sha256.Size]byte, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.seen[sum]
	return ok && now.Sub(at) < repeatable
}

func (p *repetitions) add(sum [sha256.Size]byte, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[[sha256.Size]byte]time.Time{}
	}
	for s, at := range p.seen {
		if now.Sub(at) >= repeatable {
			delete(p.seen, s)
		}
	}
	p.seen[sum] = now
}
