package github

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/transport"
)

// judge classifies an answer; nil means that the call succeeded and that the
// answer says to be JSON, or that there is none (204). Whether it is finds out
// who decodes it.
func (g *guard) judge(resp *http.Response, body []byte) *providers.ForgeError {
	class := func(class, cause error) *providers.ForgeError {
		return &providers.ForgeError{Class: class, Err: cause}
	}
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized:
		return class(providers.ErrUnauthorized, words(resp, body))
	case code == http.StatusForbidden || code == http.StatusTooManyRequests:
		if limited(resp, body) {
			return class(providers.ErrLimited, words(resp, body))
		}
		if isSuspended(resp, body) {
			e := class(providers.ErrWithheld, words(resp, body))
			e.After = g.now().Add(withheldPause)
			return e
		}
		if resp.Header.Get("X-GitHub-SSO") != "" {
			return class(providers.ErrForbidden, errors.New("the token is not authorized for the organization's single sign-on"))
		}
		return class(providers.ErrForbidden, words(resp, body))
	case code >= 500:
		return class(providers.ErrUnavailable, words(resp, body))
	case code == http.StatusNotFound:
		if !isNotFound(resp, body) {
			return class(providers.ErrNonsense, errors.New("a 404 that is not the forge's own"))
		}
		return class(providers.ErrNotFound, nil)
	case code/100 != 2:
		return class(providers.ErrNonsense, words(resp, body))
	case code == http.StatusNoContent && len(body) == 0:
		return nil
	}
	return transport.Sound(resp, body, isJSON(resp))
}

// limited tells a rate limit from a lack of rights, both of which GitHub answers
// with 403.
func limited(resp *http.Response, body []byte) bool {
	if resp.StatusCode == http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "" || resp.Header.Get("X-RateLimit-Remaining") == "0" {
		return true
	}
	e := message(resp, body)
	if e == nil {
		return false
	}
	said := strings.ToLower(e.Message)
	return strings.Contains(said, "secondary rate limit") || strings.Contains(said, "abuse detection") || strings.Contains(said, "rate limit exceeded")
}

func isJSON(resp *http.Response) bool {
	t := transport.MediaType(resp)
	return t == "application/json" || strings.HasPrefix(t, "application/") && strings.HasSuffix(t, "+json")
}

// apiError is GitHub's word on a failure.
type apiError struct {
	Message string `json:"message"`
	// Errors say what a validation found: "Validation Failed" alone helps nobody.
	Errors []json.RawMessage `json:"errors"`
}

// details are the messages within, which are texts or objects with one.
func (e *apiError) details() string {
	var all []string
	for _, raw := range e.Errors {
		var inner struct {
			Message string `json:"message"`
		}
		var text string
		if json.Unmarshal(raw, &text) != nil && json.Unmarshal(raw, &inner) == nil {
			text = inner.Message
		}
		if text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

func message(resp *http.Response, body []byte) *apiError {
	var e apiError
	if !isJSON(resp) || json.Unmarshal(body, &e) != nil || e.Message == "" {
		return nil
	}
	return &e
}

// isNotFound tells GitHub's 404 from one of a proxy: it is JSON and says so.
// Where a user is asked about, it says "li is not a user"; where contents are
// and there are none yet, that the repository is empty.
func isNotFound(resp *http.Response, body []byte) bool {
	e := message(resp, body)
	return e != nil && (strings.EqualFold(e.Message, "Not Found") || strings.HasSuffix(e.Message, " is not a user") || e.Message == "This repository is empty.")
}

// isSuspended tells that the owner of an account suspended the App there.
func isSuspended(resp *http.Response, body []byte) bool {
	e := message(resp, body)
	return e != nil && strings.Contains(e.Message, "installation has been suspended")
}

// words returns GitHub's message, for people, or nil.
func words(resp *http.Response, body []byte) error {
	e := message(resp, body)
	if e == nil {
		return nil
	}
	said := e.Message
	if details := e.details(); details != "" {
		said += ": " + details
	}
	return transport.Said(said)
}
