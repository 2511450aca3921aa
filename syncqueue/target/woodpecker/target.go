package woodpecker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/keys"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// Config is what a Target is made of. Name, URL and TokenDir are required.
type Config struct {
	Name string // of the target, for logs
	URL  string // Woodpecker's web root

	// AdminToken is an administrator's API token. With it hookd knows which
	// repositories are active, and can tell rejections from an outage.
	AdminToken string

	// TokenDir has one file for each login with that user's API token.
	TokenDir string

	// HTTP sends the requests. Its redirect policy, cookies and Timeout are not
	// used: a token must not travel on, and a refresh takes longer than a look.
	HTTP *http.Client

	Observe func(code int) // told of each answer's status, 0 for no answer; may be nil
	Guard   target.Guard
	Now     func() time.Time
	Log     *slog.Logger

	// SyncTimeout bounds one reading of a user's whole list; 2 minutes if zero.
	// On GitLab Woodpecker asks for each of its projects by itself.
	SyncTimeout time.Duration
}

const (
	lookTimeout = 15 * time.Second
	syncTimeout = 2 * time.Minute
)

// Target is a Woodpecker server. It is safe for concurrent use.
type Target struct {
	cfg    Config
	client *transport.Client
	keys   keys.Ring
	turns  keys.Turns

	active active
	roster roster
}

var (
	_ target.Target  = (*Target)(nil)
	_ target.Keyring = (*Target)(nil)
	_ target.Roster  = (*Target)(nil)

	_ target.Activator = (*Target)(nil)
	_ target.Scout     = (*Target)(nil)
	_ target.Greeter   = (*Target)(nil)
)

// New returns a target. It asks nobody; the token directory need not exist
// yet, as a mounted secret may come later.
func New(cfg Config) (*Target, error) {
	if cfg.TokenDir == "" {
		return nil, errors.New("woodpecker: users.token_dir is required: Woodpecker refreshes a user only by his own token")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SyncTimeout <= 0 {
		cfg.SyncTimeout = syncTimeout
	}
	cfg.Log = cfg.Log.With("target", cfg.Name)
	c, err := newClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("woodpecker: %w", err)
	}
	return &Target{cfg: cfg, client: c, keys: keys.NewDir(cfg.TokenDir, cfg.Now, cfg.Log)}, nil
}

// Requests counts the requests sent to Woodpecker.
func (t *Target) Requests() uint64 { return t.client.Requests() }

// Probe asks for Woodpecker's version.
func (t *Target) Probe(ctx context.Context) (string, error) {
	var v struct {
		Source  string `json:"source"`
		Version string `json:"version"`
	}
	err := t.get(ctx, "/version", nil, &v)
	if err == nil && v.Version == "" {
		err = errors.New("GET /version: the answer names no version")
	}
	if err != nil {
		return "", fmt.Errorf("woodpecker: probe: %w", err)
	}
	return v.Version, nil
}

// Credential tells the state of a user's token without asking Woodpecker.
func (t *Target) Credential(login string) target.Credential { return t.keys.Credential(login) }

// Watch calls changed for each login whose token file appeared or has a new
// content, until ctx is done, and returns ctx's error.
func (t *Target) Watch(ctx context.Context, changed func(login string)) error {
	return t.keys.Watch(ctx, changed)
}
