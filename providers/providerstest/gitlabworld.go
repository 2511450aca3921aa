package providerstest

import "github.com/hookd/hookd/providers"

// World makes g a world for RunForge, read through f. A private organization
// is an internal group here: a private one cannot hold what is not private.
func (g *GitLab) World(f providers.Forge) World { return gitlabWorld{g, f} }

type gitlabWorld struct {
	g *GitLab
	f providers.Forge
}

func (w gitlabWorld) Forge() providers.Forge { return w.f }

func (w gitlabWorld) CreateUser(login string) (providers.User, error) { return w.g.CreateUser(login) }

func (w gitlabWorld) CreateOrg(name, visibility string) (providers.Org, error) {
	if visibility == "private" {
		visibility = string(providers.Internal)
	}
	return w.g.CreateOrg(name, visibility)
}

func (w gitlabWorld) CreateTeam(o providers.Org, name string, p providers.Permission, all bool) (providers.Team, error) {
	return w.g.CreateTeam(o.Name, name, p, all)
}

func (w gitlabWorld) AddMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.AddMember(o.Name, t.Name, u.Login)
}

func (w gitlabWorld) RemoveMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.RemoveMember(o.Name, t.Name, u.Login)
}

func (w gitlabWorld) AddTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.AddTeamRepo(o.Name, t.Name, r.Path)
}

func (w gitlabWorld) RemoveTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.RemoveTeamRepo(o.Name, t.Name, r.Path)
}

func (w gitlabWorld) CreateRepo(owner, name string, private bool) (providers.Repo, error) {
	spec := GitLabProject{Owner: owner, Name: name, Private: private}
	w.g.mu.RLock()
	if n, err := w.g.group(owner); err == nil && !private {
		spec.Visibility = n.visibility
	}
	w.g.mu.RUnlock()
	return w.g.CreateRepo(spec)
}

func (w gitlabWorld) RenameRepo(r providers.Repo, name string) error {
	return w.g.RenameRepo(r.Path, name)
}

func (w gitlabWorld) TransferRepo(r providers.Repo, owner string) error {
	return w.g.TransferRepo(r.Path, owner)
}

func (w gitlabWorld) SetVisibility(r providers.Repo, private bool) error {
	return w.g.SetVisibility(r.Path, private)
}

func (w gitlabWorld) SetArchived(r providers.Repo, archived bool) error {
	return w.g.SetArchived(r.Path, archived)
}

func (w gitlabWorld) DeleteRepo(r providers.Repo) error { return w.g.DeleteRepo(r.Path) }

func (w gitlabWorld) AddCollaborator(r providers.Repo, u providers.User, p providers.Permission) error {
	return w.g.AddCollaborator(r.Path, u.Login, p)
}

func (w gitlabWorld) RemoveCollaborator(r providers.Repo, u providers.User) error {
	return w.g.RemoveCollaborator(r.Path, u.Login)
}

func (w gitlabWorld) AddFile(r providers.Repo, file string) error { return w.g.AddFile(r.Path, file) }

func (w gitlabWorld) SetTopics(r providers.Repo, topics ...string) error {
	return w.g.SetTopics(r.Path, topics...)
}

func (w gitlabWorld) AddRepoHook(r providers.Repo, address string) error {
	return w.g.AddRepoHook(r.Path, address)
}
