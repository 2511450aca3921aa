package providerstest

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GiteaFault is a way for answers to go wrong.
type GiteaFault struct {
	Kind  FaultKind
	Path  string        // a part of the path below /api/v1, "" for every call
	User  string        // only calls made as this user, by his token or Sudo; "" for everybody
	Page  int           // only this page of a list, 0 for all
	Times int           // how often, 0 until it is healed
	After time.Duration // the Retry-After of FaultLimit, the pause between the bytes of FaultDrip
	To    string        // where FaultElsewhere redirects to
}

// FaultKind is what goes wrong.
type FaultKind string

// The faults.
const (
	FaultError        FaultKind = "500"       // an error of the server
	FaultLimit        FaultKind = "429"       // a rate limit, as a proxy in front of Gitea has it
	FaultUnauthorized FaultKind = "401"       // the token is refused
	FaultForbidden    FaultKind = "403"       // the token may not
	FaultHang         FaultKind = "hang"      // no answer until the client gives up
	FaultDrip         FaultKind = "drip"      // one byte at a time
	FaultHTML         FaultKind = "html"      // a page for people, with status 200
	FaultProxy404     FaultKind = "proxy 404" // a 404 that is not Gitea's
	FaultTruncated    FaultKind = "truncated" // half of the JSON, with status 200
	FaultNull         FaultKind = "null"      // JSON of another shape, with status 200
	FaultEmpty        FaultKind = "empty"     // an empty list that says it is: count 0
	FaultHollow       FaultKind = "hollow"    // an empty list under the true count
	FaultStub         FaultKind = "stub"      // an empty list without any header
	FaultNoLink       FaultKind = "no link"   // without the Link header
	FaultNoTotal      FaultKind = "no total"  // without X-Total-Count
	FaultBare         FaultKind = "bare"      // without both
	FaultLoop         FaultKind = "loop"      // the same page again and again
	FaultElsewhere    FaultKind = "elsewhere" // a redirect to another origin
)

type fault struct {
	GiteaFault
	left int // -1 for ever
}

// Break switches a fault on. The returned function heals it; later faults go
// before earlier ones.
func (g *Gitea) Break(f GiteaFault) (heal func()) {
	x := &fault{GiteaFault: f, left: f.Times}
	if f.Times == 0 {
		x.left = -1
	}
	g.faultsMu.Lock()
	defer g.faultsMu.Unlock()
	g.faults = append(g.faults, x)
	return func() {
		g.faultsMu.Lock()
		defer g.faultsMu.Unlock()
		g.faults = slices.DeleteFunc(g.faults, func(y *fault) bool { return y == x })
	}
}

func (g *Gitea) faultFor(c *call) *fault {
	g.faultsMu.Lock()
	defer g.faultsMu.Unlock()
	for _, f := range slices.Backward(g.faults) {
		if f.left != 0 && f.matches(c) {
			if f.left > 0 {
				f.left--
			}
			return f
		}
	}
	return nil
}

func (f *fault) matches(c *call) bool {
	return strings.Contains(strings.TrimPrefix(c.r.URL.Path, apiRoot), f.Path) &&
		(f.Page == 0 || f.Page == max(c.page, 1)) &&
		(f.User == "" || (c.doer != nil && fold(c.doer.login) == fold(f.User)))
}

// before acts instead of the endpoint; it reports whether that was all.
func (f *fault) before(c *call, w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultHang:
		select {
		case <-c.r.Context().Done():
		case <-c.g.done:
		}
		return true
	case FaultLoop:
		c.page = 1
	case FaultElsewhere:
		http.Redirect(w, c.r, f.To, http.StatusFound)
		return true
	case FaultError:
		c.refuse(http.StatusInternalServerError, "")
	case FaultUnauthorized:
		c.refuse(http.StatusUnauthorized, "invalid username, password or token")
	case FaultForbidden:
		c.refuse(http.StatusForbidden, "token does not have at least one of required scope(s)")
	case FaultLimit:
		c.header.Set("Retry-After", strconv.Itoa(int(f.After.Seconds())))
		c.status = http.StatusTooManyRequests
		c.body.WriteString("slow down\n")
	case FaultProxy404:
		c.status = http.StatusNotFound
		c.header.Set("Content-Type", "text/html")
		c.body.WriteString("<html><body>no such route</body></html>")
	case FaultHTML:
		c.header.Set("Content-Type", "text/html; charset=utf-8")
		c.body.WriteString("<html><body>Please sign in</body></html>")
	case FaultNull:
		c.body.WriteString("null\n")
	case FaultStub:
		c.body.WriteString("[]\n")
	default:
		return false
	}
	if f.Kind == FaultLoop {
		return false
	}
	c.send(w)
	return true
}

var countOf = regexp.MustCompile(`^\d+$`)

// after spoils the endpoint's answer; it reports whether it also sent it.
func (f *fault) after(c *call, w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultTruncated:
		c.body.Truncate(c.body.Len() / 2)
	case FaultEmpty, FaultHollow:
		if !countOf.MatchString(c.header.Get("X-Total-Count")) {
			return false // not a list
		}
		c.body.Reset()
		c.body.WriteString("[]\n")
		c.header.Del("Link")
		if f.Kind == FaultEmpty {
			c.header.Set("X-Total-Count", "0")
		}
	case FaultNoLink:
		c.header.Del("Link")
	case FaultNoTotal:
		c.header.Del("X-Total-Count")
	case FaultBare:
		c.header.Del("Link")
		c.header.Del("X-Total-Count")
	case FaultDrip:
		f.drip(c, w)
		return true
	}
	return false
}

func (f *fault) drip(c *call, w http.ResponseWriter) {
	for k, v := range c.header {
		w.Header()[k] = v
	}
	w.WriteHeader(c.status)
	tick := time.NewTicker(max(f.After, time.Millisecond))
	defer tick.Stop()
	for _, b := range c.body.Bytes() {
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-tick.C:
		case <-c.r.Context().Done():
			return
		case <-c.g.done:
			return
		}
	}
}
