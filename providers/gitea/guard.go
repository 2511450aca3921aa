package gitea

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/providers"
)

// maxAnswer bounds one answer. A page of 50 repositories has some 100 KB, and
// a team of 10,000 members, which comes in one answer, some 6 MB.
const maxAnswer = 16 << 20

// maxRedirects is enough for a repository and its owner that were both renamed.
const maxRedirects = 4

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
	if !sameOrigin(req.URL, g.origin) {
		return nil, &providers.ForgeError{Op: op, Class: providers.ErrNonsense, Err: errors.New("refusing to leave the configured origin")}
	}
	req = req.Clone(req.Context())
	req.Header.Set("Accept", "application/json")
	if g.token != "" {
		req.Header.Set("Authorization", "token "+g.token)
	}
	if wait := g.budget.Begin(req.Context(), ""); !wait.IsZero() {
		return nil, &providers.ForgeError{Op: op, Class: providers.ErrLimited, After: wait, Err: errBudget}
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
	if isRedirect(resp.StatusCode) {
		return resp, nil // judged by follow
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	resp.Body.Close()
	if err != nil {
		return nil, &providers.ForgeError{Op: op, Status: resp.StatusCode, Class: providers.ErrUnavailable, Err: err}
	}
	if err := g.judge(resp, body); err != nil {
		err.Op, err.Status = op, resp.StatusCode
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// errBudget is the cause when a request was not even sent.
var errBudget = errors.New("the token's budget is out")

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
	case len(body) > maxAnswer:
		return class(providers.ErrNonsense, fmt.Errorf("answer of more than %d bytes", maxAnswer))
	case code == http.StatusNoContent && len(body) == 0:
		return nil
	case !isJSON(resp):
		return class(providers.ErrNonsense, fmt.Errorf("content type %q", resp.Header.Get("Content-Type")))
	}
	return nil
}

// errPersonal is the cause when Gitea answers 405, as it does to a question
// about the teams of a repository that a user owns.
var errPersonal = errors.New("not owned by an organization")

// follow allows redirects of a GET within the origin, as Gitea sends for
// renamed repositories and owners.
func (g *guard) follow(req *http.Request, via []*http.Request) error {
	var why string
	switch {
	case !sameOrigin(req.URL, g.origin):
		why = "redirect to another origin"
	case via[0].Method != http.MethodGet:
		why = "redirect of a " + via[0].Method
	case len(via) > maxRedirects:
		why = "redirects without end"
	default:
		return nil
	}
	return &providers.ForgeError{Op: operation(via[0], g.origin), Status: req.Response.StatusCode, Class: providers.ErrNonsense, Err: errors.New(why)}
}

func sameOrigin(u, origin *url.URL) bool {
	return u.Scheme == origin.Scheme && strings.EqualFold(u.Hostname(), origin.Hostname()) && port(u) == port(origin)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// operation names a call by method and path; a token is in neither.
func operation(req *http.Request, origin *url.URL) string {
	path := strings.TrimPrefix(req.URL.RequestURI(), origin.EscapedPath()+"/api/v1")
	return req.Method + " " + path
}

func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func isJSON(resp *http.Response) bool {
	t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && t == "application/json"
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
	if !isJSON(resp) || json.Unmarshal(body, &e) != nil || e.Message == "" {
		return nil
	}
	const most = 200
	if len(e.Message) > most {
		e.Message = e.Message[:most]
	}
	return errors.New(strconv.Quote(e.Message))
}
