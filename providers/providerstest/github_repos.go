package providerstest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// ghRepo is a repository.
type ghRepo struct {
	id            int64
	owner         *ghAccount
	name          string
	visibility    providers.Visibility
	archived      bool
	parent        *ghRepo
	created       time.Time
	collaborators map[*ghAccount]providers.Permission
	invited       ghInvites
	hidden        int // reads that still answer 404
	contents      contents
	wire          [][]byte // JSON, cut where the permissions of the asking user belong
}

func (r *ghRepo) path() string { return r.owner.login + "/" + r.name }

// GitHubRepo describes a repository to be created. AutoInit adds the event push.
type GitHubRepo = GiteaRepo

// CreateRepo creates a repository. The owner's hooks hear "repository created",
// and "team added_to_repository" for each team that gets it at once.
func (g *GitHub) CreateRepo(spec GitHubRepo) (providers.Repo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	by, err := g.actor(spec.By)
	if err != nil {
		return providers.Repo{}, err
	}
	visibility := providers.Public
	if spec.Private {
		visibility = providers.Private
	}
	r, err := g.addRepo(spec.Owner, spec.Name, visibility, nil, by)
	if err != nil {
		return providers.Repo{}, err
	}
	if spec.AutoInit {
		g.announcePush(r, "main", by)
	}
	return r.repo(), nil
}

// Fork forks a repository to another owner. The base's hooks hear "fork"; an
// organization that receives the fork also hears "repository created".
func (g *GitHub) Fork(path, owner, by string) (providers.Repo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	base, err := g.repo(path)
	if err != nil {
		return providers.Repo{}, err
	}
	doer, err := g.actor(by)
	if err != nil {
		return providers.Repo{}, err
	}
	r, err := g.addRepo(owner, base.name, base.visibility, base, doer)
	if err != nil {
		return providers.Repo{}, err
	}
	g.announceBy(base.owner, doer, "fork", ghFields{"forkee": g.rawRepo(r), "repository": g.rawRepo(base)})
	return r.repo(), nil
}

func (g *GitHub) addRepo(owner, name string, v providers.Visibility, base *ghRepo, by *ghAccount) (*ghRepo, error) {
	o := g.byLogin[fold(owner)]
	if o == nil {
		return nil, unknown("owner", owner)
	}
	path := fold(owner + "/" + name)
	if g.byPath[path] != nil {
		return nil, fmt.Errorf("providerstest: repository %s exists", path)
	}
	delete(g.movedTo, path)
	r := &ghRepo{
		id: g.next("repo"), owner: o, name: name, visibility: v, parent: base, created: g.opt.Now(),
		collaborators: map[*ghAccount]providers.Permission{}, hidden: g.opt.HideNew,
	}
	g.repos[r.id], g.byPath[path] = r, r
	// Who creates a repository in an organization without owning that
	// administers it.
	if o.org && !o.members[by] {
		r.collaborators[by] = providers.Admin
	}
	g.render(r)
	g.version++
	g.announceRepo("created", r, by, nil)
	for _, t := range o.teams {
		if t.all {
			g.grant(t, r, t.permission)
		}
	}
	return r, nil
}

// HideNew changes the option of that name, for what is created from now on.
func (g *GitHub) HideNew(reads int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opt.HideNew = reads
}

// DeleteRepo deletes a repository. The hooks hear "repository deleted".
func (g *GitHub) DeleteRepo(path string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	g.announceRepo("deleted", r, g.admin(), nil)
	g.remove(r)
	return nil
}

func (g *GitHub) remove(r *ghRepo) {
	delete(g.repos, r.id)
	delete(g.byPath, fold(r.path()))
	for _, t := range r.owner.teams {
		delete(t.repos, r)
	}
	for old, id := range g.movedTo {
		if id == r.id {
			delete(g.movedTo, old)
		}
	}
	g.version++
}

// RenameRepo renames a repository. The hooks hear "repository renamed", and the
// old path redirects.
func (g *GitHub) RenameRepo(path, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	was := r.name
	if err := g.move(r, r.owner, name); err != nil {
		return err
	}
	g.announceRepo("renamed", r, g.admin(), ghFields{"repository": ghFields{"name": ghFields{"from": was}}})
	return nil
}

// TransferRepo gives a repository to another owner. Only the new one's hooks
// hear "repository transferred".
func (g *GitHub) TransferRepo(path, owner string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	to := g.byLogin[fold(owner)]
	if to == nil {
		return unknown("owner", owner)
	}
	from := r.owner
	if err := g.move(r, to, r.name); err != nil {
		return err
	}
	for _, t := range from.teams {
		delete(t.repos, r)
	}
	was := ghFields{"user": g.wireUser(from)}
	if from.org {
		was = ghFields{"organization": g.wireOrg(from)}
	}
	g.announceRepo("transferred", r, g.admin(), ghFields{"owner": ghFields{"from": was}})
	for _, t := range to.teams {
		if t.all {
			g.grant(t, r, t.permission)
		}
	}
	return nil
}

func (g *GitHub) move(r *ghRepo, owner *ghAccount, name string) error {
	path := fold(owner.login + "/" + name)
	if other := g.byPath[path]; other != nil && other != r {
		return fmt.Errorf("providerstest: repository %s exists", path)
	}
	delete(g.byPath, fold(r.path()))
	g.movedTo[fold(r.path())] = r.id
	delete(g.movedTo, path)
	r.owner, r.name = owner, name
	g.byPath[path] = r
	g.render(r)
	g.version++
	return nil
}

// SetVisibility makes a repository private or public. The hooks hear
// "repository privatized", or "repository publicized" and "public".
func (g *GitHub) SetVisibility(path string, private bool) error {
	v := providers.Public
	if private {
		v = providers.Private
	}
	return g.show(path, v)
}

// SetInternal shows a repository to every member of its organization, as an
// Enterprise can. The hooks hear "repository privatized".
func (g *GitHub) SetInternal(path string) error { return g.show(path, providers.Internal) }

func (g *GitHub) show(path string, v providers.Visibility) error {
	return g.change(path, func(r *ghRepo) error { r.visibility = v; return nil }, func(r *ghRepo) {
		if v != providers.Public {
			g.announceRepo("privatized", r, g.admin(), nil)
			return
		}
		g.announceRepo("publicized", r, g.admin(), nil)
		g.announce(r.owner, "public", ghFields{"repository": g.rawRepo(r)})
	})
}

// SetArchived archives a repository, or brings it back. The hooks hear of it.
func (g *GitHub) SetArchived(path string, archived bool) error {
	return g.change(path, func(r *ghRepo) error { r.archived = archived; return nil }, func(r *ghRepo) {
		action := "unarchived"
		if archived {
			action = "archived"
		}
		g.announceRepo(action, r, g.admin(), nil)
	})
}

// AddTeamRepo gives a team a repository at the team's permission. The hooks
// hear "team_add" and "team added_to_repository".
func (g *GitHub) AddTeamRepo(org, team, path string) error {
	return g.change(path, func(r *ghRepo) error {
		t, err := g.team(org, team)
		if err == nil {
			g.grant(t, r, t.permission)
		}
		return err
	}, nil)
}

// SetTeamPermission changes what a team may do with one of its repositories.
// The hooks hear "team edited".
func (g *GitHub) SetTeamPermission(org, team, path string, p providers.Permission) error {
	return g.change(path, func(r *ghRepo) error {
		t, err := g.team(org, team)
		if err != nil {
			return err
		}
		if t.repos[r] == providers.None {
			return unknown("repository of the team", path)
		}
		was := t.repos[r]
		t.repos[r] = p
		g.announce(t.org, "team", ghFields{
			"action": "edited", "team": g.wireTeam(t), "repository": g.rawRepo(r),
			"changes": ghFields{"repository": ghFields{"permissions": ghFields{"from": ghFields{"admin": was >= providers.Admin, "push": was >= providers.Write, "pull": was >= providers.Read}}}},
		})
		return nil
	}, nil)
}

func (g *GitHub) grant(t *ghTeam, r *ghRepo, p providers.Permission) {
	t.repos[r] = max(p, providers.Read)
	g.version++
	fields := ghFields{"team": g.wireTeam(t), "repository": g.rawRepo(r)}
	g.announce(t.org, "team_add", fields)
	fields = ghFields{"action": "added_to_repository", "team": g.wireTeam(t), "repository": g.rawRepo(r)}
	g.announce(t.org, "team", fields)
}

// RemoveTeamRepo takes a repository from a team. The hooks hear "team
// removed_from_repository".
func (g *GitHub) RemoveTeamRepo(org, team, path string) error {
	return g.change(path, func(r *ghRepo) error {
		t, err := g.team(org, team)
		if err != nil {
			return err
		}
		delete(t.repos, r)
		g.announce(t.org, "team", ghFields{"action": "removed_from_repository", "team": g.wireTeam(t), "repository": g.rawRepo(r)})
		return nil
	}, nil)
}

// AddCollaborator grants a user access to one repository, or changes it. The
// hooks hear "member added" or "member edited".
func (g *GitHub) AddCollaborator(path, login string, p providers.Permission) error {
	return g.change(path, func(r *ghRepo) error {
		u, err := g.user(login)
		if err != nil {
			return err
		}
		g.grantTo(r, u, p)
		return nil
	}, nil)
}

func (g *GitHub) grantTo(r *ghRepo, u *ghAccount, p providers.Permission) {
	action, changes := "added", ghFields{"permission": ghFields{"to": p.String()}, "role_name": ghFields{"to": p.String()}}
	if was, already := r.collaborators[u]; already {
		action, changes = "edited", ghFields{"permission": ghFields{"from": was.String(), "to": p.String()}}
	}
	r.collaborators[u] = p
	g.announce(r.owner, "member", ghFields{"action": action, "member": g.wireUser(u), "changes": changes, "repository": g.rawRepo(r)})
}

// RemoveCollaborator takes a direct grant back. The hooks hear "member removed".
func (g *GitHub) RemoveCollaborator(path, login string) error {
	return g.change(path, func(r *ghRepo) error {
		u, err := g.user(login)
		if err != nil {
			return err
		}
		delete(r.collaborators, u)
		g.announce(r.owner, "member", ghFields{"action": "removed", "member": g.wireUser(u), "repository": g.rawRepo(r)})
		return nil
	}, nil)
}

// change does something to a repository and then tells of it.
func (g *GitHub) change(path string, do func(*ghRepo) error, tell func(*ghRepo)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	if err := do(r); err != nil {
		return err
	}
	g.render(r)
	g.version++
	if tell != nil {
		tell(r)
	}
	return nil
}

func (g *GitHub) repo(path string) (*ghRepo, error) {
	if r := g.byPath[fold(path)]; r != nil {
		return r, nil
	}
	return nil, unknown("repository", path)
}

func (g *GitHub) actor(login string) (*ghAccount, error) {
	if login == "" {
		login = g.opt.Admin
	}
	return g.user(login)
}

// sorted returns all repositories, the oldest first.
func (g *GitHub) sorted() []*ghRepo {
	all := make([]*ghRepo, 0, len(g.repos))
	for _, r := range g.repos {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *ghRepo) int { return cmp.Compare(a.id, b.id) })
	return all
}

// repo is the repository in hookd's words.
func (r *ghRepo) repo() providers.Repo {
	return providers.Repo{
		ID: strconv.FormatInt(r.id, 10), Path: r.path(), Created: r.created.UTC().Truncate(time.Second),
		Org:        providers.Org{ID: strconv.FormatInt(r.owner.id, 10), Name: r.owner.login, Personal: !r.owner.org},
		Visibility: r.visibility, Archived: r.archived, Fork: r.parent != nil,
	}
}
