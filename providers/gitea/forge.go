package gitea

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

// Config is what a Forge is made of.
type Config struct {
	URL     string           // the web root, "https://git.example.com"
	Token   string           // of a site administrator: reading others' lists takes Sudo
	HTTP    *http.Client     // nil for one with a timeout of a minute; its CheckRedirect is not used
	Observe func(code int)   // called with the status of every answer, 0 if none came; may be nil
	Now     func() time.Time // nil for time.Now
}

// Forge asks the API of one Gitea or Forgejo. It is safe for concurrent use,
// keeps nothing of what it read, and never repeats a failed call.
type Forge struct {
	root  string
	http  *http.Client
	guard *guard
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
	_ providers.Metered           = (*Forge)(nil)
	_ providers.Pricer            = (*Forge)(nil)
)

// New returns a forge. It makes no call.
func New(cfg Config) (*Forge, error) {
	origin, err := url.Parse(strings.TrimSuffix(cfg.URL, "/"))
	if err != nil || (origin.Scheme != "http" && origin.Scheme != "https") || origin.Host == "" || origin.User != nil {
		return nil, fmt.Errorf("gitea: %q is not the address of a web root", cfg.URL)
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
	return &Forge{root: origin.String(), http: &client, guard: g}, nil
}

// Requests returns how many HTTP requests were sent, redirects included.
func (f *Forge) Requests() uint64 { return f.guard.sent.Load() }

// Budgets returns the budget of the token. Gitea has no limit of its own; a
// proxy in front of it may.
func (f *Forge) Budgets() map[string]*providers.Budget {
	return map[string]*providers.Budget{"": f.guard.budget}
}

// client returns the SDK for one call, or for several in one context: the SDK
// keeps the context and the sudo header in the client. The version check is
// skipped as it would cost a call each time.
func (f *Forge) client(ctx context.Context, sudo string) *sdk.Client {
	c, err := sdk.NewClient(f.root, sdk.SetGiteaVersion(""), sdk.SetHTTPClient(f.http), sdk.SetContext(ctx), sdk.SetSudo(sudo), sdk.SetUserAgent("hookd"))
	if err != nil {
		panic(err) // no option above can fail
	}
	return c
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

// Repo asks by id. Gitea answers 404 also to a token that may not look: see
// Prove.
func (f *Forge) Repo(ctx context.Context, id string) (providers.Repo, error) {
	r, err := f.repo(ctx, id)
	return r, wrap(err)
}

// Remote is Repo with its addresses.
func (f *Forge) Remote(ctx context.Context, id string) (providers.Repo, providers.Remote, error) {
	r, err := f.fetch(ctx, id)
	if err != nil {
		return providers.Repo{}, providers.Remote{}, wrap(err)
	}
	return convertRepo(r), convertRemote(r), nil
}

func (f *Forge) repo(ctx context.Context, id string) (providers.Repo, error) {
	r, err := f.fetch(ctx, id)
	if err != nil {
		return providers.Repo{}, err
	}
	return convertRepo(r), nil
}

func (f *Forge) fetch(ctx context.Context, id string) (*sdk.Repository, error) {
	n, err := number(id)
	if err != nil {
		return nil, err
	}
	op := "GET /repositories/" + id
	r, _, err := f.client(ctx, "").GetRepoByID(n)
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if r.ID != n || r.Owner == nil || r.Owner.ID <= 0 {
		return nil, nonsense(op, "an answer about something else")
	}
	return r, nil
}

// User finds a user by login.
func (f *Forge) User(ctx context.Context, login string) (providers.User, error) {
	op := "GET /users/" + login
	u, _, err := f.client(ctx, "").GetUserInfo(login)
	if err != nil {
		return providers.User{}, wrap(f.failed(ctx, op, err))
	}
	if u.ID <= 0 || u.UserName == "" {
		return providers.User{}, wrap(nonsense(op, "a user without an id"))
	}
	return convertUser(u), nil
}

// UserByID implements providers.Forge.
func (f *Forge) UserByID(ctx context.Context, id string) (providers.User, error) {
	u, err := f.userByID(ctx, id)
	return u, wrap(err)
}

// Org finds an organization by name.
func (f *Forge) Org(ctx context.Context, name string) (providers.Org, error) {
	o, err := f.org(ctx, name)
	return o, wrap(err)
}

func (f *Forge) org(ctx context.Context, name string) (providers.Org, error) {
	op := "GET /orgs/" + name
	o, _, err := f.client(ctx, "").GetOrg(name)
	if err != nil {
		return providers.Org{}, f.failed(ctx, op, err)
	}
	if o.ID <= 0 {
		return providers.Org{}, nonsense(op, "an organization without an id")
	}
	return convertOrg(o), nil
}

// Orgs lists every organization of the instance.
func (f *Forge) Orgs(ctx context.Context) iter.Seq2[providers.Org, error] {
	return sequence(func() ([]providers.Org, error) { return f.orgs(ctx) })
}

func (f *Forge) orgs(ctx context.Context) ([]providers.Org, error) {
	c := f.client(ctx, "")
	orgs, err := list[sdk.Organization]{
		f: f, op: "GET /admin/orgs", id: func(o *sdk.Organization) int64 { return o.ID },
		fetch: func(o sdk.ListOptions) ([]*sdk.Organization, *sdk.Response, error) {
			return c.AdminListOrgs(sdk.AdminListOrgsOptions{ListOptions: o})
		},
	}.all(ctx)
	return convert(orgs, convertOrg), err
}

// Probe asks for the version. Gitea refuses a bad token even there.
func (f *Forge) Probe(ctx context.Context) (string, error) {
	const op = "GET /version"
	v, _, err := f.client(ctx, "").ServerVersion()
	if err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	if v == "" {
		return "", wrap(nonsense(op, "no version"))
	}
	return v, nil
}

// Prove asks whom the token belongs to. Only a site administrator sees every
// repository, so with another token a 404 is no evidence: ErrForbidden.
func (f *Forge) Prove(ctx context.Context, _ providers.Org) error {
	const op = "GET /user"
	u, _, err := f.client(ctx, "").GetMyUserInfo()
	switch {
	case err != nil:
		return wrap(f.failed(ctx, op, err))
	case u.ID <= 0:
		return wrap(nonsense(op, "a user without an id"))
	case !u.IsAdmin:
		return wrap(&providers.ForgeError{Op: op, Status: 200, Class: providers.ErrForbidden, Err: fmt.Errorf("%s is no site administrator", u.UserName)})
	}
	return nil
}

// resolve finds an organization by its id. The name usually still fits; if it
// was renamed, or the name is another's now, the list of all is searched.
func (f *Forge) resolve(ctx context.Context, org providers.Org) (providers.Org, error) {
	if org.Name != "" {
		found, err := f.org(ctx, org.Name)
		if err == nil && (org.ID == "" || found.ID == org.ID) {
			return found, nil
		}
		if err != nil && (org.ID == "" || !errors.Is(err, providers.ErrNotFound)) {
			return providers.Org{}, err
		}
	}
	all, err := f.orgs(ctx)
	if err != nil {
		return providers.Org{}, err
	}
	for _, o := range all {
		if o.ID == org.ID {
			return o, nil
		}
	}
	return providers.Org{}, &providers.ForgeError{Op: "GET /admin/orgs", Status: 200, Class: providers.ErrNotFound, Err: fmt.Errorf("no organization %s (%s)", org.ID, org.Name)}
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
	return fmt.Errorf("gitea: %w", err)
}
