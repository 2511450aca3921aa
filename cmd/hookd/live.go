package main

import (
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/hookd/hookd/providers"
)

// A liveHook is a provider's hook whose secrets can be replaced while
// deliveries come in.
type liveHook struct {
	current atomic.Pointer[providers.Hook]
}

func (l *liveHook) set(h providers.Hook) { l.current.Store(&h) }
func (l *liveHook) hook() providers.Hook { return *l.current.Load() }

func (l *liveHook) Verify(h http.Header, body []byte) (int, error) { return l.hook().Verify(h, body) }
func (l *liveHook) GUID(h http.Header) string                      { return l.hook().GUID(h) }

func (l *liveHook) Parse(d providers.Delivery) (providers.Event, error) { return l.hook().Parse(d) }

func (l *liveHook) Describe(d providers.Delivery) (providers.Details, error) {
	return l.hook().Describe(d)
}

// A liveToken sends the token of the present where a driver, which was given
// its token once, sends the one of the start. Requests that carry another
// credential, such as a user's own token, pass as they are.
type liveToken struct {
	base    http.RoundTripper
	initial string
	current atomic.Pointer[string]
}

func newLiveToken(base http.RoundTripper, token secret) *liveToken {
	l := &liveToken{base: base, initial: string(token)}
	l.current.Store(&l.initial)
	return l
}

// follow replaces the token. That there is none any more waits for the next
// start: a driver that has one sends one.
func (l *liveToken) follow(token secret) {
	if t := string(token); t != "" {
		l.current.Store(&t)
	}
}

// RoundTrip implements http.RoundTripper.
func (l *liveToken) RoundTrip(req *http.Request) (*http.Response, error) {
	now := *l.current.Load()
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if l.initial != "" && now != l.initial && token == l.initial {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", scheme+" "+now)
	}
	return l.base.RoundTrip(req)
}
