package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// A past makes random changes to the forge of an estate, and lets their
// deliveries arrive in any order, twice, or not at all. What it does depends on
// its seed alone.
type past struct {
	*estate
	rand   *rand.Rand
	teams  []crew
	serial int
	did    []string
	late   []parcel
}

type crew struct {
	org  string
	team providers.Team
}

// parcel is a delivery under way.
type parcel struct {
	due int // the number of the change after which it arrives
	d   letter
}

func newPast(e *estate, seed uint64) *past {
	return &past{estate: e, rand: rand.New(rand.NewPCG(seed, 0))}
}

// deed is a kind of change. It fails where the forge refuses it, which is no
// change then.
type deed struct {
	name   string
	weight int
	do     func(p *past) error
}

var deeds = []deed{
	{"create", 14, (*past).create},
	{"delete", 8, func(p *past) error { return p.onRepo(p.world.DeleteRepo) }},
	{"recreate", 3, (*past).recreate},
	{"rename", 6, func(p *past) error {
		return p.onRepo(func(r providers.Repo) error { return p.world.RenameRepo(r, p.name("n")) })
	}},
	{"swap", 4, (*past).swap},
	{"transfer", 8, (*past).transfer},
	{"visibility", 5, func(p *past) error {
		return p.onRepo(func(r providers.Repo) error { return p.world.SetVisibility(r, p.rand.IntN(2) == 0) })
	}},
	{"archive", 5, func(p *past) error {
		return p.onRepo(func(r providers.Repo) error { return p.world.SetArchived(r, !r.Archived) })
	}},
	{"team", 3, (*past).team},
	{"join", 10, func(p *past) error { return p.onMember(p.world.AddMember) }},
	{"leave", 7, func(p *past) error { return p.onMember(p.world.RemoveMember) }},
	{"reach", 9, func(p *past) error { return p.onTeamRepo(p.world.AddTeamRepo) }},
	{"unreach", 6, func(p *past) error { return p.onTeamRepo(p.world.RemoveTeamRepo) }},
	{"collaborate", 7, func(p *past) error {
		return p.onRepo(func(r providers.Repo) error {
			return p.world.AddCollaborator(r, p.user(), providers.Permission(1+p.rand.IntN(3)))
		})
	}},
	{"stop", 5, func(p *past) error {
		return p.onRepo(func(r providers.Repo) error { return p.world.RemoveCollaborator(r, p.user()) })
	}},
	{"user", 2, (*past).person},
	{"rename user", 2, (*past).renameUser},
	{"delete user", 1, (*past).deleteUser},
	{"rename organization", 1, (*past).renameOrg},
	{"delete team", 3, (*past).deleteTeam},
	{"fork", 2, (*past).fork},
	{"standing", 4, (*past).standing},
	{"level", 4, (*past).level},
	{"group", 6, (*past).group},
	{"share", 5, (*past).share},
	{"pend", 5, (*past).pend},
	{"expire", 4, (*past).expire},
	{"night", 2, (*past).night},
}

func pick[T any](p *past, all []T) (v T) {
	if len(all) == 0 {
		return v
	}
	return all[p.rand.IntN(len(all))]
}

func (p *past) name(prefix string) string {
	p.serial++
	return fmt.Sprint(prefix, p.serial)
}

func (p *past) user() providers.User {
	users := p.forge.Users()
	return pick(p, slices.DeleteFunc(users, func(u providers.User) bool { return u.Login == "gitadmin" }))
}

func (p *past) org() providers.Org {
	return p.orgs[pick(p, []string{"acme", "acme", "acme", "beta", "beta", "other"})]
}

var errNothing = fmt.Errorf("there is nothing to change")

func (p *past) onRepo(do func(providers.Repo) error) error {
	r := pick(p, p.forge.Repos())
	if r.ID == "" {
		return errNothing
	}
	return do(r)
}

func (p *past) onMember(do func(providers.Org, providers.Team, providers.User) error) error {
	c, u := pick(p, p.teams), p.user()
	if c.org == "" || u.ID == "" {
		return errNothing
	}
	return do(p.orgs[c.org], c.team, u)
}

// onTeamRepo takes a repository of the team's organization.
func (p *past) onTeamRepo(do func(providers.Org, providers.Team, providers.Repo) error) error {
	c := pick(p, p.teams)
	if c.org == "" {
		return errNothing
	}
	r := pick(p, slices.DeleteFunc(p.forge.Repos(), func(r providers.Repo) bool { return r.Org.ID != p.orgs[c.org].ID }))
	if r.ID == "" {
		return errNothing
	}
	return do(p.orgs[c.org], c.team, r)
}

// create keeps lists short enough for the shrink guard to have no say.
func (p *past) create() error {
	if len(p.forge.Repos()) > 18 {
		return p.onRepo(p.world.DeleteRepo)
	}
	_, err := p.world.CreateRepo(p.org().Name, p.name("r"), p.rand.IntN(4) > 0)
	return err
}

func (p *past) recreate() error {
	return p.onRepo(func(r providers.Repo) error {
		if err := p.world.DeleteRepo(r); err != nil || r.Org.Personal {
			return err
		}
		_, err := p.world.CreateRepo(ownerOf(r.Path), nameOf(r.Path), true)
		return err
	})
}

func (p *past) swap() error {
	a := pick(p, p.forge.Repos())
	others := slices.DeleteFunc(p.forge.Repos(), func(r providers.Repo) bool { return r.ID == a.ID || ownerOf(r.Path) != ownerOf(a.Path) })
	b := pick(p, others)
	if b.ID == "" {
		return errNothing
	}
	owner, tmp := ownerOf(a.Path), p.name("tmp")
	if err := p.world.RenameRepo(a, tmp); err != nil {
		return err
	}
	if err := p.world.RenameRepo(b, nameOf(a.Path)); err != nil {
		return err
	}
	return p.world.RenameRepo(providers.Repo{ID: a.ID, Path: owner + "/" + tmp}, nameOf(b.Path))
}

func (p *past) transfer() error {
	to := p.org().Name
	if p.rand.IntN(5) == 0 {
		to = p.user().Login
	}
	return p.onRepo(func(r providers.Repo) error {
		if ownerOf(r.Path) == to {
			return errNothing
		}
		return p.world.TransferRepo(r, to)
	})
}

func (p *past) team() error {
	org := pick(p, []string{"acme", "acme", "beta"})
	t, err := p.world.CreateTeam(p.orgs[org], p.name("team"), providers.Permission(1+p.rand.IntN(3)), p.rand.IntN(4) == 0)
	if err == nil {
		p.teams = append(p.teams, crew{org, t})
	}
	return err
}

// person is somebody new, who may or may not use the CI server.
func (p *past) person() error {
	login := p.name("user")
	if _, err := p.world.CreateUser(login); err != nil {
		return err
	}
	if p.rand.IntN(2) == 0 {
		p.logsIn(login)
	}
	return nil
}

// renameUser: under his new login he is somebody new to the CI server.
func (p *past) renameUser() error {
	u, to := p.user(), p.name("renamed")
	if err := p.forge.RenameAccount(u.Login, to); err != nil {
		return err
	}
	if slices.Contains(p.drone.Logins(), u.Login) {
		p.logsIn(to)
	}
	return nil
}

func (p *past) deleteUser() error {
	if len(p.forge.Users()) < 6 {
		return errNothing
	}
	return p.forge.DeleteUser(p.user().Login)
}

func (p *past) renameOrg() error {
	name := pick(p, []string{"acme", "beta", "other"})
	o := p.orgs[name]
	to := p.name(name)
	if err := p.forge.RenameAccount(o.Name, to); err != nil {
		return err
	}
	o.Name = to
	p.orgs[name] = o
	return nil
}

func (p *past) deleteTeam() error {
	type deleter interface{ DeleteTeam(org, name string) error }
	i := p.rand.IntN(max(len(p.teams), 1))
	f, can := p.forge.(deleter)
	if !can || i >= len(p.teams) {
		return errNothing
	}
	c := p.teams[i]
	p.teams = slices.Delete(p.teams, i, i+1)
	return f.DeleteTeam(p.orgs[c.org].Name, c.team.Name)
}

func (p *past) fork() error {
	to := p.org().Name
	return p.onRepo(func(r providers.Repo) error {
		var err error
		switch f := p.forge.(type) {
		case *providerstest.Gitea:
			_, err = f.Fork(r.Path, to, "")
		case *providerstest.GitHub:
			_, err = f.Fork(r.Path, to, "")
		case *providerstest.GitLab:
			_, err = f.Fork(r.Path, to)
		}
		return err
	})
}

// standing changes what somebody is to the organization or the instance.
func (p *past) standing() error {
	u, org := p.user(), pick(p, []string{"acme", "beta"})
	name := p.orgs[org].Name
	switch f := p.forge.(type) {
	case *providerstest.Gitea:
		if p.rand.IntN(2) == 0 {
			return f.SetRestricted(u.Login, p.rand.IntN(2) == 0)
		}
		return f.SetSiteAdmin(u.Login, p.rand.IntN(3) == 0)
	case *providerstest.GitHub:
		switch p.rand.IntN(7) {
		case 0:
			return f.AddToOrg(name, u.Login, true)
		case 1:
			return f.AddToOrg(name, u.Login, false)
		case 3:
			return f.SuspendUser(u.Login, p.rand.IntN(3) == 0)
		case 2:
			return f.SetBasePermission(name, providers.Permission(p.rand.IntN(3)))
		}
		return f.RemoveFromOrg(name, u.Login)
	case *providerstest.GitLab:
		return f.SetState(u.Login, pick(p, []string{"active", "active", "blocked", "banned", "deactivated"}))
	}
	return errNothing
}

// level changes how much is granted, not whether.
func (p *past) level() error {
	u := p.user()
	switch f := p.forge.(type) {
	case *providerstest.GitHub:
		if p.rand.IntN(3) == 0 {
			return p.onRepo(func(r providers.Repo) error { return f.SetInternal(r.Path) })
		}
		return p.onTeamRepo(func(o providers.Org, t providers.Team, r providers.Repo) error {
			return f.SetTeamPermission(o.Name, t.Name, r.Path, providers.Permission(1+p.rand.IntN(3)))
		})
	case *providerstest.GitLab:
		level := pick(p, []int{
			providerstest.GitLabMinimal, providerstest.GitLabGuest, providerstest.GitLabPlanner, providerstest.GitLabReporter,
			providerstest.GitLabDeveloper, providerstest.GitLabMaintainer, providerstest.GitLabOwner,
		})
		if p.rand.IntN(2) == 0 {
			return p.onRepo(func(r providers.Repo) error { return f.AddProjectMember(r.Path, u.Login, level) })
		}
		return f.AddGroupMember(p.orgs[pick(p, []string{"acme", "beta"})].Name, u.Login, level)
	}
	return errNothing
}

// group changes what lies inside an organization: subgroups, child teams.
func (p *past) group() error {
	org := pick(p, []string{"acme", "beta"})
	switch f := p.forge.(type) {
	case *providerstest.GitHub:
		c := pick(p, p.teams)
		if c.org == "" {
			return errNothing
		}
		t, err := f.CreateChildTeam(p.orgs[c.org].Name, p.name("child"), c.team.Name, providers.Read)
		if err == nil {
			p.teams = append(p.teams, crew{c.org, t})
		}
		return err
	case *providerstest.GitLab:
		path := p.orgs[org].Name + "/" + pick(p, []string{"sub", "sub2"})
		switch p.rand.IntN(5) {
		case 0:
			_, err := f.CreateGroup(path, string(providers.Internal))
			return err
		case 1:
			return f.DeleteGroup(path)
		case 2:
			return f.AddGroupMember(path, p.user().Login, providerstest.GitLabDeveloper)
		case 3:
			return f.RemoveGroupMember(path, p.user().Login)
		}
		_, err := f.CreateRepo(providerstest.GitLabProject{Owner: path, Name: p.name("p"), Private: true})
		return err
	}
	return errNothing
}

// share is GitLab's: groups invited to groups and projects.
func (p *past) share() error {
	f, is := p.forge.(*providerstest.GitLab)
	if !is {
		return errNothing
	}
	level := pick(p, []int{0, providerstest.GitLabGuest, providerstest.GitLabDeveloper})
	if p.rand.IntN(2) == 0 {
		return p.onRepo(func(r providers.Repo) error { return f.ShareProject(r.Path, p.org().Name, level) })
	}
	a, b := p.org().Name, p.org().Name
	if a == b {
		return errNothing
	}
	return f.ShareGroup(a, b, level)
}

// pend makes or ends what is no access yet: invitations, requests for access,
// memberships that wait for consent.
func (p *past) pend() error {
	u, org := p.user(), p.orgs[pick(p, []string{"acme", "beta"})].Name
	permission := providers.Permission(1 + p.rand.IntN(3))
	n := p.rand.IntN(4)
	switch f := p.forge.(type) {
	case *providerstest.GitHub:
		switch n {
		case 0:
			return f.InviteToOrg(org, u.Login)
		case 1:
			return f.AcceptMembership(org, u.Login)
		}
		return p.onRepo(func(r providers.Repo) error {
			if n == 2 {
				return f.InviteCollaborator(r.Path, u.Login, permission)
			}
			return f.AcceptCollaboration(r.Path, u.Login)
		})
	case *providerstest.GitLab:
		if n == 0 {
			return f.RequestAccess(org, u.Login)
		}
		return p.onRepo(func(r providers.Repo) error {
			switch n {
			case 1:
				return f.RequestAccess(r.Path, u.Login)
			case 2:
				return f.SetCustomRole(r.Path, u.Login, "auditor", providerstest.GitLabLevel(permission))
			}
			return f.HoldCollaborator(r.Path, u.Login, p.rand.IntN(2) == 0)
		})
	}
	return errNothing
}

// expire gives a membership or share of GitLab's a last day, which is over.
func (p *past) expire() error {
	f, is := p.forge.(*providerstest.GitLab)
	if !is {
		return errNothing
	}
	u, org := p.user(), p.orgs[pick(p, []string{"acme", "beta"})].Name
	switch p.rand.IntN(3) {
	case 0:
		return f.ExpireGroupMember(org, u.Login, time.Now())
	case 1:
		return p.onRepo(func(r providers.Repo) error { return f.ExpireProjectShare(r.Path, p.org().Name, time.Now()) })
	}
	return p.onRepo(func(r providers.Repo) error { return f.ExpireCollaborator(r.Path, u.Login, time.Now()) })
}

// night is when GitLab takes away what is over.
func (p *past) night() error {
	f, is := p.forge.(*providerstest.GitLab)
	if !is {
		return errNothing
	}
	return f.RemoveExpired()
}

func ownerOf(path string) string { return path[:lastSlash(path)] }
func nameOf(path string) string  { return path[lastSlash(path)+1:] }

func lastSlash(path string) int {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return 0
}

// step makes one change, hands out what is due of the deliveries, and lets some
// time pass.
func (p *past) step() {
	p.t.Helper()
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	for try := 0; try < 20; try++ {
		n := p.rand.IntN(total)
		i := 0
		for n >= deeds[i].weight {
			n -= deeds[i].weight
			i++
		}
		heard, err := p.change(func() error { return deeds[i].do(p) })
		p.send(heard)
		if err == nil {
			p.did = append(p.did, deeds[i].name)
			break
		}
	}
	p.arrive(len(p.did))
	time.Sleep(time.Duration(p.rand.IntN(45)) * time.Second)
}

// send loses 3 of 10 deliveries, doubles one of 5, and holds any of them back
// for some changes.
func (p *past) send(heard []letter) {
	for _, d := range heard {
		copies := 1
		switch n := p.rand.IntN(10); {
		case n < 3:
			copies = 0
		case n < 5:
			copies = 2
		}
		for range copies {
			p.late = append(p.late, parcel{due: len(p.did) + p.rand.IntN(8), d: d})
		}
	}
}

// arrive hands over what is due after change n.
func (p *past) arrive(n int) {
	p.rand.Shuffle(len(p.late), func(i, j int) { p.late[i], p.late[j] = p.late[j], p.late[i] })
	p.late = slices.DeleteFunc(p.late, func(x parcel) bool {
		if x.due > n {
			return false
		}
		p.hear(x.d)
		return true
	})
}
