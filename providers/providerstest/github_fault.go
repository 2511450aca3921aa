package providerstest

import (
	"net/http"
	"strconv"
	"strings"
)

// The faults that only GitHub has. FaultLimit is here a secondary limit that
// says how long to wait.
const (
	FaultPrimary   FaultKind = "primary limit"   // the hour's requests are used up, with the time of the next hour
	FaultSecondary FaultKind = "secondary limit" // a secondary limit that says nothing of how long it lasts
	FaultSSO       FaultKind = "sso"             // the token is not authorized for single sign-on
)

// A ghFault is a fault as GitHub has it.
type ghFault Fault

func (g *GitHub) faultFor(c *ghCall) *ghFault {
	login := ""
	if c.doer != nil {
		login = c.doer.login
	}
	return (*ghFault)(g.meets(strings.TrimPrefix(strings.TrimPrefix(c.r.URL.Path, ghRoot), "/api"), login, c.page))
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
		drip(c.r.Context(), w, c.status, c.header, &c.body, f.After, c.g.done)
		return true
	}
	return false
}
