package providerstest

import "github.com/hookd/hookd/providers"

// World makes g a world for RunForge, read through f.
func (g *GitHub) World(f providers.Forge) World { return githubWorld{g, f} }

type githubWorld struct {
	g *GitHub
	f providers.Forge
}

var _ Impersonal = githubWorld{}

func (w githubWorld) Impersonal() {}

func (w githubWorld) Forge() providers.Forge { return w.f }

func (w githubWorld) CreateUser(login string) (providers.User, error) { return w.g.CreateUser(login) }

func (w githubWorld) CreateOrg(name, visibility string) (providers.Org, error) {
	return w.g.CreateOrg(name, visibility)
}

func (w githubWorld) CreateTeam(o providers.Org, name string, p providers.Permission, all bool) (providers.Team, error) {
	return w.g.CreateTeam(o.Name, name, p, all)
}

func (w githubWorld) AddMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.AddMember(o.Name, t.Name, u.Login)
}

func (w githubWorld) RemoveMember(o providers.Org, t providers.Team, u providers.User) error {
	return w.g.RemoveMember(o.Name, t.Name, u.Login)
}

func (w githubWorld) AddTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.AddTeamRepo(o.Name, t.Name, r.Path)
}

func (w githubWorld) RemoveTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	return w.g.RemoveTeamRepo(o.Name, t.Name, r.Path)
}

func (w githubWorld) CreateRepo(owner, name string, private bool) (providers.Repo, error) {
	return w.g.CreateRepo(GitHubRepo{Owner: owner, Name: name, Private: private, By: w.creator(owner)})
}

// creator is the owner himself for a personal repository.
func (w githubWorld) creator(owner string) string {
	w.g.mu.RLock()
	defer w.g.mu.RUnlock()
	if u, err := w.g.user(owner); err == nil {
		return u.login
	}
	return ""
}

func (w githubWorld) RenameRepo(r providers.Repo, name string) error {
	return w.g.RenameRepo(r.Path, name)
}

func (w githubWorld) TransferRepo(r providers.Repo, owner string) error {
	return w.g.TransferRepo(r.Path, owner)
}

func (w githubWorld) SetVisibility(r providers.Repo, private bool) error {
	return w.g.SetVisibility(r.Path, private)
}

func (w githubWorld) SetArchived(r providers.Repo, archived bool) error {
	return w.g.SetArchived(r.Path, archived)
}

func (w githubWorld) DeleteRepo(r providers.Repo) error { return w.g.DeleteRepo(r.Path) }

func (w githubWorld) AddCollaborator(r providers.Repo, u providers.User, p providers.Permission) error {
	return w.g.AddCollaborator(r.Path, u.Login, p)
}

func (w githubWorld) RemoveCollaborator(r providers.Repo, u providers.User) error {
	return w.g.RemoveCollaborator(r.Path, u.Login)
}

func (w githubWorld) AddFile(r providers.Repo, file string) error { return w.g.AddFile(r.Path, file) }

func (w githubWorld) SetTopics(r providers.Repo, topics ...string) error {
	return w.g.SetTopics(r.Path, topics...)
}

func (w githubWorld) AddRepoHook(r providers.Repo, address string) error {
	return w.g.AddRepoHook(r.Path, address)
}
