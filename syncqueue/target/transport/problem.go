package transport

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"
)

const (
	maxProblem = 16 << 10 // bytes of an error's body
	maxMessage = 300      // runes of what the CI server says, in an error
)

// A Problem is an answer that is not what was asked for.
type Problem struct {
	Op      string // method and path
	Status  int
	Own     bool   // the CI server's own words, not a proxy's
	Said    string // what it said, for the driver alone: it may echo a secret
	Message string // the same, or what is wrong, fit for an error
}

func (p *Problem) Error() string {
	if p.Message == "" {
		return fmt.Sprintf("%s: status %d", p.Op, p.Status)
	}
	return fmt.Sprintf("%s: status %d: %s", p.Op, p.Status, p.Message)
}

func (c *Client) problem(op, secret string, res *http.Response) error {
	p := &Problem{Op: op, Status: res.StatusCode}
	if res.StatusCode/100 == 3 {
		p.Message = "redirects are not followed: a token stays with the configured address"
		return p
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil || c.cfg.Words == nil {
		return p
	}
	if said, ok := c.cfg.Words(res.Header, body); ok {
		p.Own, p.Said, p.Message = true, said, clean(said, secret)
	}
	return p
}

// IsJSON reports whether a body calls itself JSON.
func IsJSON(h http.Header) bool { return is(h, "application/json") }

// IsText reports whether a body calls itself plain text.
func IsText(h http.Header) bool { return is(h, "text/plain") }

func is(h http.Header, media string) bool {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && t == media
}

// clean makes a foreign text fit for an error: one line, short, and without
// the secret, should the other side have echoed it.
func clean(s, secret string) string {
	if secret != "" {
		s = strings.ReplaceAll(s, secret, "[redacted]")
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > maxMessage {
		s = string(r[:maxMessage]) + "…"
	}
	return strings.TrimSpace(s)
}

// Segment reports whether a text, such as a login, can be a segment of a path:
// a router would read "../repos" as another question.
func Segment(s string) bool {
	return s != "" && s != "." && s != ".." &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '/' || r == '\\' || r == 0x7f })
}
