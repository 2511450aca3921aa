package providerstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GitHubFault is a way for answers to go wrong. Path is a part of the path below
// the API's root ("/graphql" for that API), User the one whose token is used.
// What Gitea has and GitHub has not (counts) changes nothing here.
type GitHubFault = GiteaFault

// The faults that only GitHub has. FaultLimit is here a secondary limit that
// says how long to wait.
const (
	FaultPrimary   FaultKind = "primary limit"   // the hour's requests are used up, with the time of the next hour
	FaultSecondary FaultKind = "secondary limit" // a secondary limit that says nothing of how long it lasts
	FaultSSO       FaultKind = "sso"             // the token is not authorized for single sign-on
)

type ghFault struct {
	GitHubFault
	left int // -1 for ever
}

// Break switches a fault on. The returned function heals it; later faults go
// before earlier ones.
func (g *GitHub) Break(f GitHubFault) (heal func()) {
	x := &ghFault{GitHubFault: f, left: f.Times}
	if f.Times == 0 {
		x.left = -1
	}
	g.faultsMu.Lock()
	defer g.faultsMu.Unlock()
	g.faults = append(g.faults, x)
	return func() {
		g.faultsMu.Lock()
		defer g.faultsMu.Unlock()
		g.faults = slices.DeleteFunc(g.faults, func(y *ghFault) bool { return y == x })
	}
}

func (g *GitHub) faultFor(c *ghCall) *ghFault {
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

func (f *ghFault) matches(c *ghCall) bool {
	return strings.Contains(strings.TrimPrefix(strings.TrimPrefix(c.r.URL.Path, ghRoot), "/api"), f.Path) &&
		(f.Page == 0 || f.Page == c.page) &&
		(f.User == "" || (c.doer != nil && fold(c.doer.login) == fold(f.User)))
}

const secondaryMessage = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."

// before acts instead of the endpoint; it reports whether that was all.
func (f *ghFault) before(c *ghCall, w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultHang:
		select {
		case <-c.r.Context().Done():
		case <-c.g.done:
		}
		return true
	case FaultElsewhere:
		http.Redirect(w, c.r, f.To, http.StatusFound)
		return true
	case FaultLoop:
		c.page = 1
		return false
	case FaultError:
		c.refuse(http.StatusBadGateway, "Server Error")
	case FaultUnauthorized:
		c.refuse(http.StatusUnauthorized, "Bad credentials")
	case FaultForbidden:
		c.refuse(http.StatusForbidden, "Resource not accessible by personal access token")
	case FaultSSO:
		c.header.Set("X-GitHub-SSO", "required; url="+c.g.url+"/orgs/acme/sso")
		c.refuse(http.StatusForbidden, "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization.")
	case FaultLimit:
		c.header.Set("Retry-After", strconv.Itoa(int(f.After.Seconds())))
		c.refuse(http.StatusForbidden, secondaryMessage)
	case FaultSecondary:
		c.refuse(http.StatusForbidden, secondaryMessage)
	case FaultPrimary:
		c.limits(0, c.g.opt.Now().Add(f.After), "core")
		c.refuse(http.StatusForbidden, "API rate limit exceeded for user ID 1001.")
	case FaultProxy404:
		c.status = http.StatusNotFound
		c.header.Set("Content-Type", "text/html")
		c.body.WriteString("<html><body>no such route</body></html>")
	case FaultHTML:
		c.header.Set("Content-Type", "text/html; charset=utf-8")
		c.body.WriteString("<html><body>Please sign in</body></html>")
	case FaultNull:
		c.body.WriteString("null")
	case FaultStub, FaultEmpty, FaultHollow:
		c.body.WriteString("[]")
	default:
		return false
	}
	c.send(w)
	return true
}

// after spoils the endpoint's answer; it reports whether it also sent it.
func (f *ghFault) after(c *ghCall, w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultTruncated:
		c.body.Truncate(c.body.Len() / 2)
	case FaultNoLink, FaultBare:
		c.header.Del("Link")
	case FaultDrip:
		f.drip(c, w)
		return true
	}
	return false
}

func (f *ghFault) drip(c *ghCall, w http.ResponseWriter) {
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
