package github

import (
	"net/http"
	"sync/atomic"
)

// meter is the innermost transport. It counts every request that goes out.
type meter struct {
	base    http.RoundTripper
	observe func(code int)
	sent    atomic.Uint64
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
	return resp, nil
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
