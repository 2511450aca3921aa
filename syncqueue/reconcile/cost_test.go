package reconcile_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

var (
	large  = flag.Bool("large", false, "count at 500 members and 2,000 repositories: some minutes, and 3 GB")
	update = flag.Bool("update", false, "write the goldens anew, and with -large the README")
)

// A cost is one kind of change, what makes it, and how hookd hears of it.
type cost struct {
	name string
	make func(f *priced) error
	poll map[string]string                // by kind of forge, what finds it where no webhook tells
	only string                           // the one kind of forge that knows such a thing; "" for all
	who  func(f *priced) []providers.User // whom it concerns; nil for everybody
}

const (
	inMembers = syncqueue.PollMembers
	inRepos   = syncqueue.PollRepos
)

var (
	giteaMembers = map[string]string{"gitea": inMembers}
	giteaRepos   = map[string]string{"gitea": inRepos}
	unlessGitHub = map[string]string{"gitea": inMembers, "gitlab": inMembers}
)

// costs are all kinds of change, each to be made after those before it.
func costs() []cost {
	var app providers.Repo // acme/app, as it is called now
	at := func(path string) providers.Repo { app.Path = path; return app }
	team := func(f *priced) []providers.User { return []providers.User{f.users[0], f.users[1], f.users[f.people-1]} }
	joiner := func(f *priced) []providers.User { return []providers.User{f.joiner()} }
	guest := func(f *priced) []providers.User { return []providers.User{f.guest()} }
	return []cost{
		{name: "repository created", make: func(f *priced) (err error) {
			app, err = f.world.CreateRepo("acme", "app", true)
			return err
		}},
		{name: "repository renamed", poll: giteaRepos, make: func(f *priced) error {
			return f.world.RenameRepo(app, "tool")
		}},
		{name: "repository archived", poll: giteaRepos, make: func(f *priced) error {
			return f.world.SetArchived(at("acme/tool"), true)
		}},
		{name: "repository publicized", poll: giteaRepos, make: func(f *priced) error {
			return f.world.SetVisibility(app, false)
		}},
		{name: "repository privatized", poll: giteaRepos, make: func(f *priced) error {
			return f.world.SetVisibility(app, true)
		}},
		{name: "repository transferred out", poll: map[string]string{"gitea": inRepos, "github": inRepos}, make: func(f *priced) error {
			return f.world.TransferRepo(app, "elsewhere")
		}},
		{name: "repository transferred in", poll: giteaRepos, make: func(f *priced) error {
			return f.world.TransferRepo(at("elsewhere/tool"), "acme")
		}},
		{name: "team gains a repository (GitLab: a project is shared with a group)", poll: unlessGitHub, who: team, make: func(f *priced) error {
			return f.world.AddTeamRepo(f.org, f.teams[0], at("acme/tool"))
		}},
		{name: "team's permission changed (GitHub, GitLab: on that repository)", poll: unlessGitHub, who: team, make: func(f *priced) error {
			return f.level(app, providers.Admin)
		}},
		{name: "team loses a repository", poll: unlessGitHub, who: team, make: func(f *priced) error {
			return f.world.RemoveTeamRepo(f.org, f.teams[0], app)
		}},
		{name: "collaborator added", poll: giteaMembers, who: guest, make: func(f *priced) error {
			return f.world.AddCollaborator(app, f.guest(), providers.Write)
		}},
		{name: "collaborator removed", poll: giteaMembers, who: guest, make: func(f *priced) error {
			return f.world.RemoveCollaborator(app, f.guest())
		}},
		{name: "repository deleted", make: func(f *priced) error { return f.world.DeleteRepo(app) }},
		{name: "user joins the organization", poll: giteaMembers, who: joiner, make: func(f *priced) error {
			return f.joins(f.joiner().Login)
		}},
		{name: "user joins a team", poll: giteaMembers, who: joiner, make: func(f *priced) error {
			return f.world.AddMember(f.org, f.teams[1], f.joiner())
		}},
		{name: "user leaves a team", poll: giteaMembers, who: joiner, make: func(f *priced) error {
			return f.world.RemoveMember(f.org, f.teams[1], f.joiner())
		}},
		{name: "user leaves the organization, and all it had", poll: giteaMembers, who: joiner, make: func(f *priced) error {
			return f.leaves(f.joiner().Login)
		}},
		{name: "team deleted", poll: giteaMembers, who: team, make: func(f *priced) error { return f.deleteTeam() }},
		{name: "base permission changed", only: "github", poll: map[string]string{"github": inMembers}, who: team, make: func(f *priced) error {
			return f.base(providers.Write)
		}},
	}
}

// TestWhatEachKindOfChangeCosts runs every kind of change end to end: from the
// forge over its webhook, or the poll that finds it, until the catalogue and the
// CI server agree with the forge. Every HTTP request to the forge counts.
func TestWhatEachKindOfChangeCosts(t *testing.T) {
	of := small100
	if *large {
		of = large500
	}
	table := newBill(of)
	for _, start := range []func(*testing.T) *priced{pricedGitea, pricedGitHub, pricedGitLab} {
		f := start(t)
		t.Run(f.kind, func(t *testing.T) {
			f.found(t, of)
			charge(t, f, table)
		})
	}
	if !t.Failed() {
		table.compare(t)
	}
}

func charge(t *testing.T, f *priced, table *bill) {
	s := openShop(t, f)
	fill := s.asked(func() error { return s.engine.Start(t.Context()) })
	quiet := map[string]int{}
	everybody := []providers.User{f.users[0], f.users[f.people-1]}
	for i, c := range costs() {
		// Once a delivery has come it is known what the webhook tells.
		if i == 1 {
			for _, what := range []string{inMembers, inRepos} {
				s.asked(func() error { return s.poll(what) })
				quiet[what] = s.asked(func() error { return s.poll(what) })
				table.row(what+" poll that finds nothing new", f.kind, fmt.Sprint(quiet[what]))
			}
		}
		if c.only != "" && c.only != f.kind {
			table.row(c.name, f.kind, "–")
			continue
		}
		poll, heard := c.poll[f.kind], s.accepted()
		n := s.asked(func() error {
			if err := c.make(f); err != nil || poll == "" {
				return err
			}
			return s.poll(poll)
		})
		if announced := s.accepted() > heard; announced == (poll != "") {
			t.Errorf("%s: announced %v, poll %q", c.name, announced, poll)
		}
		who := everybody
		if c.who != nil {
			who = c.who(f)
		}
		for _, u := range who {
			s.agrees(u)
		}
		if t.Failed() {
			t.Fatalf("%s was not followed", c.name)
		}
		cell := fmt.Sprint(n)
		if poll != "" {
			cell = fmt.Sprintf("%s poll + %d", poll, n-quiet[poll])
		}
		table.row(c.name, f.kind, cell)
	}
	sync := s.asked(func() error {
		return s.ask(syncqueue.UserJob("git", f.users[7], syncqueue.LaneAddition, s.clock()))
	})
	table.row("one user's whole list (`hookd sync`)", f.kind, fmt.Sprint(sync))
	table.row("first fill, with its first polls", f.kind, fmt.Sprint(fill))
	table.row(fmt.Sprintf("for comparison: the whole lists of all %d members (computed from one)", f.people), f.kind, fmt.Sprint(f.people*sync))
}

// TestACreatedRepositoryCostsFewCallsWhoeverSeesIt holds the limits at full
// size: a full listing would cost thousands of calls.
func TestACreatedRepositoryCostsFewCallsWhoeverSeesIt(t *testing.T) {
	for _, forge := range []struct {
		start func(*testing.T) *priced
		most  int
	}{{pricedGitea, 12}, {pricedGitHub, 10}, {pricedGitLab, 10}} {
		f := forge.start(t)
		t.Run(f.kind, func(t *testing.T) {
			f.found(t, large500)
			f.orgs.Learn("acme", f.org.ID)
			s := openShop(t, f)
			for _, warm := range []bool{false, true} { // the teams of Gitea are read once
				var r providers.Repo
				n := s.asked(func() (err error) {
					r, err = f.world.CreateRepo("acme", fmt.Sprint("new", warm), true)
					return err
				})
				if c, err := s.db.Repo(t.Context(), "git", r.ID); err != nil || len(c.Holders) != f.people+1 {
					t.Errorf("%d have it, want %d members and the owner (%v)", len(c.Holders), f.people, err)
				}
				if t.Logf("%d calls", n); warm && n > forge.most {
					t.Errorf("a created repository costs %d calls, at most %d are meant", n, forge.most)
				}
			}
		})
	}
}
