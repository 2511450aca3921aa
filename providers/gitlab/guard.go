package gitlab

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/transport"
)

// guard is the transport below the client. It sends the token to one origin
// only, reads every answer whole and bounded, and lets only the forge's own
// JSON through; all else becomes a *providers.ForgeError.
type guard struct {
	base    http.RoundTripper
	origin  *url.URL
	token   string
	observe func(code int)
	now     func() time.Time
	answers cache
	sent    atomic.Uint64
	budget  *providers.Budget
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	op := operation(req, g.origin)
	if err := transport.Stay(op, req, g.origin); err != nil {
		return nil, err
	}
	asked := req
	req = req.Clone(req.Context())
	req.Header.Set("Accept", "application/json")
	if g.token != "" {
		// GitLab takes personal, group and OAuth tokens alike this way.
		req.Header.Set("Authorization", "Bearer "+g.token)
	}
	kept, conditional := g.answers.ask(req)
	if wait := g.budget.Begin(req.Context(), ""); !wait.IsZero() {
		return nil, &providers.ForgeError{Op: op, Class: providers.ErrLimited, After: wait, Err: transport.ErrBudget}
	}
	g.sent.Add(1)
	start := g.now()
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		g.budget.End("", nil)
		g.observe(0)
		return nil, &providers.ForgeError{Op: op, Class: providers.ErrUnavailable, Err: err}
	}
	g.observe(resp.StatusCode)
	g.budget.End("", providers.ReadAnswer(resp.Header, g.now().Sub(start), g.now()))
	if transport.IsRedirect(resp.StatusCode) {
		return resp, nil // judged by follow
	}
	body, err := transport.Read(op, resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified && conditional {
		if resp, ok := kept.response(req, resp.Header); ok {
			return resp, nil
		}
		g.answers.forget(req)
		return g.RoundTrip(asked) // nothing is kept of it now
	}
	if err := g.judge(resp, body); err != nil {
		err.Op, err.Status = op, resp.StatusCode
		return nil, err
	}
	g.answers.keep(req, resp.Header, body)
	return transport.Give(resp, body), nil
}

// judge classifies an answer; nil means that the call succeeded and that the
// answer says to be JSON. Whether it is finds out who decodes it.
func (g *guard) judge(resp *http.Response, body []byte) *providers.ForgeError {
	class := func(class, cause error) *providers.ForgeError {
		return &providers.ForgeError{Class: class, Err: cause}
	}
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return class(providers.ErrUnauthorized, nil)
	case code == http.StatusForbidden:
		return class(providers.ErrForbidden, words(resp, body))
	case code == http.StatusTooManyRequests:
		e := class(providers.ErrLimited, nil)
		e.After = g.budget.Refuse("", providers.RetryAfter(resp.Header, g.now()))
		return e
	case code >= 500:
		return class(providers.ErrUnavailable, words(resp, body))
	case code == http.StatusNotFound:
		return notFound(resp, body)
	case code/100 != 2:
		return class(providers.ErrNonsense, words(resp, body))
	case code == http.StatusNoContent && len(body) == 0:
		return nil
	}
	return transport.Sound(resp, body, isJSON(resp))
}

// errNoRoute is the cause when this GitLab does not know the call at all.
var errNoRoute = errors.New("this GitLab has no such call")

// notFound tells GitLab's 404 about a thing, {"message":"404 … Not Found"},
// from that about a route, {"error":"404 Not Found"}, and both from a proxy's.
func notFound(resp *http.Response, body []byte) *providers.ForgeError {
	var e struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	switch {
	case !isJSON(resp) || json.Unmarshal(body, &e) != nil:
	case strings.HasPrefix(e.Message, "404"):
		return &providers.ForgeError{Class: providers.ErrNotFound}
	case strings.HasPrefix(e.Error, "404"):
		return &providers.ForgeError{Class: providers.ErrNonsense, Err: errNoRoute}
	}
	return &providers.ForgeError{Class: providers.ErrNonsense, Err: errors.New("a 404 that is not the forge's own")}
}

// follow allows redirects of a GET within the origin, as GitLab sends for
// groups that were renamed.
func (g *guard) follow(req *http.Request, via []*http.Request) error {
	return transport.Follow(operation(via[0], g.origin), req, via, g.origin)
}

// operation names a call by method and path, and by whom it is made for; a
// token is in none of them.
func operation(req *http.Request, origin *url.URL) string {
	op := req.Method + " " + strings.TrimPrefix(req.URL.RequestURI(), origin.EscapedPath()+apiPath)
	if as := req.Header.Get("Sudo"); as != "" {
		op += " as user " + as
	}
	return op
}

func isJSON(resp *http.Response) bool {
	return transport.MediaType(resp) == "application/json"
}

// words returns GitLab's message, for people, or nil.
func words(resp *http.Response, body []byte) error {
	var e struct {
		Message json.RawMessage `json:"message"` // a text, or an object of faults
		Error   string          `json:"error"`
	}
	if !isJSON(resp) || json.Unmarshal(body, &e) != nil {
		return nil
	}
	said := e.Error
	if len(e.Message) > 0 && json.Unmarshal(e.Message, &said) != nil {
		said = string(e.Message)
	}
	return transport.Said(said)
}
