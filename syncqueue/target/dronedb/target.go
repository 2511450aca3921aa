package dronedb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Config is what a Target is made of. Name and URL are required.
type Config struct {
	Name string // of the target, for logs
	// URL is where Drone's database is: postgres://…, sqlite:///path, or a path.
	// It may hold a password and is in no log and no error.
	URL string
	// Stranger asks Drone without any credential whether it shows a repository;
	// nil if nobody knows Drone's own address.
	Stranger func(ctx context.Context, r providers.Repo) (bool, error)
	Observe  func(code int) // told of each user and each probe: 200, or 0 if the database failed; may be nil
	Guard    target.Guard
	Now      func() time.Time
	Log      *slog.Logger
}

// askTimeout bounds one exchange with the database, forge calls not included.
const askTimeout = 15 * time.Second

// Target is the database of a Drone server. It is safe for concurrent use.
type Target struct {
	cfg      Config
	remotes  remotes
	requests atomic.Uint64

	mu   sync.Mutex
	db   *database
	url  string
	good bool // the schema was looked at and is known
}

var (
	_ target.Target    = (*Target)(nil)
	_ target.Roster    = (*Target)(nil)
	_ target.Concealer = (*Target)(nil)
)

// New returns a target. It connects to nothing yet.
func New(cfg Config) (*Target, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(int) {}
	}
	cfg.Log = cfg.Log.With("target", cfg.Name)
	db, err := open(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("dronedb: %w", err)
	}
	return &Target{cfg: cfg, db: db, url: cfg.URL, remotes: remotes{now: cfg.Now, byID: map[string]*lookup{}}}, nil
}

// Check says what is wrong with an address of a database. It connects to
// nothing.
func Check(url string) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	return db.Close()
}

// Rekey goes on with the database at another address, or with another password.
func (t *Target) Rekey(url string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if url == t.url {
		return nil
	}
	db, err := open(url)
	if err != nil {
		return fmt.Errorf("dronedb: %w", err)
	}
	old := t.db
	t.db, t.url, t.good = db, url, false
	return old.Close() // what runs on it ends with an error, and is tried again
}

// Close ends the connections.
func (t *Target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.db.Close()
}

// Requests counts the users that were looked at and the probes.
func (t *Target) Requests() uint64 { return t.requests.Load() }

// Probe looks at the schema, and tells the kind of database and how many
// migrations it went through. An unknown schema is an error, and until one
// passes nothing is written.
func (t *Target) Probe(ctx context.Context) (string, error) {
	var version string
	err := t.observed(func() error {
		db, err := t.ready(ctx, true)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		n, err := db.migrations(ctx)
		if err != nil {
			return db.failed(err)
		}
		version = fmt.Sprintf("%s, %d migrations", db.name, n)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("dronedb: probe: %w", err)
	}
	return version, nil
}

// ready returns the database, its schema looked at at least once, or now.
func (t *Target) ready(ctx context.Context, again bool) (*database, error) {
	t.mu.Lock()
	db, good := t.db, t.good
	t.mu.Unlock()
	if good && !again {
		return db, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	err := db.check(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.good = err == nil && t.db == db
	return db, db.failed(err)
}

// Accounts lists Drone's users.
func (t *Target) Accounts(ctx context.Context) ([]target.Account, error) {
	db, err := t.ready(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("dronedb: accounts: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	all, err := db.accounts(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("dronedb: accounts: %w", db.failed(err))
	}
	out := make([]target.Account, len(all))
	for i, a := range all {
		out[i] = a.Account
	}
	return out, nil
}

// observed counts what do does, and tells how it ended.
func (t *Target) observed(do func() error) error {
	t.requests.Add(1)
	err := do()
	code := 200
	if failure := new(databaseError); errors.As(err, &failure) {
		code = 0
	}
	t.cfg.Observe(code)
	return err
}
