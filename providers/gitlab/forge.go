package gitlab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

const (
	gitlabCom = "https://gitlab.com"
	apiPath   = "/api/v4"
)

// Config is what a Forge is made of.
type Config struct {
	URL     string            // the web root, "https://git.example.com/gitlab"; "" for gitlab.com
	Token   string            // of an administrator, with the scopes api and sudo: reading others' lists takes Sudo
	Orgs    *providers.OrgSet // the configured groups, which says what a nested project belongs to; nil for the top-level groups
	HTTP    *http.Client      // nil for one with a timeout of a minute; its CheckRedirect is not used
	Observe func(code int)    // called with the status of every answer, 0 if none came; may be nil
	Now     func() time.Time  // nil for time.Now
}

// Forge asks the API of one GitLab. It is safe for concurrent use, keeps
// nothing of what it read but answers that GitLab confirms to be current, which
// group lies in which, which groups projects are shared with and who is in those,
// and never repeats a failed call.
type Forge struct {
	api     *sdk.Client
	guard   *guard
	orgs    *providers.OrgSet
	now     func() time.Time
	tree    tree
	sharing sharing
}

var (
	_ providers.TeamForge         = (*Forge)(nil)
	_ providers.RepoFeed          = (*Forge)(nil)
	_ providers.Counter           = (*Forge)(nil)
	_ providers.CollaboratorForge = (*Forge)(nil)
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
	if cfg.URL == "" {
		cfg.URL = gitlabCom
	}
	origin, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || (origin.Scheme != "http" && origin.Scheme != "https") || origin.Host == "" || origin.User != nil {
		return nil, fmt.Errorf("gitlab: %q is not the address of a web root", cfg.URL)
	}
	origin.RawQuery, origin.Fragment = "", ""
	client := http.Client{Timeout: time.Minute}
	if cfg.HTTP != nil {
		client = *cfg.HTTP
	}
	g := &guard{base: client.Transport, origin: origin, token: cfg.Token, observe: cfg.Observe, now: cfg.Now}
	if g.base == nil {
		g.base = http.DefaultTransport
	}
	if g.observe == nil {
		g.observe = func(int) {}
	}
	if g.now == nil {
		g.now = time.Now
	}
	g.budget = providers.NewBudget(g.now)
	client.Transport, client.CheckRedirect = g, g.follow
	// The queue repeats what failed and knows when; a client that did so as
	// well, or waited for its own idea of the limit, would double both.
	api, err := sdk.NewAuthSourceClient(sdk.Unauthenticated{}, // the guard has the token
		sdk.WithBaseURL(origin.String()), sdk.WithHTTPClient(&client), sdk.WithUserAgent("hookd"),
		sdk.WithoutRetries(), sdk.WithCustomLimiter(unlimited{}), sdk.WithURLWarningLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("gitlab: %w", err)
	}
	return &Forge{api: api, guard: g, orgs: cfg.Orgs, now: g.now}, nil
}

type unlimited struct{}

func (unlimited) Wait(context.Context) error { return nil }

// Requests returns how many HTTP requests were sent, redirects and those that
// were answered 304 included.
func (f *Forge) Requests() uint64 { return f.guard.sent.Load() }

// Budgets returns the budget of the token.
func (f *Forge) Budgets() map[string]*providers.Budget {
	return map[string]*providers.Budget{"": f.guard.budget}
}

// failed makes of an error of the client one of package providers. What the
// guard did not classify went wrong in decoding.
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

// Repo asks by id. GitLab answers 404 also to a token that may not look: see
// Prove. A project three groups deep costs a call for each group between, the
// first time.
func (f *Forge) Repo(ctx context.Context, id string) (providers.Repo, error) {
	r, err := f.repo(ctx, id)
	return r, wrap(err)
}

// Remote is Repo with its addresses.
func (f *Forge) Remote(ctx context.Context, id string) (providers.Repo, providers.Remote, error) {
	r, remote, err := f.fetch(ctx, id)
	return r, remote, wrap(err)
}

func (f *Forge) repo(ctx context.Context, id string) (providers.Repo, error) {
	r, _, err := f.fetch(ctx, id)
	return r, err
}

func (f *Forge) fetch(ctx context.Context, id string) (providers.Repo, providers.Remote, error) {
	p, err := f.project(ctx, id)
	if err != nil {
		return providers.Repo{}, providers.Remote{}, err
	}
	r, err := f.convertRepo(ctx, "GET /projects/"+id, p)
	return r, convertRemote(p), err
}

func (f *Forge) project(ctx context.Context, id string) (*sdk.Project, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	op := "GET /projects/" + id
	read := f.sharing.begin()
	p, _, err := f.api.Projects.GetProject(n, nil, sdk.WithContext(ctx))
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if p == nil || p.ID != n {
		return nil, nonsense(op, "an answer about something else")
	}
	f.sharing.putProjects(read, p)
	return p, nil
}

// User finds a user by login. That he is blocked does not hide him.
func (f *Forge) User(ctx context.Context, login string) (providers.User, error) {
	op := "GET /users?username=" + login
	found, _, err := f.api.Users.ListUsers(&sdk.ListUsersOptions{Username: &login}, sdk.WithContext(ctx))
	switch {
	case err != nil:
		return providers.User{}, wrap(f.failed(ctx, op, err))
	case found == nil || len(found) > 1:
		return providers.User{}, wrap(nonsense(op, fmt.Sprintf("%d users of one name", len(found))))
	case len(found) == 0:
		return providers.User{}, wrap(&providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrNotFound})
	case found[0] == nil || found[0].ID <= 0 || providers.Fold(found[0].Username) != providers.Fold(login):
		return providers.User{}, wrap(nonsense(op, "somebody else"))
	}
	return convertUser(found[0]), nil
}

// UserByID implements providers.Forge.
func (f *Forge) UserByID(ctx context.Context, id string) (providers.User, error) {
	u, err := f.user(ctx, id)
	if err != nil {
		return providers.User{}, wrap(err)
	}
	return convertUser(u), nil
}

func (f *Forge) user(ctx context.Context, id string) (*sdk.User, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	op := "GET /users/" + id
	u, _, err := f.api.Users.GetUser(n, &sdk.GetUserOptions{}, sdk.WithContext(ctx))
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if u == nil || u.ID != n || u.Username == "" {
		return nil, nonsense(op, "somebody else")
	}
	return u, nil
}

// Probe asks for the version, which takes a good token.
func (f *Forge) Probe(ctx context.Context) (string, error) {
	const op = "GET /version"
	v, _, err := f.api.Version.GetVersion(sdk.WithContext(ctx))
	if err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	if v == nil || v.Version == "" {
		return "", wrap(nonsense(op, "no version"))
	}
	return v.Version, nil
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
	return fmt.Errorf("gitlab: %w", err)
}
