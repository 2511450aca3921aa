package providerstest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GitLabFault is a way for answers to go wrong: the same as Gitea's, so that
// one table of faults serves both. Path is a part of the path below /api/v4.
type GitLabFault = GiteaFault

type glFault struct {
	GitLabFault
	left int // -1 for ever
}

// Break switches a fault on. The returned function heals it; later faults go
// before earlier ones.
func (g *GitLab) Break(f GitLabFault) (heal func()) {
	x := &glFault{GitLabFault: f, left: f.Times}
	if f.Times == 0 {
		x.left = -1
	}
	g.faultsMu.Lock()
	defer g.faultsMu.Unlock()
	g.faults = append(g.faults, x)
	return func() {
		g.faultsMu.Lock()
		defer g.faultsMu.Unlock()
		g.faults = slices.DeleteFunc(g.faults, func(y *glFault) bool { return y == x })
	}
}

func (g *GitLab) faultFor(c *glCall) *glFault {
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

func (f *glFault) matches(c *glCall) bool {
	return strings.Contains(strings.TrimPrefix(c.r.URL.Path, c.g.opt.Path+glAPIRoot), f.Path) &&
		(f.Page == 0 || f.Page == max(c.page, 1)) &&
		(f.User == "" || (c.doer != nil && fold(c.doer.login) == fold(f.User)))
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
		f.drip(c, w)
		return true
	}
	return false
}

func (f *glFault) drip(c *glCall, w http.ResponseWriter) {
	for k, v := range c.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(c.body.Len()))
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
