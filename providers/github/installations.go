package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

const (
	// withheldPause is how long whatever concerns an account waits that the App
	// may not read: somebody has to install it again, or end its suspension.
	withheldPause = 2 * time.Minute

	// relist is the least time between two looks at where the App is installed.
	relist = time.Second
)

// An installation is one account that an App is installed on. Each has a token
// and a rate limit of its own.
type installation struct {
	id        int64
	account   providers.Org
	org       bool // of an organization, not of a user
	suspended bool
	identity  identity
}

// installations are those of one App, all of them or the one that is
// configured. Which of them a request goes out under follows from the account
// that it is about.
type installations struct {
	jwt  *ghinstallation.AppsTransport
	list func(ctx context.Context) ([]*sdk.Installation, error)
	find func(ctx context.Context, repo int64) (*sdk.Installation, error)
	only int64 // the configured one, 0 for all
	now  func() time.Time

	budgets sync.Map // account id -> *providers.Budget

	mu    sync.Mutex
	known []*installation
	read  time.Time // when they were listed, zero for never
	stale bool      // an answer showed that they changed
	repos sync.Map  // repository id -> installation id: a hint, as repositories move
}

// withheld says that an account may not be read now, which is nobody's loss.
func (s *installations) withheld(op, why string) error {
	return &providers.ForgeError{Op: op, Class: providers.ErrWithheld, Err: errors.New(why), After: s.now().Add(withheldPause)}
}

// all returns the installations as they were listed last, or are now if that
// is not fresh.
func (s *installations) all(ctx context.Context, fresh bool) ([]*installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now(); !s.read.IsZero() && !s.stale && (!fresh || now.Sub(s.read) < relist) {
		return s.known, nil
	}
	found, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	had := map[int64]*installation{}
	for _, i := range s.known {
		had[i.id] = i
	}
	s.known = s.known[:0:0]
	for _, i := range found {
		if s.only != 0 && i.GetID() != s.only {
			continue
		}
		n := &installation{
			id: i.GetID(), org: i.GetTargetType() == "Organization", suspended: i.SuspendedAt != nil,
			account: providers.Org{ID: text(i.GetAccount().GetID()), Name: i.GetAccount().GetLogin()},
		}
		n.identity = identity{name: text(n.id) + " ", auth: ghinstallation.NewFromAppsTransport(s.jwt, n.id), budget: s.budget(n.account)}
		if old := had[n.id]; old != nil && !n.suspended {
			n.identity.auth = old.identity.auth // with its token
		}
		s.known = append(s.known, n)
	}
	s.read, s.stale = s.now(), false
	return s.known, nil
}

// budget is what may be asked about an account, whichever installation is on it.
func (s *installations) budget(account providers.Org) *providers.Budget {
	b, _ := s.budgets.LoadOrStore(account.ID, providers.NewBudget(s.now))
	return b.(*providers.Budget)
}

// of returns the one that is meant, whether or not it is suspended; nil if there
// is none.
func (s *installations) of(ctx context.Context, is func(*installation) bool) (*installation, error) {
	for _, fresh := range []bool{false, true} {
		all, err := s.all(ctx, fresh)
		if err != nil {
			return nil, err
		}
		for _, i := range all {
			if is(i) && (!i.suspended || fresh) {
				return i, nil
			}
		}
	}
	return nil, nil
}

// readable is of for those that may be asked.
func (s *installations) readable(ctx context.Context, op, whom string, is func(*installation) bool) (*installation, error) {
	i, err := s.of(ctx, is)
	switch {
	case err != nil:
		return nil, err
	case i == nil:
		return nil, s.withheld(op, "the App is not installed on "+whom)
	case i.suspended:
		return nil, s.withheld(op, "the App's installation on "+i.account.Name+" is suspended")
	}
	return i, nil
}

// any returns an installation for what is about no account of theirs.
func (s *installations) any(ctx context.Context, op string) (*installation, error) {
	for _, fresh := range []bool{false, true} {
		all, err := s.all(ctx, fresh)
		if err != nil {
			return nil, err
		}
		for _, i := range all {
			if !i.suspended {
				return i, nil
			}
		}
	}
	return nil, s.withheld(op, "the App is installed nowhere, or suspended everywhere")
}

// ofRepo returns the installation that shows a repository, by asking where the
// App is installed on it; with one installation there is nothing to ask.
// ErrNotFound: the App sees no such repository.
func (s *installations) ofRepo(ctx context.Context, op string, repo int64) (*installation, error) {
	all, err := s.all(ctx, false)
	if err != nil {
		return nil, err
	}
	if len(all) < 2 {
		return s.any(ctx, op)
	}
	id, known := s.repos.Load(repo)
	if !known {
		i, err := s.find(ctx, repo)
		if err != nil {
			return nil, err
		}
		id = i.GetID()
		s.repos.Store(repo, id)
	}
	i, err := s.readable(ctx, op, "its owner", func(i *installation) bool { return i.id == id })
	if err != nil {
		s.repos.Delete(repo) // it may be another one by then
	}
	return i, err
}

// elsewhere reports whether a repository that one installation does not show may
// be shown by another: it was remembered where it was, or the App has come to
// more accounts.
func (s *installations) elsewhere(ctx context.Context, repo int64) (bool, error) {
	if _, remembered := s.repos.LoadAndDelete(repo); remembered || s.only != 0 {
		return remembered, nil
	}
	before, err := s.all(ctx, false)
	if err != nil {
		return false, err
	}
	now, err := s.all(ctx, true)
	return len(before) < 2 && len(now) > 1, err
}

// refused explains why GitHub refused an installation's token: because the
// installation is no more, or suspended, or else for what e says.
func (s *installations) refused(ctx context.Context, op, as string, e *providers.ForgeError) error {
	s.outdate()
	_, err := s.readable(ctx, op, "this account any more", func(i *installation) bool { return i.identity.name == as })
	if errors.Is(err, providers.ErrWithheld) {
		return err
	}
	return e
}

func (s *installations) outdate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = true
}

// named means the installation on the account of a name.
func named(account string) func(*installation) bool {
	return func(i *installation) bool { return providers.Fold(i.account.Name) == providers.Fold(account) }
}

// on means the installation on the account of an id.
func on(account string) func(*installation) bool {
	return func(i *installation) bool { return i.account.ID == account }
}

type ownerKey struct{}

// aboutAccount says which account a call is about whose address does not say it.
func aboutAccount(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, ownerKey{}, name)
}

// choose returns the installation that a request to path, below the root of the
// API, goes out under.
func (s *installations) choose(req *http.Request, op, path string) (*installation, error) {
	ctx := req.Context()
	part := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(part) > 1 && part[0] == "orgs":
		i, err := s.readable(ctx, op, part[1], named(part[1]))
		if len(part) == 2 && errors.Is(err, providers.ErrWithheld) {
			if there, e := s.of(ctx, named(part[1])); e != nil || there != nil {
				return nil, err
			}
			return s.any(ctx, op) // whether it exists, or what its id is, everybody is told
		}
		return i, err
	case len(part) > 1 && part[0] == "organizations":
		return s.readable(ctx, op, "organization "+part[1], on(part[1]))
	case len(part) > 2 && part[0] == "repos":
		return s.readable(ctx, op, part[1], named(part[1]))
	case len(part) > 1 && part[0] == "repositories":
		id, err := number(part[1])
		if err != nil {
			return nil, err
		}
		return s.ofRepo(ctx, op, id)
	}
	if owner, ok := ctx.Value(ownerKey{}).(string); ok {
		return s.readable(ctx, op, owner, named(owner))
	}
	return s.any(ctx, op)
}

// connect ties the installations to the API as the App itself.
func (f *Forge) connect(jwt *ghinstallation.AppsTransport, only int64) {
	f.installs = &installations{
		jwt: jwt, only: only, now: f.now,
		list: func(ctx context.Context) ([]*sdk.Installation, error) {
			if only != 0 {
				op := fmt.Sprintf("GET /app/installations/%d", only)
				i, _, err := f.app.Apps.GetInstallation(ctx, only)
				if err != nil {
					if err = f.failed(ctx, op, err); errors.Is(err, providers.ErrNotFound) {
						return nil, nil
					}
					return nil, err
				}
				return sound(op, i)
			}
			all, err := listing[sdk.Installation]{
				f: f, op: "GET /app/installations", id: (*sdk.Installation).GetID,
				fetch: func(o sdk.ListOptions) ([]*sdk.Installation, *sdk.Response, error) {
					return f.app.Apps.ListInstallations(ctx, &o)
				},
			}.all(ctx)
			if err != nil {
				return nil, err
			}
			return sound("GET /app/installations", all...)
		},
		find: func(ctx context.Context, repo int64) (*sdk.Installation, error) {
			op := fmt.Sprintf("GET /repositories/%d/installation", repo)
			i, _, err := f.app.Apps.GetRepositoryInstallationByID(ctx, repo)
			if err != nil {
				return nil, f.failed(ctx, op, err)
			}
			if i.GetID() <= 0 {
				return nil, nonsense(op, "an installation without an id")
			}
			return i, nil
		},
	}
}

func sound(op string, all ...*sdk.Installation) ([]*sdk.Installation, error) {
	for _, i := range all {
		if i.GetID() <= 0 || i.GetAccount().GetID() <= 0 {
			return nil, nonsense(op, "an installation without an account")
		}
	}
	return all, nil
}
