package github

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// payload is the part of a delivery that routing needs. It is a struct of our
// own because the typed payloads of the libraries refuse or lose parts of it:
// see Describe.
type payload struct {
	Action     string
	Scope      string // of a membership: "team"
	Status     string // of an import
	TargetType string // of an installation's target

	Repository   *payloadRepo
	Forkee       *payloadRepo
	Organization *payloadAccount
	Sender       *payloadAccount
	Member       *payloadAccount
	User         *payloadAccount
	Account      *payloadAccount
	MembershipOf *payloadAccount // membership.user
	Installed    *payloadAccount // installation.account
	Team         *payloadTeam
	Changes      payloadChanges
}

// payloadChanges are the former values.
type payloadChanges struct {
	RepoName      string
	Owner         string
	Login         string
	DefaultBranch bool
}

type payloadRepo struct {
	ID         int64
	Name       string
	FullName   string
	Owner      *payloadAccount
	Private    bool
	Visibility string
	Archived   bool
	Fork       bool
	Created    string
}

// payloadAccount is a user, an organization or an enterprise; only the last
// has a slug and no login.
type payloadAccount struct {
	ID    int64
	Login string
	Slug  string
	Type  string
}

type payloadTeam struct {
	ID      int64
	Slug    string
	Deleted bool // the payload tells no more than the id then
}

func (a *payloadAccount) user() providers.User {
	if a == nil || a.ID <= 0 {
		return providers.User{}
	}
	return providers.User{ID: strconv.FormatInt(a.ID, 10), Login: a.Login}
}

func (a *payloadAccount) org() providers.Org {
	if a == nil || a.ID <= 0 {
		return providers.Org{}
	}
	name := a.Login
	if name == "" {
		name = a.Slug
	}
	return providers.Org{ID: strconv.FormatInt(a.ID, 10), Name: name, Personal: a.Type == "User"}
}

// subject is a as the one whose access an event is about.
func (a *payloadAccount) subject(key string) (*providers.User, error) {
	u := a.user()
	if u.ID == "" {
		return nil, fmt.Errorf("no %s id: %w", key, providers.ErrMalformed)
	}
	return &u, nil
}

// repo converts r. Its owner, or else the organization of the delivery, becomes
// its Org.
func (r *payloadRepo) repo(org *payloadAccount) (*providers.Repo, error) {
	if r == nil || r.ID <= 0 {
		return nil, fmt.Errorf("no repository id: %w", providers.ErrMalformed)
	}
	owner := r.Owner
	if owner == nil || owner.ID <= 0 {
		owner = org
	}
	created, _ := time.Parse(time.RFC3339, r.Created) // a label, worth no refusal
	return &providers.Repo{
		ID:         strconv.FormatInt(r.ID, 10),
		Path:       r.FullName,
		Org:        owner.org(),
		Visibility: visibility(r.Visibility, r.Private),
		Archived:   r.Archived,
		Fork:       r.Fork,
		Created:    created,
	}, nil
}

// visibility believes the flag when the name is missing, as from old GitHub
// Enterprise Servers, or is none that we know.
func visibility(name string, private bool) providers.Visibility {
	switch v := providers.Visibility(name); {
	case v == providers.Public || v == providers.Internal || v == providers.Private:
		return v
	case private:
		return providers.Private
	}
	return providers.Public
}

// team names a team as GitHub writes it, "acme/core": a slug alone is unique
// within its organization only. A deleted team has no slug and is none.
func (t *payloadTeam) team(org providers.Org) *providers.Team {
	if t == nil || t.ID <= 0 || t.Deleted || t.Slug == "" {
		return nil
	}
	return &providers.Team{ID: strconv.FormatInt(t.ID, 10), Name: teamName(org.Name, t.Slug)}
}

func teamName(org, slug string) string { return org + "/" + slug }

func withAction(name, action string) string {
	if action == "" {
		return name
	}
	return name + "." + action
}
