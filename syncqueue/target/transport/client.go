package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

const maxAnswer = 64 << 20 // bytes of a list: a hundred thousand repositories

// Config is what a Client is made of. URL and Server are required.
type Config struct {
	URL    string // the CI server's web root
	Server string // its name, for errors

	// HTTP sends the requests. Its redirect policy, cookies and Timeout are not
	// used: a token must not travel on, and a sync takes longer than a look.
	HTTP *http.Client

	Observe func(code int) // told of each answer's status, 0 for no answer; may be nil

	// Words finds what the CI server itself says in the body of an error. ok is
	// false if it did not write that: a proxy did, or nobody.
	Words func(h http.Header, body []byte) (said string, ok bool)
}

// Client speaks to one CI server: same origin only, JSON only, secrets in no
// error. It is safe for concurrent use.
type Client struct {
	cfg      Config
	base     string // without a trailing slash
	http     *http.Client
	requests atomic.Uint64
}

// New returns a client. It asks nobody.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, errors.New("url: cannot be parsed") // the cause would quote it, password and all
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("url: wants http://host or https://host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("url: must have no user, query or fragment")
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{}
	}
	if cfg.Observe == nil {
		cfg.Observe = func(int) {}
	}
	own := *cfg.HTTP
	own.Jar, own.Timeout = nil, 0
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: cfg, base: strings.TrimRight(u.String(), "/"), http: &own}, nil
}

// Requests counts the requests sent.
func (c *Client) Requests() uint64 { return c.requests.Load() }

// Authorize lets one request act as somebody. It adds what proves it to the
// request, and returns that, so that an answer which echoes it can be cleaned.
type Authorize func(req *http.Request) (secret string, err error)

// Bearer acts by an API token.
func Bearer(token string) Authorize {
	return func(req *http.Request) (string, error) {
		req.Header.Set("Authorization", "Bearer "+token)
		return token, nil
	}
}

// Do sends one request as somebody, or as nobody if as is nil, with in as its
// body if that is not nil, and hands the body of a 200 to read, which must
// consume one JSON value. Every other answer is a *Problem.
func (c *Client) Do(ctx context.Context, method, path string, as Authorize, in any, read func(*json.Decoder) error) error {
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
		if secret, err = as(req); err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
	}
	c.requests.Add(1)
	res, err := c.http.Do(req)
	if err != nil {
		c.cfg.Observe(0)
		return fmt.Errorf("%s: no answer: %w", op, bare(err))
	}
	defer res.Body.Close()
	c.cfg.Observe(res.StatusCode)
	if res.StatusCode != http.StatusOK {
		return c.problem(op, secret, res)
	}
	if !IsJSON(res.Header) {
		return &Problem{Op: op, Status: res.StatusCode, Message: "the answer is not JSON: is this " + c.cfg.Server + "'s address?"}
	}
	return one(op, res.Body, read)
}

// one hands the single value of a body to read.
func one(op string, r io.Reader, read func(*json.Decoder) error) error {
	body := &io.LimitedReader{R: r, N: maxAnswer}
	d := json.NewDecoder(body)
	err := read(d)
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

// bare takes the *url.Error off: the operation is named already.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
