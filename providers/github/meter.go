package github

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// meter is the innermost transport. It counts every request that goes out and
// remembers what the answers say of the rate limit.
type meter struct {
	base    http.RoundTripper
	observe func(code int)
	sent    atomic.Uint64

	mu    sync.Mutex
	known bool
	left  int
	reset time.Time
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	m.sent.Add(1)
	resp, err := m.base.RoundTrip(req)
	if err != nil {
		m.observe(0)
		return nil, err
	}
	m.observe(resp.StatusCode)
	m.note(resp.Header)
	return resp, nil
}

// note keeps the budget of the REST API, which nearly everything counts
// against; GraphQL has one of its own.
func (m *meter) note(h http.Header) {
	if r := h.Get("X-RateLimit-Resource"); r != "" && r != "core" {
		return
	}
	left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining"))
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.left, m.reset = true, left, resetTime(h)
}

func (m *meter) remaining() (int, time.Time, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.left, m.reset, m.known
}

// resetTime reads when the window ends; zero if it is not told.
func resetTime(h http.Header) time.Time {
	s, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || s <= 0 {
		return time.Time{}
	}
	return time.Unix(s, 0)
}

// bearer adds a token.
type bearer struct {
	token string
	base  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+b.token)
	return b.base.RoundTrip(req)
}
