package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// An airlock lets a bubble of synthetic time use what lives outside of it:
// servers on loopback, whose sockets would keep the bubble's clock from ever
// moving. Whoever passes through waits outside, so the clock stands still until
// he is back.
type airlock struct{ free chan *porter }

type porter struct {
	in  chan func()
	out chan struct{}
}

// newAirlock must be called outside of the bubble.
func newAirlock(t *testing.T, width int) *airlock {
	a := &airlock{free: make(chan *porter, width)}
	for range width {
		p := &porter{in: make(chan func()), out: make(chan struct{})}
		go func() {
			for f := range p.in {
				f()
				p.out <- struct{}{}
			}
		}()
		t.Cleanup(func() { close(p.in) })
		a.free <- p
	}
	return a
}

// do runs f outside.
func (a *airlock) do(f func()) {
	p := <-a.free
	p.in <- f
	<-p.out
	a.free <- p
}

// A passage is the transport of a client in the bubble to servers outside. It
// tells them the bubble's time, and can let a request hang as long as its
// sender likes.
type passage struct {
	airlock *airlock
	base    http.RoundTripper
	clock   *atomic.Int64 // what the servers' clocks show
	hangs   atomic.Bool
	sent    atomic.Int64
	leaks   atomic.Int64 // requests with credentials to anybody but own
	own     string       // the host that may see them
}

func (p *passage) RoundTrip(req *http.Request) (*http.Response, error) {
	p.sent.Add(1)
	p.clock.Store(time.Now().UnixNano())
	if p.hangs.Load() {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	if req.URL.Host != p.own && hasCredentials(req.Header) {
		p.leaks.Add(1)
	}
	var resp *http.Response
	var err error
	p.airlock.do(func() {
		// Nothing of req's context, whose channels are the bubble's, may go along.
		var out *http.Request
		if out, err = http.NewRequestWithContext(context.Background(), req.Method, req.URL.String(), req.Body); err != nil {
			return
		}
		out.Header, out.ContentLength = req.Header.Clone(), req.ContentLength
		if resp, err = p.base.RoundTrip(out); err != nil {
			return
		}
		var body []byte
		body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
	})
	if err != nil {
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

func hasCredentials(h http.Header) bool {
	for name := range h {
		switch strings.ToLower(name) {
		case "authorization", "private-token", "cookie", "sudo":
			return true
		}
	}
	return false
}

// weary is the transport of the simulated Drone to the forge. Drone reads pages
// that say the same for ever until whoever asked it goes away, for which the
// bubble's clock would have to move: it gives up instead.
type weary struct {
	base http.RoundTripper

	mu    sync.Mutex
	last  string
	times int
}

func (w *weary) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	asked := req.URL.String() + " " + req.Header.Get("Authorization")
	if asked != w.last {
		w.last, w.times = asked, 0
	}
	w.times++
	tired := w.times > 100
	w.mu.Unlock()
	if tired {
		return nil, errors.New("context canceled")
	}
	return w.base.RoundTrip(req)
}
