package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// Config is what a Forge is made of. It takes a Token or an App.
type Config struct {
	URL     string           // the web root of a GitHub Enterprise Server, "" for github.com
	Token   string           // of an owner of the organizations: scopes repo and read:org
	App     *AppConfig       // the installation that is asked instead
	HTTP    *http.Client     // nil for one with a timeout of a minute; its CheckRedirect is not used
	Observe func(code int)   // called with the status of every answer, 0 if none came; may be nil
	Now     func() time.Time // nil for time.Now
}

// AppConfig is a GitHub App. It needs the permissions "Metadata" and "Members"
// to read.
type AppConfig struct {
	ID             int64
	InstallationID int64  // the only one that is asked; 0 for each on its own account
	PrivateKey     []byte // PEM
}

// Forge asks the API of one GitHub with one identity. It is safe for concurrent
// use and never repeats a failed call. It keeps answers only to ask whether
// they still hold.
type Forge struct {
	api      *sdk.Client
	app      *sdk.Client    // signs as the App itself; nil with a token
	installs *installations // nil with a token
	http     *http.Client
	graphql  string
	server   bool // an Enterprise Server
	meter    *meter
	budget   *providers.Budget // of the token; each installation has its own
	now      func() time.Time

	// teams holds the last known "org/slug" by team id: a hint, verified
	// whenever it is used, as no API finds a team by its id alone.
	teams sync.Map
}

var (
	_ providers.TeamForge         = (*Forge)(nil)
	_ providers.RepoFeed          = (*Forge)(nil)
	_ providers.CollaboratorForge = (*Forge)(nil)
	_ providers.FactForge         = (*Forge)(nil)
	_ providers.PartialForge      = (*Forge)(nil)
	_ providers.RemoteForge       = (*Forge)(nil)
	_ providers.ContentForge      = (*Forge)(nil)
	_ providers.RepoHookForge     = (*Forge)(nil)
	_ providers.Prober            = (*Forge)(nil)
	_ providers.Prover            = (*Forge)(nil)
	_ providers.OrgLister         = (*Forge)(nil)
	_ providers.DeliveryLog       = (*Forge)(nil)
	_ providers.Metered           = (*Forge)(nil)
	_ providers.Pricer            = (*Forge)(nil)
)

// New returns a forge. It makes no call.
func New(cfg Config) (*Forge, error) {
	api, graphql, err := endpoints(cfg.URL)
	if err != nil {
		return nil, err
	}
	if (cfg.Token == "") == (cfg.App == nil) {
		return nil, errors.New("github: a token or an App is needed, and not both")
	}
	client := http.Client{Timeout: time.Minute}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	m := &meter{base: client.Transport, observe: cfg.Observe}
	if m.base == nil {
		m.base = http.DefaultTransport
	}
	if m.observe == nil {
		m.observe = func(int) {}
	}
	f := &Forge{graphql: graphql, server: strings.HasSuffix(api.Path, "/api/v3/"), meter: m, now: cfg.Now}
	if f.now == nil {
		f.now = time.Now
	}
	f.budget = providers.NewBudget(f.now)
	f.http = &client
	if cfg.App == nil {
		f.api = f.client(api, f.http, &bearer{token: cfg.Token, base: m}, f.budget)
		return f, nil
	}
	jwt, err := ghinstallation.NewAppsTransport(m, cfg.App.ID, cfg.App.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("github: the App's key: %w", err)
	}
	jwt.BaseURL = strings.TrimSuffix(api.String(), "/")
	asApp := client
	f.app = f.client(api, &asApp, jwt, providers.NewBudget(f.now)) // the App as itself has another
	f.connect(jwt, cfg.App.InstallationID)
	f.api = f.client(api, f.http, nil, nil)
	return f, nil
}

// client puts a guard over auth, or over the installations if that is nil, into
// c and returns the SDK on it.
func (f *Forge) client(api *url.URL, c *http.Client, auth http.RoundTripper, b *providers.Budget) *sdk.Client {
	g := &guard{origin: api, now: f.now, cache: newCache(cacheBytes), installs: f.installs}
	if auth != nil {
		g.installs, g.own = nil, identity{auth: auth, budget: b}
	}
	c.Transport, c.CheckRedirect = g, g.follow
	root := api.String()
	// The limits are the guard's business: the SDK would refuse calls by the
	// clock of this machine.
	s, err := sdk.NewClient(sdk.WithHTTPClient(c), sdk.WithURLs(&root, &root), sdk.WithUserAgent("hookd"), sdk.WithDisableRateLimitCheck())
	if err != nil {
		panic(err) // no option above can fail
	}
	return s
}

// endpoints derives the addresses of both APIs from a web root: github.com and
// its dedicated domains (acme.ghe.com) have a host of their own for them, an
// Enterprise Server paths.
func endpoints(root string) (api *url.URL, graphql string, err error) {
	if root == "" {
		root = "https://github.com"
	}
	u, err := url.Parse(strings.TrimSuffix(root, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, "", fmt.Errorf("github: %q is not the address of a web root", root)
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case host == "github.com" || host == "www.github.com" || host == "api.github.com":
		return &url.URL{Scheme: "https", Host: "api.github.com", Path: "/"}, "https://api.github.com/graphql", nil
	case strings.HasSuffix(host, ".ghe.com"):
		host = "api." + strings.TrimPrefix(host, "api.")
		return &url.URL{Scheme: "https", Host: host, Path: "/"}, "https://" + host + "/graphql", nil
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path + "/api/v3/"}
	return base, base.JoinPath("../graphql").String(), nil
}

// Requests returns how many HTTP requests were sent: 304s, redirects and those
// for an installation's token included.
func (f *Forge) Requests() uint64 { return f.meter.sent.Load() }

// Budgets returns the budget of the token, or those of the App's installations
// that are known so far.
func (f *Forge) Budgets() map[string]*providers.Budget {
	all := map[string]*providers.Budget{}
	if f.installs == nil {
		all[""] = f.budget
		return all
	}
	f.installs.budgets.Range(func(account, b any) bool {
		all[account.(string)] = b.(*providers.Budget)
		return true
	})
	return all
}

// budgetAbout is the one that a question about an organization counts against.
func (f *Forge) budgetAbout(ctx context.Context, org string) (*providers.Budget, error) {
	if f.installs == nil {
		return f.budget, nil
	}
	i, err := f.installs.readable(ctx, "POST /graphql", org, named(org))
	if err != nil {
		return nil, err
	}
	return i.identity.budget, nil
}

// failed makes of an error of the SDK one of package providers. What the guard
// did not classify went wrong in decoding.
func (f *Forge) failed(ctx context.Context, op string, err error) error {
	var fe *providers.ForgeError
	if errors.As(err, &fe) {
		return fe
	}
	if ctx.Err() != nil {
		return &providers.ForgeError{Op: op, Class: providers.ErrUnavailable, Err: ctx.Err()}
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		return &providers.ForgeError{Op: op, Class: providers.ErrUnavailable, Err: ue.Err}
	}
	return &providers.ForgeError{Op: op, Class: providers.ErrNonsense, Err: err}
}

func number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is no id", id)
	}
	return n, nil
}

func nonsense(op, why string) error {
	return &providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrNonsense, Err: errors.New(why)}
}

// wrap marks what leaves the package.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("github: %w", err)
}
