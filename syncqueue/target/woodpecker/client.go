package woodpecker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

func newClient(cfg Config) (*transport.Client, error) {
	return transport.New(transport.Config{
		URL: cfg.URL, Server: "Woodpecker", HTTP: cfg.HTTP, Observe: cfg.Observe, Words: words,
	})
}

// words finds what Woodpecker says of an error: plain text, or nothing.
func words(h http.Header, body []byte) (string, bool) {
	said := strings.TrimSpace(string(body))
	return said, said != "" && transport.IsText(h)
}

// busy is how long to wait for a database that was locked. Woodpecker's own
// SQLite does not wait for another request's write: of users who are looked at
// at once, some get a 500 without a word (measured with 3.17.0).
var busy = []time.Duration{50 * time.Millisecond, 250 * time.Millisecond}

// get reads one JSON value. The forge may be asked, but for no list.
func (t *Target) get(ctx context.Context, path string, as transport.Authorize, into any) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for try := 0; ; try++ {
		err := t.client.Do(ctx, http.MethodGet, path, as, nil, decode(into))
		var p *transport.Problem
		if try == len(busy) || !errors.As(err, &p) || p.Status != http.StatusInternalServerError || p.Message != "" {
			return err
		}
		select {
		case <-time.After(busy[try]):
		case <-ctx.Done():
			return err
		}
	}
}

func decode(into any) func(*json.Decoder) error {
	return func(d *json.Decoder) error { return d.Decode(into) }
}

// admin acts as the administrator.
func (t *Target) admin() transport.Authorize { return transport.Bearer(t.cfg.AdminToken) }

// spent are the words by which Woodpecker passes on that the forge refuses the
// user's session. Why it could not be renewed is only in Woodpecker's log
// [server/forge/refresh.go].
var spent = []string{
	"invalid username, password or token", // Gitea
	": 401 ", "401 unauthorized",          // GitHub and GitLab, by their clients' words
}

// userError gives a failure that Woodpecker answered to a user's own token its
// meaning: the token is refused, the user's session with the forge is spent, or
// something else, which a retry may cure.
func (t *Target) userError(ctx context.Context, a actor, err error) error {
	var p *transport.Problem
	if !errors.As(err, &p) || !p.Own {
		return err
	}
	switch p.Status {
	case http.StatusUnauthorized:
		return t.refused(ctx, a)
	case http.StatusInternalServerError:
		said := strings.ToLower(p.Said)
		for _, s := range spent {
			if strings.Contains(said, s) {
				return fmt.Errorf("%w (Woodpecker says: %s)", target.ErrMustLogIn, p.Message)
			}
		}
	}
	return err
}
