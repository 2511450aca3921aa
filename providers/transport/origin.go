package transport

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookd/hookd/providers"
)

// maxRedirects is enough for a repository and its owner that were both renamed,
// and for a group that was so more than once.
const maxRedirects = 4

// SameOrigin compares scheme, host and port, the default ones included.
func SameOrigin(u, origin *url.URL) bool {
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

// Stay fails if req would leave the origin, to which alone the token belongs.
// Op names the call in the error.
func Stay(op string, req *http.Request, origin *url.URL) error {
	if SameOrigin(req.URL, origin) {
		return nil
	}
	return &providers.ForgeError{Op: op, Class: providers.ErrNonsense, Err: errors.New("refusing to leave the configured origin")}
}

// Follow judges a redirect, as http.Client.CheckRedirect does: those of a GET
// within the origin are followed, as forges send them for what was renamed.
func Follow(op string, req *http.Request, via []*http.Request, origin *url.URL) error {
	var why string
	switch {
	case !SameOrigin(req.URL, origin):
		why = "redirect to another origin"
	case via[0].Method != http.MethodGet:
		why = "redirect of a " + via[0].Method
	case len(via) > maxRedirects:
		why = "redirects without end"
	default:
		return nil
	}
	return &providers.ForgeError{Op: op, Status: req.Response.StatusCode, Class: providers.ErrNonsense, Err: errors.New(why)}
}

// IsRedirect reports whether an answer of this status is for Follow to judge.
func IsRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
