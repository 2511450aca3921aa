package drone

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/hookd/hookd/syncqueue/target/transport"
)

// client speaks to one Drone server.
type client struct{ *transport.Client }

func newClient(cfg Config) (client, error) {
	c, err := transport.New(transport.Config{URL: cfg.URL, Server: "Drone", HTTP: cfg.HTTP, Observe: cfg.Observe, Words: words})
	return client{c}, err
}

// words finds the message of Drone's errors, which are JSON.
func words(h http.Header, body []byte) (string, bool) {
	var said struct {
		Message *string `json:"message"`
	}
	if !transport.IsJSON(h) || json.Unmarshal(body, &said) != nil || said.Message == nil {
		return "", false
	}
	return *said.Message, true
}

// do sends one request as somebody, or as nobody if as is nil.
func (c client) do(ctx context.Context, method, path string, as credential, in any, read func(*json.Decoder) error) error {
	var auth transport.Authorize
	if as != nil {
		auth = as.authorize
	}
	return c.Do(ctx, method, path, auth, in, read)
}
