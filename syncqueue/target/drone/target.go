package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/keys"
)

// Config is what a Target is made of. Name, URL and a source of credentials are
// required: TokenDir, Vault or both, or SessionSecret alone.
type Config struct {
	Name string // of the target, for logs
	URL  string // Drone's web root

	// AdminToken is an administrator's API token. With it Drone is looked at
	// without the user's token, and rejections can be told from an outage.
	AdminToken string

	// TokenDir has one file for each login with that user's API token.
	TokenDir string

	// Vault keeps tokens that users linked, and those of accounts that
	// Provision made.
	Vault storage.Vault
	// Provision makes accounts for users who have something to see and none in
	// Drone. It needs AdminToken and Vault.
	Provision bool

	// SessionSecret is Drone's own DRONE_COOKIE_SECRET. It needs AdminToken, by
	// which administrators are told apart, and a URL on this machine, unless
	// SessionRemote permits another. SessionAdmins lets hookd act as
	// administrators, too.
	SessionSecret string
	SessionRemote bool
	SessionAdmins bool

	// HTTP sends the requests. Its redirect policy, cookies and Timeout are not
	// used: a token must not travel on, and a sync takes longer than a look.
	HTTP *http.Client

	Observe func(code int) // told of each answer's status, 0 for no answer; may be nil
	Guard   target.Guard
	Now     func() time.Time
	Log     *slog.Logger

	// SyncTimeout bounds one sync; 5 min if zero, enough for 10,000 repositories
	// in pages of 50 at a second and a half each. Drone reads a user's whole list
	// within it, and abandons the sync when the caller goes away.
	SyncTimeout time.Duration

	// Wait is how long to wait, step by step, for a sync of the same user that
	// somebody else started; about 5 s in all if nil.
	Wait []time.Duration
}

const (
	lookTimeout = 15 * time.Second
	syncTimeout = 5 * time.Minute
)

// Target is a Drone server. It is safe for concurrent use.
type Target struct {
	cfg    Config
	client client
	source source
	kept   *keys.Kept // a part of source; nil without a vault
	logins logins
	turns  keys.Turns
	marks  marks

	strangers strangers
	wounds    wounds
}

var (
	_ target.Target  = (*Target)(nil)
	_ target.Keyring = (*Target)(nil)
	_ target.Roster  = (*Target)(nil)
	_ target.Greeter = (*Target)(nil)

	_ target.Activator = (*Target)(nil)
	_ target.Concealer = (*Target)(nil)
)

// New returns a target. It asks nobody; the token directory need not exist
// yet, as a mounted secret may come later.
func New(cfg Config) (*Target, error) {
	t, err := prepare(cfg)
	if err == nil {
		err = t.open()
	}
	if err != nil {
		return nil, fmt.Errorf("drone: %w", err)
	}
	return t, nil
}

// NewActivator returns what activates repositories in a Drone that is followed
// by other means: as nobody but the administrator whose token there is.
func NewActivator(cfg Config) (target.Activator, error) {
	if cfg.AdminToken == "" {
		return nil, errors.New("drone: activating repositories needs an administrator's token")
	}
	t, err := prepare(cfg)
	if err != nil {
		return nil, fmt.Errorf("drone: %w", err)
	}
	t.source = nobody{}
	return t, nil
}

// A Stranger asks a Drone without any credential whether it shows a repository.
type Stranger func(ctx context.Context, r providers.Repo) (sees bool, err error)

// NewStranger returns one of the Drone that cfg names by its URL.
func NewStranger(cfg Config) (Stranger, error) {
	t, err := prepare(cfg)
	if err != nil {
		return nil, fmt.Errorf("drone: %w", err)
	}
	return t.strangersSee, nil
}

// prepare makes a target without a source of credentials.
func prepare(cfg Config) (*Target, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SyncTimeout <= 0 {
		cfg.SyncTimeout = syncTimeout
	}
	if cfg.Wait == nil {
		cfg.Wait = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, time.Second, 2 * time.Second}
	}
	cfg.Log = cfg.Log.With("target", cfg.Name)
	c, err := newClient(cfg)
	return &Target{cfg: cfg, client: c, marks: newMarks()}, err
}

// Requests counts the requests sent to Drone.
func (t *Target) Requests() uint64 { return t.client.Requests() }

// Probe asks for Drone's version.
func (t *Target) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var v struct {
		Version string `json:"version"`
	}
	err := t.client.do(ctx, http.MethodGet, "/version", nil, nil, func(d *json.Decoder) error { return d.Decode(&v) })
	if err == nil && v.Version == "" {
		err = errors.New("GET /version: the answer names no version")
	}
	if err != nil {
		return "", fmt.Errorf("drone: probe: %w", err)
	}
	return v.Version, nil
}

// Accounts lists Drone's users. It needs the administrator's token.
func (t *Target) Accounts(ctx context.Context) ([]target.Account, error) {
	if t.cfg.AdminToken == "" {
		return nil, errors.New("drone: listing the users needs an administrator's token: set token_file")
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var list []account
	err := t.client.do(ctx, http.MethodGet, "/api/users", t.admin(), nil, func(d *json.Decoder) error { return d.Decode(&list) })
	if err == nil && list == nil {
		err = errors.New("GET /api/users: the answer is no list")
	}
	if err != nil {
		return nil, fmt.Errorf("drone: accounts: %w", err)
	}
	out := make([]target.Account, len(list))
	for i, a := range list {
		t.logins.seen(a)
		_ = t.source.meet(a) // whether it will act for him is asked again when it is to
		out[i] = target.Account{Login: a.Login, Active: a.Active, Machine: a.Machine, Admin: a.Admin}
		if a.LastLogin != nil && *a.LastLogin > 0 {
			out[i].LastLogin = time.Unix(*a.LastLogin, 0)
		}
	}
	return out, nil
}
