package gitea

import (
	"fmt"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// payload is the part of a delivery that routing needs. It is a struct of our
// own and not go-playground's, which Describe decodes later in a worker.
type payload struct {
	Action        string
	Repository    *payloadRepo
	Forkee        *payloadRepo
	Organization  *payloadUser
	Sender        *payloadUser
	Before, After string
	RenamedFrom   string // changes.name.from
}

type payloadRepo struct {
	ID       int64
	Owner    *payloadUser
	FullName string
	Private  bool
	Internal bool
	Archived bool
	Fork     bool
	Created  string
	ParentID int64
}

type payloadUser struct {
	ID       int64
	Login    string
	Username string
}

// repository reads the repository event.
func (p payload) repository() (providers.Event, error) {
	e := providers.Event{Name: withAction("repository", p.Action), Effect: providers.EffectRepo, Sender: p.Sender.user()}
	if p.Action == "deleted" {
		e.Effect = providers.EffectGone
	}
	repo, err := p.Repository.repo(p.Organization)
	if err != nil {
		return providers.Event{Name: e.Name}, fmt.Errorf("gitea: %s: %w", e.Name, err)
	}
	e.Repo, e.Org = &repo, repo.Org
	if from := p.RenamedFrom; from != "" {
		e.From = repo.Org.Name + "/" + from
	}
	return e, nil
}

// fork reads the fork event, which is about the new repository. Which of the
// two that is cannot be told from the keys: Gitea puts the old one into
// "forkee", GitHub and Gogs the new one.
func (p payload) fork() (providers.Event, error) {
	e := providers.Event{Name: "fork", Effect: providers.EffectRepo, Sender: p.Sender.user()}
	a, b := p.Repository, p.Forkee
	if b.forkOf(a) {
		a, b = b, a
	}
	repo, err := a.repo(nil)
	if err != nil {
		return providers.Event{Name: e.Name}, fmt.Errorf("gitea: fork: %w", err)
	}
	e.Repo, e.Org = &repo, repo.Org
	if b != nil {
		e.From = b.FullName
	}
	return e, nil
}

// forkOf reports whether r is the fork and base what it was forked from: by
// its parent, else by the fork flags, else (both or neither are forks) by its
// greater, hence later id.
func (r *payloadRepo) forkOf(base *payloadRepo) bool {
	switch {
	case r == nil || base == nil:
		return base == nil
	case r.ParentID != 0 && r.ParentID == base.ID:
		return true
	case base.ParentID != 0 && base.ParentID == r.ID:
		return false
	case r.Fork != base.Fork:
		return r.Fork
	}
	return r.ID > base.ID
}

// ignored explains an event that changes nobody's list.
func (p payload) ignored(name string) (providers.Event, error) {
	e := providers.Event{Name: withAction(name, p.Action), Sender: p.Sender.user()}
	if repo, err := p.Repository.repo(p.Organization); err == nil {
		e.Repo, e.Org = &repo, repo.Org
	}
	switch name {
	case "push":
		if p.Before != "" && p.Before == p.After {
			return e, &providers.Ignored{Ping: true, Reason: "test delivery: a push from a commit to itself"}
		}
		return e, &providers.Ignored{Reason: "a push changes nobody's list of repositories"}
	case "create", "delete":
		return e, &providers.Ignored{Reason: "in Gitea this tells of a branch or tag; repositories come with the event \"repository\""}
	}
	return e, &providers.Ignored{Reason: e.Name + " changes nobody's list of repositories"}
}

// repo converts r. The owner, or else the organization of the delivery, which
// Gitea fills with the user for a personal repository, becomes its Org;
// whether that is a person cannot be told from a payload.
func (r *payloadRepo) repo(org *payloadUser) (providers.Repo, error) {
	if r == nil || r.ID <= 0 {
		return providers.Repo{}, fmt.Errorf("no repository id: %w", providers.ErrMalformed)
	}
	owner := r.Owner
	if owner == nil || owner.ID <= 0 {
		owner = org
	}
	u := owner.user()
	created, _ := time.Parse(time.RFC3339, r.Created) // a label, worth no refusal
	return providers.Repo{
		ID:         strconv.FormatInt(r.ID, 10),
		Path:       r.FullName,
		Org:        providers.Org{ID: u.ID, Name: u.Login},
		Visibility: visibility(r.Private, r.Internal),
		Archived:   r.Archived,
		Fork:       r.Fork,
		Created:    created,
	}, nil
}

func (u *payloadUser) user() providers.User {
	if u == nil || u.ID <= 0 {
		return providers.User{}
	}
	login := u.Login
	if login == "" {
		login = u.Username
	}
	return providers.User{ID: strconv.FormatInt(u.ID, 10), Login: login}
}

// visibility follows Gitea's flags. Internal is a public repository of a
// private organization; one of a limited organization is Public here as it is
// for CI servers, which read the same flags.
func visibility(private, internal bool) providers.Visibility {
	switch {
	case private:
		return providers.Private
	case internal:
		return providers.Internal
	}
	return providers.Public
}

func withAction(name, action string) string {
	if action == "" {
		return name
	}
	return name + "." + action
}
