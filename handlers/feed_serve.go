package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	feedBatch = 100              // happenings written at once
	feedBeat  = 15 * time.Second // between signs of life, at which proxies let the connection be
	feedSlow  = 10 * time.Second // in which a client has to take a batch
	feedRetry = 3 * time.Second  // after which a client that was cut is to come back
)

// events streams what happens, as server-sent events.
func (s *api) events(w http.ResponseWriter, r *http.Request) {
	if err := parseQuery(r).err; err != nil {
		fail(w, r, s.Log, err)
		return
	}
	s.Feed.Serve(w, r, func() bool {
		t, ok := s.identify(r)
		return ok && t.Role >= Viewer
	})
}

// Serve answers with what happens from now on, or from after the header
// Last-Event-ID, until the client goes, is too slow, may no longer listen (still
// is asked again and again), or the feed ends. What was told may be told again.
func (f *Feed) Serve(w http.ResponseWriter, r *http.Request, still func() bool) {
	if f == nil {
		writeProblem(w, http.StatusNotFound, "nothing is told here")
		return
	}
	if !f.enter() {
		later(w, retryAfter)
		writeProblem(w, http.StatusServiceUnavailable, "too many listen already, or hookd is shutting down")
		return
	}
	defer f.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	if r.Method == http.MethodHead {
		return
	}
	// His place is taken before he reads that he listens.
	l := listener{f: f, w: w, out: http.NewResponseController(w), at: f.since(0, 0).last}
	if l.write(fmt.Appendf(nil, "retry: %d\n\n", feedRetry.Milliseconds())) && l.begin(r.Context(), r.Header.Get("Last-Event-ID")) {
		l.listen(r.Context(), still)
	}
}

// A listener is one client, who has read up to an id.
type listener struct {
	f   *Feed
	w   http.ResponseWriter
	out *http.ResponseController
	at  int64
}

// begin finds the place that the client had before, or tells what he missed if
// that is not in memory. It reports whether he is there still.
func (l *listener) begin(ctx context.Context, id string) bool {
	if id == "" {
		return true
	}
	at, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return l.reset()
	}
	if l.f.since(at, 0).covered {
		l.at = at
		return true
	}
	missed, all, err := l.f.past.before(ctx, at, l.at, l.f.now())
	if err != nil || !all {
		return ctx.Err() == nil && l.reset()
	}
	for len(missed) > 0 {
		n := min(feedBatch, len(missed))
		if !l.tell(missed[:n]) {
			return false
		}
		missed = missed[n:]
	}
	return true
}

// listen tells what happens until something ends it.
func (l *listener) listen(ctx context.Context, still func() bool) {
	beat := time.NewTicker(feedBeat)
	defer beat.Stop()
	for still() {
		g := l.f.since(l.at, feedBatch)
		switch {
		case !g.covered: // it happened faster than he read
			l.at = g.last
			if !l.reset() {
				return
			}
			continue
		case len(g.next) > 0:
			l.at = g.next[len(g.next)-1].id
			if !l.tell(g.next) {
				return
			}
			continue
		case g.closed:
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-g.changed:
		case <-beat.C:
			if !l.write([]byte(": still here\n\n")) {
				return
			}
		}
	}
}

func (l *listener) tell(all []happening) bool {
	var b []byte
	for _, h := range all {
		b = fmt.Appendf(b, "id: %d\nevent: %s\ndata: %s\n\n", h.id, h.kind, h.data)
	}
	return l.write(b)
}

// reset tells the client that he cannot be told everything: what he shows has to
// be read anew.
func (l *listener) reset() bool {
	return l.tell([]happening{{l.at, kindReset, []byte(`{}`)}})
}

// write sends a part of the answer, and reports whether the client took it in
// time. Only a test's recorder has no deadline to set.
func (l *listener) write(b []byte) bool {
	_ = l.out.SetWriteDeadline(time.Now().Add(feedSlow))
	if _, err := l.w.Write(b); err != nil {
		return false
	}
	return l.out.Flush() == nil
}
