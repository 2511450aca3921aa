package providerstest

import (
	"net/http"
	"strconv"
	"strings"
)

// A glFault is a fault as GitLab has it.
type glFault Fault

func (g *GitLab) faultFor(c *glCall) *glFault {
	login := ""
	if c.doer != nil {
		login = c.doer.login
	}
	return (*glFault)(g.meets(strings.TrimPrefix(c.r.URL.Path, c.g.opt.Path+glAPIRoot), login, max(c.page, 1)))
}

// before acts instead of the endpoint; it reports whether that was all.
func (f *glFault) before(c *glCall, w http.ResponseWriter) bool {
	switch f.Kind {
	case FaultHang:
		select {
		case <-c.r.Context().Done():
		case <-c.g.done:
		}
		return true
	case FaultLoop:
		c.page = 1
		return false
	case FaultElsewhere:
		http.Redirect(w, c.r, f.To, http.StatusFound)
		return true
	}
	c.body.Reset()
	switch f.Kind {
	case FaultError:
		c.refuse(http.StatusInternalServerError, "500 Internal Server Error")
	case FaultUnauthorized:
		c.refuse(http.StatusUnauthorized, "401 Unauthorized")
	case FaultForbidden:
		c.status = http.StatusForbidden
		c.json(map[string]string{"error": "insufficient_scope", "error_description": "The request requires higher privileges than provided by the access token."})
	case FaultLimit:
		c.limited(f.After)
	case FaultProxy404:
		c.status = http.StatusNotFound
		c.header.Set("Content-Type", "text/html")
		c.body.WriteString("<html><body>no such route</body></html>")
	case FaultHTML:
		c.header.Set("Content-Type", "text/html; charset=utf-8")
		c.body.WriteString("<html><body>Please sign in</body></html>")
	case FaultNull:
		c.body.WriteString("null")
	case FaultStub:
		c.body.WriteString("[]")
	default:
		return false
	}
	c.send(w)
	return true
}

// after spoils the endpoint's answer; it reports whether it also sent it.
func (f *glFault) after(c *glCall, w http.ResponseWriter) bool {
	numbers := []string{"X-Total", "X-Total-Pages", "X-Per-Page", "X-Page", "X-Next-Page", "X-Prev-Page"}
	switch f.Kind {
	case FaultTruncated:
		c.body.Truncate(c.body.Len() / 2)
	case FaultEmpty, FaultHollow:
		if c.header.Get("X-Page") == "" {
			return false // not a list
		}
		c.body.Reset()
		c.body.WriteString("[]")
		c.header.Set("X-Next-Page", "")
		c.header.Del("Link")
		if f.Kind == FaultEmpty {
			c.header.Set("X-Total", "0")
		}
	case FaultNoLink:
		c.header.Del("Link")
	case FaultNoTotal:
		c.header.Del("X-Total")
		c.header.Del("X-Total-Pages")
	case FaultBare:
		c.header.Del("Link")
		for _, name := range numbers {
			c.header.Del(name)
		}
	case FaultDrip:
		c.header.Set("Content-Length", strconv.Itoa(c.body.Len()))
		drip(c.r.Context(), w, c.status, c.header, &c.body, f.After, c.g.done)
		return true
	}
	return false
}
