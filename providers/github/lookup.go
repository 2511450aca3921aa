package github

import (
	"context"
	"errors"
	"iter"
	"slices"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// Repo asks by id. GitHub answers 404 also to a token that may not look: see
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
	r, _, err := f.api.Repositories.GetByID(ctx, n)
	if err != nil {
		err = f.failed(ctx, op, err)
		if f.installs != nil && errors.Is(err, providers.ErrNotFound) {
			switch again, listErr := f.installs.elsewhere(ctx, n); {
			case listErr != nil:
				return nil, listErr
			case again:
				return f.fetch(ctx, id)
			}
		}
		return nil, err
	}
	if r.GetID() != n || r.GetOwner().GetID() <= 0 || r.GetFullName() == "" {
		return nil, nonsense(op, "an answer about something else")
	}
	return r, nil
}

// User finds a user by login.
func (f *Forge) User(ctx context.Context, login string) (providers.User, error) {
	u, err := f.userByLogin(ctx, login)
	return u, wrap(err)
}

// UserByID implements providers.Forge.
func (f *Forge) UserByID(ctx context.Context, id string) (providers.User, error) {
	u, err := f.userByID(ctx, id)
	return u, wrap(err)
}

// Org finds an organization by name.
func (f *Forge) Org(ctx context.Context, name string) (providers.Org, error) {
	o, err := f.orgByName(ctx, name)
	if err != nil {
		return providers.Org{}, wrap(err)
	}
	return convertOrg(o), nil
}

// Orgs lists the organizations that the identity belongs to: of an App those it
// is installed on and not suspended, of a token's user all that he is in.
func (f *Forge) Orgs(ctx context.Context) iter.Seq2[providers.Org, error] {
	return sequence(func() ([]providers.Org, error) { return f.orgs(ctx) })
}

func (f *Forge) orgs(ctx context.Context) ([]providers.Org, error) {
	if f.installs != nil {
		all, err := f.installs.all(ctx, true)
		if err != nil {
			return nil, err
		}
		orgs := []providers.Org{}
		for _, i := range all {
			if i.org && !i.suspended {
				orgs = append(orgs, i.account)
			}
		}
		return orgs, nil
	}
	orgs, err := listing[sdk.Organization]{
		f: f, op: "GET /user/orgs", id: (*sdk.Organization).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Organization, *sdk.Response, error) {
			return f.api.Organizations.List(ctx, "", &o)
		},
	}.all(ctx)
	return convert(orgs, convertOrg), err
}

// Probe asks for the version of an Enterprise Server; github.com has none and
// is called by its name. Both refuse a bad token even there.
func (f *Forge) Probe(ctx context.Context) (string, error) {
	const op = "GET /meta"
	var meta struct {
		Version  string `json:"installed_version"`
		Password *bool  `json:"verifiable_password_authentication"` // there on every GitHub
	}
	req, err := f.api.NewRequest(ctx, "GET", "meta", nil)
	if err != nil {
		return "", wrap(err)
	}
	if _, err := f.api.Do(req, &meta); err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	switch {
	case meta.Version != "":
		return meta.Version, nil
	case meta.Password != nil:
		return "github.com", nil
	}
	return "", wrap(nonsense(op, "no version"))
}

// Prove shows that a 404 of something in org means that it is not there: the
// identity sees all of org. That is so for an owner, whom GitHub shows the base
// permission, and for an installation on all repositories. Anybody else:
// ErrForbidden, and ErrWithheld for an installation on some.
func (f *Forge) Prove(ctx context.Context, org providers.Org) error {
	o, err := f.resolve(ctx, org)
	if err != nil {
		if errors.Is(err, providers.ErrNotFound) {
			err = f.orgless(ctx, org)
		}
		return wrap(err)
	}
	if f.app == nil {
		if o.DefaultRepoPermission != nil {
			return nil
		}
		return wrap(f.membership(ctx, o.GetLogin()))
	}
	all, err := f.selectsAll(ctx, o.GetLogin())
	if err == nil && !all {
		err = f.installs.withheld("GET /installation/repositories", "the App is installed on selected repositories of "+o.GetLogin()+" only")
	}
	return wrap(err)
}

// selectsAll reports whether the App's installation shows every repository of
// an organization, those to come included.
func (f *Forge) selectsAll(ctx context.Context, org string) (bool, error) {
	const op = "GET /installation/repositories"
	var all struct {
		Selection string `json:"repository_selection"`
	}
	req, err := f.api.NewRequest(aboutAccount(ctx, org), "GET", "installation/repositories?per_page=1", nil)
	if err != nil {
		return false, err
	}
	if _, err := f.api.Do(req, &all); err != nil {
		return false, f.failed(ctx, op, err)
	}
	if all.Selection != "all" && all.Selection != "selected" {
		return false, nonsense(op, "no word on which repositories are selected")
	}
	return all.Selection == "all", nil
}

// Hidden is all of an organization that the App is not installed on or
// suspended for, and what its installation was not given.
func (f *Forge) Hidden(ctx context.Context, org providers.Org, ids []string) ([]string, error) {
	if f.installs == nil {
		return nil, nil
	}
	i, err := f.installs.of(ctx, on(org.ID))
	if err != nil {
		return nil, wrap(err)
	}
	if i == nil || i.suspended {
		return ids, nil
	}
	all, err := f.selectsAll(ctx, i.account.Name)
	if all || err != nil {
		return nil, wrap(err)
	}
	repos, err := f.orgRepos(ctx, i.account.Name)
	if err != nil {
		return nil, wrap(err)
	}
	shown := make(map[string]bool, len(repos))
	for _, r := range repos {
		shown[text(r.GetID())] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return shown[id] }), nil
}

// orgless fails unless org is proven to be no more. GitHub shows an organization
// to everybody, by an id that never changes; a token that is in others still is
// told so about one that it was in, too. An App's installation ends with it.
func (f *Forge) orgless(ctx context.Context, org providers.Org) error {
	if f.app != nil {
		return &providers.ForgeError{Op: "GET /organizations/" + org.ID, Status: 404, Class: providers.ErrForbidden, Err: errors.New("the installation is of no such organization")}
	}
	own, err := f.orgs(ctx)
	if err != nil {
		return err
	}
	for _, o := range own {
		if o.ID == org.ID {
			return &providers.ForgeError{Op: "GET /organizations/" + org.ID, Status: 404, Class: providers.ErrNonsense, Err: errors.New("the token's user is in it")}
		}
	}
	return nil
}

// membership fails unless the token's user owns the organization.
func (f *Forge) membership(ctx context.Context, org string) error {
	op := "GET /user/memberships/orgs/" + org
	m, _, err := f.api.Organizations.GetOrgMembership(ctx, "", org)
	switch {
	case err != nil:
		err = f.failed(ctx, op, err)
		if errors.Is(err, providers.ErrNotFound) {
			return &providers.ForgeError{Op: op, Status: 404, Class: providers.ErrForbidden, Err: errors.New("the token's user is not in the organization")}
		}
		return err
	case m.GetRole() != "admin" || m.GetState() != "active":
		return &providers.ForgeError{Op: op, Status: 200, Class: providers.ErrForbidden, Err: errors.New("the token's user does not own the organization")}
	}
	return nil
}
