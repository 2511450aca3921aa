package providerstest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// repo is a repository.
type repo struct {
	id            int64
	owner         *account
	name          string
	private       bool
	archived      bool
	empty         bool
	parent        *repo
	created       time.Time
	collaborators map[*account]*collaboration
	hidden        int // reads by id that still answer 404
	contents      contents
	wire          [][]byte // JSON, cut where the permissions of the asking user belong
}

// collaboration is a direct grant. listed tells whether Gitea also has a row
// for it in its table "access", which is what lists look at.
type collaboration struct {
	permission providers.Permission
	listed     bool
}

func (r *repo) path() string { return r.owner.login + "/" + r.name }

// GiteaRepo describes a repository to be created.
type GiteaRepo struct {
	Owner, Name string
	Private     bool
	AutoInit    bool   // with a first commit, which adds the events create and push
	By          string // who creates it, the site administrator by default
}

// CreateRepo creates a repository. The owner's hooks hear "repository created".
// Teams with all repositories have it at once, in the same transaction.
func (g *Gitea) CreateRepo(spec GiteaRepo) (providers.Repo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	by, err := g.actor(spec.By)
	if err != nil {
		return providers.Repo{}, err
	}
	r, err := g.addRepo(spec.Owner, spec.Name, by)
	if err != nil {
		return providers.Repo{}, err
	}
	r.private, r.empty = spec.Private, !spec.AutoInit
	g.render(r)
	g.announceRepository("created", r, by)
	if spec.AutoInit {
		g.announceCreate(r, "main", by)
		g.announcePush(r, "main", by, noCommit)
	}
	return r.repo(), nil
}

// Fork forks a repository to another owner. The base's hooks hear "fork"; an
// organization that receives the fork also hears "repository created", a user
// nothing (services/webhook/notifier.go).
func (g *Gitea) Fork(path, owner, by string) (providers.Repo, error) {
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
	r, err := g.addRepo(owner, base.name, doer)
	if err != nil {
		return providers.Repo{}, err
	}
	r.private, r.parent = base.private, base
	g.render(r)
	g.announceFork(base, r, doer)
	if r.owner.org {
		g.announceRepository("created", r, doer)
	}
	return r.repo(), nil
}

func (g *Gitea) addRepo(owner, name string, by *account) (*repo, error) {
	o := g.byLogin[fold(owner)]
	if o == nil {
		return nil, unknown("owner", owner)
	}
	path := fold(owner + "/" + name)
	if g.byPath[path] != nil {
		return nil, fmt.Errorf("providerstest: repository %s exists", path)
	}
	delete(g.movedTo, path)
	r := &repo{
		id: g.next("repo"), owner: o, name: name, created: g.opt.Now(),
		collaborators: map[*account]*collaboration{}, hidden: g.opt.HideNew,
	}
	g.repos[r.id], g.byPath[path] = r, r
	for _, t := range o.teams {
		if t.all {
			t.repos[r] = true
		}
	}
	// Who creates a repository in an organization without administering it
	// becomes a collaborator (services/repository/create.go).
	if o.org && !by.admin && !g.administers(by, r) {
		r.collaborators[by] = &collaboration{permission: providers.Admin, listed: true}
	}
	g.record(o, by, "create_repo", r, "")
	g.version++
	return r, nil
}

// HideNew changes the option of that name, for what is created from now on.
func (g *Gitea) HideNew(reads int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opt.HideNew = reads
}

// DeleteRepo deletes a repository. The event is queued before the deletion
// runs, so with a DeleteLag a reader may still find it.
func (g *Gitea) DeleteRepo(path string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	g.announceRepository("deleted", r, g.byLogin[fold(g.opt.Admin)])
	if g.opt.DeleteLag == 0 {
		g.remove(r)
		return nil
	}
	time.AfterFunc(g.opt.DeleteLag, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.remove(r)
	})
	return nil
}

// remove also takes the rows out of the feed (services/repository/delete.go).
func (g *Gitea) remove(r *repo) {
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
	g.feed = slices.DeleteFunc(g.feed, func(a *activity) bool { return a.repo == r })
	for _, f := range g.repos {
		if f.parent == r {
			f.parent = nil
			g.render(f)
		}
	}
	g.version++
}

// RenameRepo renames a repository. No webhook tells; the feed does, and the
// old path redirects.
func (g *Gitea) RenameRepo(path, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	old := r.name
	if err := g.move(r, r.owner, name); err != nil {
		return err
	}
	g.record(r.owner, g.byLogin[fold(g.opt.Admin)], "rename_repo", r, old)
	return nil
}

// TransferRepo gives a repository to another owner, at once as a site
// administrator does. No webhook tells; only the new owner's feed does.
func (g *Gitea) TransferRepo(path, owner string) error {
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
	from, old := r.owner, r.path()
	if err := g.move(r, to, r.name); err != nil {
		return err
	}
	for _, t := range from.teams {
		delete(t.repos, r)
	}
	for _, t := range to.teams {
		if t.all {
			t.repos[r] = true
		}
	}
	delete(r.collaborators, to)
	g.recalculate(r)
	g.record(to, g.byLogin[fold(g.opt.Admin)], "transfer_repo", r, old)
	return nil
}

func (g *Gitea) move(r *repo, owner *account, name string) error {
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

// SetVisibility makes a repository private or not. No webhook tells.
func (g *Gitea) SetVisibility(path string, private bool) error {
	return g.change(path, func(r *repo) { r.private = private; g.recalculate(r) })
}

// SetArchived archives a repository, or brings it back. No webhook tells; it
// stays in everybody's list (measured).
func (g *Gitea) SetArchived(path string, archived bool) error {
	return g.change(path, func(r *repo) { r.archived = archived })
}

// AddTeamRepo gives a team a repository. No webhook tells.
func (g *Gitea) AddTeamRepo(org, team, path string) error {
	return g.change(path, func(r *repo) { g.recalculate(r) }, func(r *repo) error {
		t, err := g.team(org, team)
		if err == nil {
			t.repos[r] = true
		}
		return err
	})
}

// RemoveTeamRepo takes a repository from a team. No webhook tells. Of a team
// that has all repositories Gitea ignores that without a word
// (services/repository/repo_team.go, RemoveRepositoryFromTeam).
func (g *Gitea) RemoveTeamRepo(org, team, path string) error {
	return g.change(path, func(r *repo) { g.recalculate(r) }, func(r *repo) error {
		t, err := g.team(org, team)
		if err == nil && !t.all {
			delete(t.repos, r)
		}
		return err
	})
}

// AddCollaborator grants a user access to one repository, or changes it. No
// webhook tells. The row that lists look at is written for this user alone,
// which on any repository that is not private wants at least Write
// (models/perm/access/access.go, RecalculateUserAccess).
func (g *Gitea) AddCollaborator(path, login string, p providers.Permission) error {
	return g.change(path, func(*repo) {}, func(r *repo) error {
		u, err := g.user(login)
		if err == nil {
			r.collaborators[u] = &collaboration{permission: p, listed: r.private || p >= providers.Write}
		}
		return err
	})
}

// RemoveCollaborator takes a direct grant back. No webhook tells.
func (g *Gitea) RemoveCollaborator(path, login string) error {
	return g.change(path, func(*repo) {}, func(r *repo) error {
		u, err := g.user(login)
		if err == nil {
			delete(r.collaborators, u)
		}
		return err
	})
}

// change applies do to a repository once every check has passed.
func (g *Gitea) change(path string, do func(*repo), checks ...func(*repo) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	for _, check := range checks {
		if err := check(r); err != nil {
			return err
		}
	}
	do(r)
	g.render(r)
	g.version++
	return nil
}

func (g *Gitea) repo(path string) (*repo, error) {
	if r := g.byPath[fold(path)]; r != nil {
		return r, nil
	}
	return nil, unknown("repository", path)
}

func (g *Gitea) actor(login string) (*account, error) {
	if login == "" {
		login = g.opt.Admin
	}
	return g.user(login)
}

// repo is the repository in hookd's words.
func (r *repo) repo() providers.Repo {
	out := providers.Repo{
		ID: strconv.FormatInt(r.id, 10), Path: r.path(), Created: r.created.UTC().Truncate(time.Second),
		Org:        providers.Org{ID: strconv.FormatInt(r.owner.id, 10), Name: r.owner.login},
		Visibility: providers.Public, Archived: r.archived, Fork: r.parent != nil,
	}
	if r.private {
		out.Visibility = providers.Private
	} else if r.owner.visibility == "private" {
		out.Visibility = providers.Internal
	}
	return out
}
