package gitea

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

// guard is the transport below the SDK. It sends the token to one origin only,
// reads every answer whole and bounded, and lets only the forge's own JSON
// through; all else becomes a *providers.ForgeError.
type guard struct {
	base    http.RoundTripper
	origin  *url.URL
	token   string
	observe func(code int)
	now     func() time.Time
	sent    atomic.Uint64
	budget  *providers.Budget
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	op := operation(req, g.origin)
	if err := transport.Stay(op, req, g.origin); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Accept", "application/json")
	if g.token != "" {
		req.Header.Set("Authorization", "token "+g.token)
	}
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
	if err := g.judge(resp, body); err != nil {
		err.Op, err.Status = op, resp.StatusCode
		return nil, err
	}
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
		if !isNotFound(resp, body) {
			return class(providers.ErrNonsense, errors.New("a 404 that is not the forge's own"))
		}
		return class(providers.ErrNotFound, nil)
	case code == http.StatusMethodNotAllowed && words(resp, body) != nil:
		return class(providers.ErrNonsense, errPersonal)
	case code/100 != 2:
		return class(providers.ErrNonsense, words(resp, body))
	case code == http.StatusNoContent && len(body) == 0:
		return nil
	}
	return transport.Sound(resp, body, isJSON(resp))
}

// errPersonal is the cause when Gitea answers 405, as it does to a question
// about the teams of a repository that a user owns.
var errPersonal = errors.New("not owned by an organization")

// follow allows redirects of a GET within the origin, as Gitea sends for
// renamed repositories and owners.
func (g *guard) follow(req *http.Request, via []*http.Request) error {
	return transport.Follow(operation(via[0], g.origin), req, via, g.origin)
}

// operation names a call by method and path; a token is in neither.
func operation(req *http.Request, origin *url.URL) string {
	path := strings.TrimPrefix(req.URL.RequestURI(), origin.EscapedPath()+"/api/v1")
	return req.Method + " " + path
}

func isJSON(resp *http.Response) bool {
	return transport.MediaType(resp) == "application/json"
}

// isNotFound tells Gitea's 404 from one of a proxy or of an unknown route: it
// is JSON and has both a message and the address of the API's description.
func isNotFound(resp *http.Response, body []byte) bool {
	var e struct {
		Message *string `json:"message"`
		URL     *string `json:"url"`
	}
	return isJSON(resp) && json.Unmarshal(body, &e) == nil && e.Message != nil && e.URL != nil
}

// words returns Gitea's message, for people, or nil.
func words(resp *http.Response, body []byte) error {
	var e struct {
		Message string `json:"message"`
	}
	if !isJSON(resp) || json.Unmarshal(body, &e) != nil {
		return nil
	}
	return transport.Said(e.Message)
}
