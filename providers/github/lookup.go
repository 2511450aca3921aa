package github

import (
	"context"
	"errors"
	"fmt"
	"iter"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// Repo asks by id. GitHub answers 404 also to a token that may not look: see
// Prove.
func (f *Forge) Repo(ctx context.Context, id string) (providers.Repo, error) {
	r, err := f.repo(ctx, id)
	return r, wrap(err)
}

func (f *Forge) repo(ctx context.Context, id string) (providers.Repo, error) {
	n, err := number(id)
	if err != nil {
		return providers.Repo{}, err
	}
	op := "GET /repositories/" + id
	r, _, err := f.api.Repositories.GetByID(ctx, n)
	if err != nil {
		return providers.Repo{}, f.failed(ctx, op, err)
	}
	if r.GetID() != n || r.GetOwner().GetID() <= 0 || r.GetFullName() == "" {
		return providers.Repo{}, nonsense(op, "an answer about something else")
	}
	return convertRepo(r), nil
}

// User finds a user by login.
func (f *Forge) User(ctx context.Context, login string) (providers.User, error) {
	u, err := f.userByLogin(ctx, login)
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

// Orgs lists the organizations that the identity belongs to: of an App's
// installation that is the account it is installed on, of a token's user all
// that he is in.
func (f *Forge) Orgs(ctx context.Context) iter.Seq2[providers.Org, error] {
	return sequence(func() ([]providers.Org, error) { return f.orgs(ctx) })
}

func (f *Forge) orgs(ctx context.Context) ([]providers.Org, error) {
	if f.app != nil {
		op := fmt.Sprintf("GET /app/installations/%d", f.install)
		i, _, err := f.app.Apps.GetInstallation(ctx, f.install)
		if err != nil {
			return nil, f.failed(ctx, op, err)
		}
		if i.GetAccount().GetID() <= 0 {
			return nil, nonsense(op, "an installation without an account")
		}
		if i.GetTargetType() != "Organization" {
			return []providers.Org{}, nil // a user's
		}
		return []providers.Org{{ID: text(i.Account.GetID()), Name: i.Account.GetLogin()}}, nil
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
// ErrForbidden.
func (f *Forge) Prove(ctx context.Context, org providers.Org) error {
	o, err := f.resolve(ctx, org)
	if err != nil {
		if errors.Is(err, providers.ErrNotFound) {
			err = &providers.ForgeError{Op: "GET /orgs/" + org.Name, Class: providers.ErrForbidden, Err: err}
		}
		return wrap(err)
	}
	if f.app == nil {
		if o.DefaultRepoPermission != nil {
			return nil
		}
		return wrap(f.membership(ctx, o.GetLogin()))
	}
	const op = "GET /installation/repositories"
	var all struct {
		Selection string `json:"repository_selection"`
	}
	req, err := f.api.NewRequest(ctx, "GET", "installation/repositories?per_page=1", nil)
	if err != nil {
		return wrap(err)
	}
	if _, err := f.api.Do(req, &all); err != nil {
		return wrap(f.failed(ctx, op, err))
	}
	if all.Selection != "all" {
		return wrap(&providers.ForgeError{Op: op, Status: 200, Class: providers.ErrForbidden, Err: errors.New("the App is installed on selected repositories only")})
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
