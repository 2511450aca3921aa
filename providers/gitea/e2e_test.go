package gitea_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

// TestForgeAgainstARealGitea runs the very suite of the simulator against a
// Gitea whose site administrator's token is given. What it creates has names
// of its own and is deleted afterwards.
func TestForgeAgainstARealGitea(t *testing.T) {
	url := os.Getenv("HOOKD_E2E_GITEA_URL")
	if url == "" {
		t.Skip("HOOKD_E2E_GITEA_URL is not set; the same contract runs against the simulated Gitea")
	}
	raw, err := os.ReadFile(os.Getenv("HOOKD_E2E_GITEA_TOKEN_FILE"))
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(string(raw))
	c, err := sdk.NewClient(url, sdk.SetToken(token))
	if err != nil {
		t.Fatal(err)
	}
	f, err := gitea.New(gitea.Config{URL: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	w := &realWorld{t: t, c: c, f: f}
	t.Cleanup(w.clear)
	providerstest.RunForge(t, w)
}

// realWorld changes a real Gitea through its API.
type realWorld struct {
	t *testing.T
	c *sdk.Client
	f *gitea.Forge

	users, orgs []string
	repos       []int64
}

// clear deletes what was created, in the order in which Gitea lets go of it.
func (w *realWorld) clear() {
	gone := func(what string, err error) {
		if err != nil {
			w.t.Errorf("deleting %s: %v", what, err)
		}
	}
	for _, n := range w.repos { // under whatever names they have by now
		if r, _, err := w.c.GetRepoByID(n); err == nil {
			_, err = w.c.DeleteRepo(r.Owner.UserName, r.Name)
			gone(r.FullName, err)
		}
	}
	for _, o := range w.orgs {
		_, err := w.c.DeleteOrg(o)
		gone(o, err)
	}
	for _, u := range w.users {
		_, err := w.c.AdminDeleteUser(u)
		gone(u, err)
	}
}

var _ providerstest.Privileged = (*realWorld)(nil)

func (w *realWorld) Forge() providers.Forge { return w.f }

func (w *realWorld) CreateUser(login string) (providers.User, error) {
	no := false
	u, _, err := w.c.AdminCreateUser(sdk.CreateUserOption{
		Username: login, Email: login + "@example.com", Password: "Pw-" + login + "-1", MustChangePassword: &no,
	})
	if err != nil {
		return providers.User{}, err
	}
	w.users = append(w.users, login)
	return providers.User{ID: id(u.ID), Login: u.UserName}, nil
}

func (w *realWorld) CreateOrg(name, visibility string) (providers.Org, error) {
	o, _, err := w.c.CreateOrg(sdk.CreateOrgOption{Name: name, Visibility: sdk.VisibleType(visibility)})
	if err != nil {
		return providers.Org{}, err
	}
	w.orgs = append(w.orgs, name)
	return providers.Org{ID: id(o.ID), Name: o.Name}, nil
}

func (w *realWorld) CreateTeam(o providers.Org, name string, p providers.Permission, all bool) (providers.Team, error) {
	units := []sdk.RepoUnitType{sdk.RepoUnitCode, sdk.RepoUnitIssues}
	if p == providers.None {
		p, units = providers.Read, units[1:]
	}
	t, _, err := w.c.CreateTeam(o.Name, sdk.CreateTeamOption{
		Name: name, Permission: sdk.AccessMode(p.String()), IncludesAllRepositories: all, Units: units,
	})
	if err != nil {
		return providers.Team{}, err
	}
	return providers.Team{ID: id(t.ID), Name: t.Name}, nil
}

func (w *realWorld) AddMember(_ providers.Org, t providers.Team, u providers.User) error {
	_, err := w.c.AddTeamMember(number(t.ID), u.Login)
	return err
}

func (w *realWorld) RemoveMember(_ providers.Org, t providers.Team, u providers.User) error {
	_, err := w.c.RemoveTeamMember(number(t.ID), u.Login)
	return err
}

func (w *realWorld) AddTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	_, err := w.c.AddTeamRepository(number(t.ID), o.Name, name(r))
	return err
}

func (w *realWorld) RemoveTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error {
	_, err := w.c.RemoveTeamRepository(number(t.ID), o.Name, name(r))
	return err
}

func (w *realWorld) CreateRepo(owner, name string, private bool) (providers.Repo, error) {
	opt := sdk.CreateRepoOption{Name: name, Private: private}
	var r *sdk.Repository
	var err error
	if _, _, notOrg := w.c.GetOrg(owner); notOrg != nil {
		r, _, err = w.c.AdminCreateRepo(owner, opt)
	} else {
		r, _, err = w.c.CreateOrgRepo(owner, opt)
	}
	if err != nil {
		return providers.Repo{}, err
	}
	w.repos = append(w.repos, r.ID)
	return w.f.Repo(w.t.Context(), id(r.ID))
}

func (w *realWorld) edit(r providers.Repo, opt sdk.EditRepoOption) error {
	_, _, err := w.c.EditRepo(r.Org.Name, name(r), opt)
	return err
}

func (w *realWorld) RenameRepo(r providers.Repo, to string) error {
	return w.edit(r, sdk.EditRepoOption{Name: &to})
}

func (w *realWorld) TransferRepo(r providers.Repo, owner string) error {
	_, _, err := w.c.TransferRepo(r.Org.Name, name(r), sdk.TransferRepoOption{NewOwner: owner})
	return err
}

func (w *realWorld) SetVisibility(r providers.Repo, private bool) error {
	return w.edit(r, sdk.EditRepoOption{Private: &private})
}

func (w *realWorld) SetArchived(r providers.Repo, archived bool) error {
	return w.edit(r, sdk.EditRepoOption{Archived: &archived})
}

func (w *realWorld) DeleteRepo(r providers.Repo) error {
	_, err := w.c.DeleteRepo(r.Org.Name, name(r))
	return err
}

func (w *realWorld) AddCollaborator(r providers.Repo, u providers.User, p providers.Permission) error {
	mode := sdk.AccessMode(p.String())
	_, err := w.c.AddCollaborator(r.Org.Name, name(r), u.Login, sdk.AddCollaboratorOption{Permission: &mode})
	return err
}

func (w *realWorld) RemoveCollaborator(r providers.Repo, u providers.User) error {
	_, err := w.c.DeleteCollaborator(r.Org.Name, name(r), u.Login)
	return err
}

func (w *realWorld) AddFile(r providers.Repo, file string) error {
	_, _, err := w.c.CreateFile(r.Org.Name, name(r), file, sdk.CreateFileOptions{Content: "a2luZDogcGlwZWxpbmUK"})
	return err
}

func (w *realWorld) SetTopics(r providers.Repo, topics ...string) error {
	_, err := w.c.SetRepoTopics(r.Org.Name, name(r), topics)
	return err
}

func (w *realWorld) AddRepoHook(r providers.Repo, address string) error {
	_, _, err := w.c.CreateRepoHook(r.Org.Name, name(r), sdk.CreateHookOption{
		Type: sdk.HookTypeGitea, Config: map[string]string{"url": address, "content_type": "json"}, Events: []string{"push"}, Active: true,
	})
	return err
}

func (w *realWorld) SetRestricted(u providers.User, restricted bool) error {
	_, err := w.c.AdminEditUser(u.Login, sdk.EditUserOption{LoginName: u.Login, Restricted: &restricted})
	return err
}

func (w *realWorld) SetSiteAdmin(u providers.User, admin bool) error {
	_, err := w.c.AdminEditUser(u.Login, sdk.EditUserOption{LoginName: u.Login, Admin: &admin})
	return err
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func number(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		panic(err) // ids come from this file
	}
	return n
}

func name(r providers.Repo) string {
	_, n, _ := strings.Cut(r.Path, "/")
	return n
}
