package providerstest

import "github.com/hookd/hookd/providers"

// World makes g a world for RunForge, read through f.
func (g *Gitea) World(f providers.Forge) World { return giteaWorld{g, f} }

type giteaWorld struct {
	g *Gitea
	f providers.Forge
}

var _ Privileged = giteaWorld{}

func (w giteaWorld) Forge() providers.Forge { return w.f }

func (w giteaWorld) CreateUser(login string) (providers.User, error) { return w.g.CreateUser(login) }

func (w giteaWorld) CreateOrg(name, visibility string) (providers.Org, error) {
	return w.g.CreateOrg(name, visibility)
}

func (w giteaWorld) CreateTeam(o providers.Org, name string, p providers.Permission, all bool) (providers.Team, error) {
	return w.g.CreateTeam(o.Name, name, p, all)
}

func (w giteaWorld) AddMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.AddMember(o.Name, t.Name, u.Login)
}

func (w giteaWorld) RemoveMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.RemoveMember(o.Name, t.Name, u.Login)
}

func (w giteaWorld) AddTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.AddTeamRepo(o.Name, t.Name, r.Path)
}

func (w giteaWorld) RemoveTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.RemoveTeamRepo(o.Name, t.Name, r.Path)
}

func (w giteaWorld) CreateRepo(owner, name string, private bool) (providers.Repo, error) {
	return w.g.CreateRepo(GiteaRepo{Owner: owner, Name: name, Private: private, By: w.creator(owner)})
}

// creator is the owner himself for a personal repository.
func (w giteaWorld) creator(owner string) string {
	w.g.mu.RLock()
	defer w.g.mu.RUnlock()
	if u, err := w.g.user(owner); err == nil {
		return u.login
	}
	return ""
}

func (w giteaWorld) RenameRepo(r providers.Repo, name string) error {
	return w.g.RenameRepo(r.Path, name)
}

func (w giteaWorld) TransferRepo(r providers.Repo, owner string) error {
	return w.g.TransferRepo(r.Path, owner)
}

func (w giteaWorld) SetVisibility(r providers.Repo, private bool) error {
	return w.g.SetVisibility(r.Path, private)
}

func (w giteaWorld) SetArchived(r providers.Repo, archived bool) error {
	return w.g.SetArchived(r.Path, archived)
}

func (w giteaWorld) DeleteRepo(r providers.Repo) error { return w.g.DeleteRepo(r.Path) }

func (w giteaWorld) AddCollaborator(r providers.Repo, u providers.User, p providers.Permission) error {
	return w.g.AddCollaborator(r.Path, u.Login, p)
}

func (w giteaWorld) RemoveCollaborator(r providers.Repo, u providers.User) error {
	return w.g.RemoveCollaborator(r.Path, u.Login)
}

func (w giteaWorld) SetRestricted(u providers.User, restricted bool) error {
	return w.g.SetRestricted(u.Login, restricted)
}

func (w giteaWorld) SetSiteAdmin(u providers.User, admin bool) error {
	return w.g.SetSiteAdmin(u.Login, admin)
}

func (w giteaWorld) AddFile(r providers.Repo, file string) error { return w.g.AddFile(r.Path, file) }

func (w giteaWorld) SetTopics(r providers.Repo, topics ...string) error {
	return w.g.SetTopics(r.Path, topics...)
}

func (w giteaWorld) AddRepoHook(r providers.Repo, address string) error {
	return w.g.AddRepoHook(r.Path, address)
}
