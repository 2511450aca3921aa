package providerstest

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// A gtFault is a fault as Gitea has it.
type gtFault Fault

func (g *Gitea) faultFor(c *call) *gtFault {
	login := ""
	if c.doer != nil {
		login = c.doer.login
	}
	return (*gtFault)(g.meets(strings.TrimPrefix(c.r.URL.Path, apiRoot), login, max(c.page, 1)))
}

// before acts instead of the endpoint; it reports whether that was all.
func (f *gtFault) before(c *call, w http.ResponseWriter) bool {
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
func (f *gtFault) after(c *call, w http.ResponseWriter) bool {
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
		drip(c.r.Context(), w, c.status, c.header, &c.body, f.After, c.g.done)
		return true
	}
	return false
}
