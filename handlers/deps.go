// Package handlers is HTTP in: the webhook intake and the admin API. It knows
// interfaces only, never an engine, a driver or package reconcile.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Source is one configured provider as the intake sees it.
type Source struct {
	Name  string
	Kind  string
	Hook  providers.Hook
	Orgs  *providers.OrgSet
	Forms bool // the forge may send form-encoded payloads; Parse then gets the JSON of the field payload
}

// Intake is what the public listener needs.
type Intake struct {
	Sources    func() map[string]Source    // by name; may change on reload
	Announcers func() map[string]Announcer // the same of targets; may be nil
	Queue      syncqueue.Queue
	Timing     syncqueue.Timing
	Draining   func() bool // may be nil
	Metrics    *Metrics    // may be nil
	Feed       *Feed       // is told of what was journalled; may be nil
	Log        *slog.Logger
	Now        func() time.Time

	MaxBody int64 // bytes of one delivery; 25 MiB if zero
	Budget  int64 // bytes of large or undeclared bodies in flight; 64 MiB if zero
}

// Admin is what the admin listener needs.
type Admin struct {
	Queue     syncqueue.Queue
	Journal   syncqueue.Journal
	Console   syncqueue.Console
	Catalogue storage.Catalogue
	Visibles  storage.Visibles
	Desk      Desk
	Reconcile Reconciler
	Tokens    func() []Token
	Timing    syncqueue.Timing
	Metrics   *Metrics
	Log       *slog.Logger
	Now       func() time.Time
	Ready     func(ctx context.Context) []Check // may be nil
	Draining  func() bool                       // may be nil
	Page      http.Handler                      // serves /, /link and everything below /dashboard; may be nil
	Build     Build

	Feed *Feed // what /api/v1/events tells; may be nil

	// Backup copies the store, as storage.Backuper says; may be nil.
	Backup func(ctx context.Context) (storage.Backup, error)

	// Backfill reads a provider's delivery logs from a time on (zero: as far as
	// they go) and fetches what never arrived. It returns what it found also
	// beside an error.
	Backfill func(ctx context.Context, provider string, since time.Time) ([]Backfill, error)
}

// Role is what a token may do; each includes those before it.
type Role int

// The roles.
const (
	Viewer Role = iota + 1
	Operator
	Administrator
)

// A Token opens the admin API.
type Token struct {
	Name   string
	Role   Role
	Secret []byte
}

// Check is one line of readiness.
type Check struct {
	Name string
	Err  error
}

// Build says what binary this is.
type Build struct {
	Version   string `json:"version"`
	Revision  string `json:"revision,omitempty"`
	GoVersion string `json:"go_version"`
}

// Desk is what the API needs of providers and targets.
type Desk interface {
	// FindUser looks in the catalogue, then asks the forge.
	// providers.ErrNotFound if the forge knows no such login or provider.
	FindUser(ctx context.Context, provider, login string) (providers.User, error)
	// HasProvider tells whether a provider is configured.
	HasProvider(name string) bool
	// TargetsOf names the targets that follow a provider.
	TargetsOf(provider string) []string
	// Credential is the worst state over the targets that know the user:
	// ok, missing, rejected, unknown, or "" if no target knows him.
	Credential(provider, login string) string
	// MustLogIn names the targets for which what hookd has of a user is of no
	// use until he logs in there. His credential counts as rejected.
	MustLogIn(provider, login string) []string
	// Standing tells, without asking anybody, how a target is and what it has
	// of a user.
	Standing(target, login string) why.Standing
	// Providers and Targets describe their state now, without asking anybody.
	Providers(ctx context.Context) []ProviderStatus
	Targets(ctx context.Context) []TargetStatus
	// Coverage says how hookd hears of each provider's changes.
	Coverage(ctx context.Context) ([]ProviderCoverage, error)
}

// ProviderStatus is one configured provider.
type ProviderStatus struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	URL       string    `json:"url"`
	Orgs      []string  `json:"orgs"`
	Version   string    `json:"version,omitempty"`
	Healthy   bool      `json:"healthy"`
	CheckedAt time.Time `json:"checked_at,omitzero"`
	Error     string    `json:"error,omitempty"`
	Secrets   int       `json:"secrets"`
	Requests  uint64    `json:"requests"`       // HTTP requests to the forge since start
	Remaining *int      `json:"rate_remaining"` // null if the forge has no limit
	LastEvent time.Time `json:"last_event,omitzero"`

	Rate *RateStatus `json:"rate"` // null if the forge has no limit and asked for no pause
	Hook HookStatus  `json:"hook"`

	DeliveryLogs []LogState `json:"delivery_logs"` // of the organizations whose logs were looked for
}

// RateStatus is what the scarcest budget of a provider's tokens is down to.
type RateStatus struct {
	Limit       *int      `json:"limit"`     // requests of a window; null if none is told
	Remaining   *int      `json:"remaining"` // of them
	Reserve     *int      `json:"reserve"`   // of them, kept for removals
	Reset       time.Time `json:"reset,omitzero"`
	PausedUntil time.Time `json:"paused_until,omitzero"` // the forge asked not to be asked before
}

// HookStatus is what a look at a provider's webhooks found.
type HookStatus struct {
	State     string          `json:"state"` // ok, drift, missing, or unknown as long as nobody could look
	CheckedAt time.Time       `json:"checked_at,omitzero"`
	Detail    string          `json:"detail,omitempty"` // what is wrong, or why it is not known
	Webhooks  []WebhookStatus `json:"webhooks"`
}

// WebhookStatus is one webhook of ours on the forge.
type WebhookStatus struct {
	ID     string   `json:"id"`
	Place  string   `json:"place"`
	Org    string   `json:"org,omitempty"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
	State  string   `json:"state"` // ok or drift
	Flaws  []string `json:"flaws"`
}

// TargetStatus is one configured target.
type TargetStatus struct {
	Name        string         `json:"name"`
	Kind        string         `json:"kind"`
	URL         string         `json:"url"`
	Provider    string         `json:"provider"`
	Mode        string         `json:"mode,omitempty"`
	Version     string         `json:"version,omitempty"`
	Healthy     bool           `json:"healthy"`
	CheckedAt   time.Time      `json:"checked_at,omitzero"`
	Error       string         `json:"error,omitempty"`
	Requests    uint64         `json:"requests"`
	Credentials map[string]int `json:"credentials"` // state -> users
}
