package main

import (
	"path/filepath"
	"time"

	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// A config is the effective configuration: defaults, overlaid by the file, by
// the environment and by flags. A config that load returned without faults can
// be built as it is: every reference resolves and every secret has been read.
type config struct {
	Listen      string
	AdminListen string
	PublicURL   string
	DataDir     string
	Log         logConfig
	Tokens      []*tokenConfig
	Providers   []*providerConfig
	Targets     []*targetConfig
	Sync        syncConfig
	Retention   retentionConfig

	source source // the file, for excerpts
	// origins tells of each value that is not a default where it came from, by
	// path: "providers[0].url", and of each list element where it begins.
	origins map[string]origin
	// bad are the paths of values that could not be read. What they lack is not
	// reported a second time.
	bad map[string]bool
}

type logConfig struct {
	Level  string // debug, info, warn, error
	Format string // auto, text, json
}

// A tokenConfig opens the admin API.
type tokenConfig struct {
	Name      string
	Role      string // viewer, operator, admin
	Token     secret // as given, or as read from TokenFile
	TokenFile string
}

// A providerConfig is one instance of a forge.
type providerConfig struct {
	Name      string
	Kind      string
	URL       string
	Token     secret // as given, or as read from TokenFile
	TokenFile string

	// The webhook secrets come in one of four spellings; Hooks is what they
	// amount to, in their order.
	Secret      secret
	SecretFile  string
	Secrets     []secret
	SecretFiles []string
	Hooks       []secret

	App  appConfig
	Orgs []string
	Poll pollConfig
}

// An appConfig is a GitHub App, in whose name the forge is asked instead of with
// a token; where an installation is given, through that one alone.
type appConfig struct {
	ID             string
	InstallationID string
	PrivateKeyFile string

	id, installation int64  // what the texts amount to
	key              secret // PEM, as read from PrivateKeyFile
}

// set reports whether anything of an App was given.
func (a appConfig) set() bool { return a.ID != "" || a.InstallationID != "" || a.PrivateKeyFile != "" }

type pollConfig struct {
	Members    time.Duration
	Repos      time.Duration
	Deliveries time.Duration // between readings of the forge's delivery log
}

// A targetConfig is one CI server that follows a provider.
type targetConfig struct {
	Name      string
	Kind      string
	URL       string
	Provider  string // the only provider, if empty and there is one
	Token     secret // an admin's; as given, or as read from TokenFile
	TokenFile string
	Mode      string
	TokenDir  string // of mode api: one file per login

	// Of mode api, without tokens: Drone's own cookie secret; as given, or as
	// read from SessionFile.
	Session       secret
	SessionFile   string
	SessionRemote bool // also if Drone is on another machine
	SessionAdmins bool // also as Drone's administrators

	Provision bool   // make accounts for users who have none
	Link      bool   // let users hand over their tokens on a page
	KeyFile   string // seals the tokens that hookd keeps
	key       []byte // as read from KeyFile

	Database     secret // of mode database: its address; as given, or as read from DatabaseFile
	DatabaseFile string

	Events     secret // of Drone's webhook; as given, or as read from EventsFile
	EventsFile string

	Secret     secret // of kind http; as given, or as read from SecretFile
	SecretFile string
	Allow      []string // networks beside the public internet
	Command    []string // of kind command: the program and its arguments
	Dir        string
	Env        []string
	Timeout    time.Duration // of one request or run

	Concurrency int           // jobs at once; 0 is sync.workers
	Interval    time.Duration // between the starts of two jobs at least

	Activate activateConfig

	Offboard       string   // what becomes of the account of who leaves every organization
	OffboardAdmins []string // administrators of the CI server who are not spared
}

type syncConfig struct {
	Debounce  time.Duration
	MaxDelay  time.Duration
	Workers   int
	Verify    []time.Duration // how long to wait before each further look
	Retry     syncqueue.Backoff
	Guard     target.Guard
	Reconcile time.Duration
}

type retentionConfig struct {
	Deliveries time.Duration
	Bodies     time.Duration
	MaxBytes   size
}

// clearEvery is how often the store is looked through for what is past its
// time: often enough that nothing is kept a tenth longer than asked for.
func (r retentionConfig) clearEvery() time.Duration {
	return min(max(min(r.Deliveries, r.Bodies)/10, time.Second), 10*time.Minute)
}

func defaults() *config {
	return &config{
		Listen:      "127.0.0.1:8080",
		AdminListen: "127.0.0.1:8081",
		DataDir:     "./data",
		Log:         logConfig{Level: "info", Format: "auto"},
		Sync: syncConfig{
			Debounce:  time.Second,
			MaxDelay:  5 * time.Second,
			Workers:   8,
			Verify:    []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute},
			Retry:     syncqueue.Backoff{First: time.Second, Max: 10 * time.Minute, GiveUp: day},
			Guard:     target.Guard{Percent: 50, MinRepos: 20},
			Reconcile: 6 * time.Hour,
		},
		Retention: retentionConfig{Deliveries: 30 * day, Bodies: 7 * day, MaxBytes: gib},
		origins:   map[string]origin{},
		bad:       map[string]bool{},
	}
}

// dataFile is where the store is.
func (c *config) dataFile() string { return filepath.Join(c.DataDir, "hookd.db") }

// provider returns the provider of a name, nil if there is none.
func (c *config) provider(name string) *providerConfig {
	for _, p := range c.Providers {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// timing is how long events wait for one another.
func (c *config) timing() syncqueue.Timing {
	return syncqueue.Timing{Debounce: c.Sync.Debounce, MaxDelay: c.Sync.MaxDelay}
}
