package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/transport"
)

// guard is the transport below the SDK. It sends nothing to another origin,
// reads every answer whole and bounded, and lets only the forge's own JSON
// through; all else becomes a *providers.ForgeError.
type guard struct {
	own      identity       // what everything goes out under, unless
	installs *installations // choose
	origin   *url.URL
	now      func() time.Time
	cache    *cache
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	op := operation(req, g.origin)
	if err := transport.Stay(op, req, g.origin); err != nil {
		return nil, err
	}
	as, err := g.identity(req, op)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	var kept *answer
	key := as.name + cacheKey(req)
	if req.Method == http.MethodGet {
		if kept = g.cache.get(key); kept != nil {
			req.Header.Set("If-None-Match", kept.etag)
		}
	}
	resource := resource(req)
	if wait := as.budget.Begin(req.Context(), resource); !wait.IsZero() {
		return nil, &providers.ForgeError{Op: op, Class: providers.ErrLimited, After: wait, Err: transport.ErrBudget}
	}
	start := g.now()
	resp, err := as.auth.RoundTrip(req)
	if err != nil {
		as.budget.End(resource, nil)
		return nil, g.unsent(op, err)
	}
	as.budget.End(resource, providers.ReadAnswer(resp.Header, g.now().Sub(start), g.now()))
	if transport.IsRedirect(resp.StatusCode) {
		return resp, nil // judged by follow
	}
	body, err := transport.Read(op, resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified && kept != nil {
		resp, body = kept.renewed(resp), kept.body
	} else if e := g.judge(resp, body); e != nil {
		e.Op, e.Status = op, resp.StatusCode
		switch {
		case e.Class == providers.ErrLimited:
			e.After = as.budget.Refuse(resource, providers.RetryAfter(resp.Header, g.now()))
		case g.installs != nil && (e.Class == providers.ErrUnauthorized || e.Class == providers.ErrWithheld):
			return nil, g.installs.refused(req.Context(), op, as.name, e)
		}
		return nil, e
	} else if etag := resp.Header.Get("ETag"); req.Method == http.MethodGet && resp.StatusCode == http.StatusOK && etag != "" && json.Valid(body) {
		// A torn answer must not be confirmed by every 304 to come.
		g.cache.put(&answer{key: key, etag: etag, header: resp.Header.Clone(), body: body})
	}
	return transport.Give(resp, body), nil
}

// An identity is what a request goes out under.
type identity struct {
	name   string            // of its answers in the cache
	auth   http.RoundTripper // adds the token, and counts
	budget *providers.Budget
}

// identity picks one for a request.
func (g *guard) identity(req *http.Request, op string) (identity, error) {
	if g.installs == nil {
		return g.own, nil
	}
	i, err := g.installs.choose(req, op, strings.TrimPrefix(req.URL.Path, g.origin.Path))
	if err != nil {
		return identity{}, err
	}
	return i.identity, nil
}

// resource is what a request counts against: the REST API's limit, or that of
// GraphQL.
func resource(req *http.Request) string {
	if strings.HasSuffix(req.URL.Path, "/graphql") {
		return "graphql"
	}
	return ""
}

// renewed is the kept answer as if it came now. Its links and type are those of
// the kept one, the limits those of the 304.
func (a *answer) renewed(now *http.Response) *http.Response {
	resp := *now
	resp.StatusCode, resp.Status = http.StatusOK, "200 OK"
	resp.Header = now.Header.Clone()
	for _, name := range []string{"Content-Type", "Link"} {
		resp.Header.Del(name)
		if v := a.header.Get(name); v != "" {
			resp.Header.Set(name, v)
		}
	}
	return &resp
}

// unsent classifies what prevented an answer: the network, or a refused token
// of an App's installation. That GitHub knows no such installation, or none that
// is not suspended, is said of the App and never of what was asked.
func (g *guard) unsent(op string, err error) error {
	e := &providers.ForgeError{Op: op, Class: providers.ErrUnavailable, Err: err}
	var he *ghinstallation.HTTPError
	if !errors.As(err, &he) || he.Response == nil {
		return e
	}
	defer he.Response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(he.Response.Body, 1<<16))
	e.Status = he.Response.StatusCode
	if j := g.judge(he.Response, body); j != nil {
		e.Class, e.After = j.Class, j.After
		if j.Class == providers.ErrNotFound || j.Class == providers.ErrForbidden {
			e.Class, e.After = providers.ErrWithheld, g.now().Add(withheldPause)
		}
		if g.installs != nil {
			g.installs.outdate()
		}
	}
	return e
}

// follow allows redirects of a GET within the origin, as GitHub sends for
// renamed repositories and owners. One shows the public part of a list to those
// who may not see it all, which must not pass for the list.
func (g *guard) follow(req *http.Request, via []*http.Request) error {
	op := operation(via[0], g.origin)
	err := transport.Follow(op, req, via, g.origin)
	if err == nil && strings.HasSuffix(req.URL.Path, "/public_members") {
		err = &providers.ForgeError{Op: op, Status: req.Response.StatusCode, Class: providers.ErrForbidden, Err: errors.New("the token is not of a member")}
	}
	return err
}

// operation names a call by method and path; a token is in neither.
func operation(req *http.Request, origin *url.URL) string {
	return req.Method + " /" + strings.TrimPrefix(strings.TrimPrefix(req.URL.RequestURI(), origin.EscapedPath()), "/")
}

// nextLink returns the address of the next page, "" for none.
func nextLink(h http.Header) string {
	for _, link := range strings.Split(strings.Join(h.Values("Link"), ","), ",") {
		target, rel, ok := strings.Cut(link, ">")
		target = strings.TrimSpace(target)
		if ok && strings.HasPrefix(target, "<") && strings.Contains(rel, `rel="next"`) {
			return target[1:]
		}
	}
	return ""
}

// ownLinks fails if the next page is somewhere else.
func (f *Forge) ownLinks(op string, h http.Header) error {
	next := nextLink(h)
	if next == "" {
		return nil
	}
	base, err := url.Parse(f.api.BaseURL())
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	u, err := base.Parse(next)
	if err != nil || !transport.SameOrigin(u, base) {
		return nonsense(op, "the next page is said to be at another origin")
	}
	return nil
}
