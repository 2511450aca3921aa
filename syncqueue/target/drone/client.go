package drone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode"
)

const (
	maxAnswer  = 64 << 20 // bytes of a list: a hundred thousand repositories
	maxProblem = 16 << 10 // bytes of an error's body
	maxMessage = 300      // runes of what Drone says, in an error
)

// client speaks to one Drone server: same origin only, JSON only, tokens in no
// error. It is safe for concurrent use.
type client struct {
	base     string // without a trailing slash
	http     *http.Client
	observe  func(code int)
	requests atomic.Uint64
}

func newClient(root string, hc *http.Client, observe func(int)) (*client, error) {
	u, err := url.Parse(root)
	switch {
	case err != nil:
		return nil, errors.New("url: cannot be parsed") // the cause would quote it, password and all
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("url: wants http://host or https://host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("url: must have no user, query or fragment")
	}
	if observe == nil {
		observe = func(int) {}
	}
	own := *hc
	own.Jar, own.Timeout = nil, 0
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{base: strings.TrimRight(u.String(), "/"), http: &own, observe: observe}, nil
}

// problem is an answer that is not what was asked for.
type problem struct {
	op      string
	status  int
	own     bool   // it is JSON with a message: Drone's own words, not a proxy's
	said    string // what Drone said, for us alone
	message string // the same, fit for an error
}

func (p *problem) Error() string {
	if p.message == "" {
		return fmt.Sprintf("%s: status %d", p.op, p.status)
	}
	return fmt.Sprintf("%s: status %d: %s", p.op, p.status, p.message)
}

// do sends one request as somebody, or as nobody if as is nil, with in as its
// body if that is not nil, and hands the body of a 200 to read, which must
// consume one JSON value. Every other answer is a *problem.
func (c *client) do(ctx context.Context, method, path string, as credential, in any, read func(*json.Decoder) error) error {
	op := method + " " + path
	var content io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return fmt.Errorf("%s: cannot be asked", op)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hookd")
	secret := ""
	if as != nil {
		if secret, err = as.authorize(req); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
	}
	c.requests.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		c.observe(0)
		return fmt.Errorf("%s: no answer: %w", op, bare(err))
	}
	defer res.Body.Close()
	c.observe(res.StatusCode)
	if res.StatusCode != http.StatusOK {
		return c.problem(op, secret, res)
	}
	if !isJSON(res.Header) {
		return &problem{op: op, status: res.StatusCode, message: "the answer is not JSON: is this Drone's address?"}
	}
	body := &io.LimitedReader{R: res.Body, N: maxAnswer}
	d := json.NewDecoder(body)
	err = read(d)
	if err == nil {
		_, err = d.Token()
		switch {
		case errors.Is(err, io.EOF) && body.N > 0:
			return nil
		case err == nil, errors.Is(err, io.EOF):
			err = errors.New("more than one value, or too large")
		}
	}
	if body.N <= 0 {
		err = fmt.Errorf("larger than %d bytes", maxAnswer)
	}
	return fmt.Errorf("%s: broken answer: %w", op, err)
}

func (c *client) problem(op, secret string, res *http.Response) error {
	p := &problem{op: op, status: res.StatusCode}
	if res.StatusCode/100 == 3 {
		p.message = "redirects are not followed: a token stays with the configured address"
		return p
	}
	if !isJSON(res.Header) {
		return p
	}
	var said struct {
		Message *string `json:"message"`
	}
	err := json.NewDecoder(io.LimitReader(res.Body, maxProblem)).Decode(&said)
	if err == nil && said.Message != nil {
		p.own, p.said, p.message = true, *said.Message, clean(*said.Message, secret)
	}
	return p
}

// bare takes the *url.Error off: the operation is named already.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func isJSON(h http.Header) bool {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && t == "application/json"
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
