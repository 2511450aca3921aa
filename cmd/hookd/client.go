package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// A client talks to the admin API of a running hookd. The data folder belongs
// to the server, so commands never open it.
type client struct {
	base  *url.URL
	token secret
	lack  error // why there is no token
	http  *http.Client
}

// clientFlags are the flags of every command that needs a running hookd.
func clientFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "admin", Usage: "`URL` of the admin API (HOOKD_ADMIN; else from the configuration)"},
		&cli.StringFlag{Name: "token-file", Usage: "`FILE` with an admin token (HOOKD_TOKEN_FILE; else admin-token in the data folder)"},
	}, more...)
}

// client finds the running server: by flags, else by the environment, else by
// what the configuration tells the server itself.
func (a *app) client(cmd *cli.Command) (*client, error) {
	cl, err := a.anonymous(cmd)
	if err != nil {
		return nil, err
	}
	file := cmp.Or(cmd.String("token-file"), a.env.get("HOOKD_TOKEN_FILE"))
	named := file != ""
	if !named {
		c, f := readConfig(cmd.String("config"), a.env)
		if c == nil {
			return nil, f
		}
		t := c.strongestToken()
		if t.Token != "" {
			cl.token = t.Token
			return cl, nil
		}
		file = t.TokenFile
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !named {
		// Most likely no server ran here yet, and that it does not answer is
		// the better message.
		cl.lack = err
		return cl, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the admin token: %w\nfix: run this as the user of the server, or name a token by --token-file", err)
	}
	cl.token = secret(strings.TrimSpace(string(b)))
	return cl, nil
}

// anonymous is client without a token, for what needs none.
func (a *app) anonymous(cmd *cli.Command) (*client, error) {
	base := cmp.Or(cmd.String("admin"), a.env.get("HOOKD_ADMIN"))
	if base == "" {
		c, f := readConfig(cmd.String("config"), a.env)
		if c == nil {
			return nil, f
		}
		var err error
		if base, err = reachable(c.AdminListen); err != nil {
			return nil, fmt.Errorf("admin_listen %s: %w\nfix: name the server by --admin URL", c.AdminListen, err)
		}
	}
	if !strings.Contains(base, "://") {
		base = "http://" + base
	}
	u, err := url.Parse(base)
	if err != nil || !isWeb(u) {
		return nil, usagef(cmd, "--admin: %q is not a web address", base)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &client{base: u, http: &http.Client{
		Timeout: time.Minute,
		// The token goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// isWeb reports whether u is an address that a web client can ask.
func isWeb(u *url.URL) bool { return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") }

// reachable turns an address to listen on into one to connect to.
func reachable(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	switch {
	case err != nil:
		return "", err
	case port == "0" || port == "":
		return "", errors.New("the port is chosen at start")
	case host == "" || host == "0.0.0.0":
		host = "127.0.0.1"
	case host == "::":
		host = "::1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// An answerError is an error that the server answered.
type answerError struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	lack   error
}

func (e *answerError) Error() string {
	s := cmp.Or(e.Detail, e.Title, http.StatusText(e.Status))
	switch e.Status {
	case http.StatusUnauthorized:
		if e.lack != nil {
			s += ": " + e.lack.Error()
		}
		s += "\nfix: name a file with a valid token by --token-file; a server without configured tokens keeps one in data_dir/" + adminTokenName
	case http.StatusForbidden:
		s += "\nfix: use a token with a higher role"
	}
	return s
}

// named adds to an answer about a single thing which one it was, and where to
// look for it if there is none or more than one.
func named(err error, what, id, list string) error {
	var e *answerError
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if e.Status != http.StatusNotFound && e.Status != http.StatusConflict {
		return fmt.Errorf("%s %s: %w", what, clean(id), err)
	}
	return fmt.Errorf("%s %s: %w\nsee: hookd %s", what, clean(id), err, list)
}

// send sends body as JSON, if there is one, and returns the answer, whose body
// the caller closes.
func (cl *client) send(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	u := *cl.base
	u.Path += path
	u.RawQuery = query.Encode()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), payload)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if cl.token != "" {
		req.Header.Set("Authorization", "Bearer "+string(cl.token))
	}
	resp, err := cl.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, fmt.Errorf("no hookd answers at %s: %w\nfix: start it by `hookd serve`, or name its address by --admin URL", cl.base, err)
	}
	return resp, nil
}

// refusal is what an answer of 300 and above says.
func (cl *client) refusal(resp *http.Response, text []byte) error {
	e := &answerError{}
	if json.Unmarshal(text, e) != nil || e.Title == "" && e.Detail == "" {
		e = &answerError{Title: fmt.Sprintf("%s answered %s, and not as hookd does: is that the admin address?", cl.base, resp.Status)}
	}
	e.Status, e.lack = resp.StatusCode, cl.lack
	return e
}

// do sends body as JSON, if there is one, and decodes the answer into into, if
// that is not nil; a *[]byte gets it as it is. It returns the status of an
// answer below 300.
func (cl *client) do(ctx context.Context, method, path string, query url.Values, body, into any) (int, error) {
	resp, err := cl.send(ctx, method, path, query, body)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("the answer of %s broke off: %w", cl.base, err)
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, cl.refusal(resp, text)
	}
	if exact, ok := into.(*[]byte); ok {
		*exact = text
		return resp.StatusCode, nil
	}
	if into == nil || len(text) == 0 {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return 0, fmt.Errorf("%s%s: the answer is not hookd's: %w", cl.base, path, err)
	}
	return resp.StatusCode, nil
}

// maxAnswer bounds an answer that is kept in memory, in bytes.
const maxAnswer = 64 << 20

func (cl *client) get(ctx context.Context, path string, query url.Values, into any) error {
	_, err := cl.do(ctx, http.MethodGet, path, query, nil, into)
	return err
}

// A page is one answer of a listing.
type page struct {
	Items []json.RawMessage `json:"items"`
	Next  *string           `json:"next"`
}

// pageSize is the most that the API gives in one answer.
const pageSize = 500

// list reads pages until there are limit items; 0 stands for all.
func (cl *client) list(ctx context.Context, path string, query url.Values, limit int) (page, error) {
	all := page{Items: []json.RawMessage{}}
	for {
		query.Set("limit", fmt.Sprint(pageSize))
		if limit > 0 {
			query.Set("limit", fmt.Sprint(min(limit-len(all.Items), pageSize)))
		}
		var p page
		if err := cl.get(ctx, path, query, &p); err != nil {
			return page{}, err
		}
		all.Items, all.Next = append(all.Items, p.Items...), p.Next
		if p.Next == nil || *p.Next == "" || limit > 0 && len(all.Items) >= limit {
			return all, nil
		}
		query.Set("cursor", *p.Next)
	}
}
