package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue"
)

// settled is an estate where ana and li are in core, which writes to acme/app,
// omar is in docs, which reads acme/book, and zoe collaborates on acme/app.
func settled(e *estate) {
	core, err := e.world.CreateTeam(e.orgs["acme"], "core", providers.Write, false)
	e.must(err)
	docs, err := e.world.CreateTeam(e.orgs["acme"], "docs", providers.Read, false)
	e.must(err)
	e.teams = map[string]providers.Team{"core": core, "docs": docs}
	for _, login := range []string{"ana", "li", "omar", "zoe"} {
		e.joins(login)
	}
	users := e.users()
	e.must(e.world.AddMember(e.orgs["acme"], core, users["ana"]))
	e.must(e.world.AddMember(e.orgs["acme"], core, users["li"]))
	e.must(e.world.AddMember(e.orgs["acme"], docs, users["omar"]))
	app, err := e.world.CreateRepo("acme", "app", true)
	e.must(err)
	book, err := e.world.CreateRepo("acme", "book", true)
	e.must(err)
	e.must(e.world.AddTeamRepo(e.orgs["acme"], core, app))
	e.must(e.world.AddTeamRepo(e.orgs["acme"], docs, book))
	e.must(e.world.AddCollaborator(app, users["zoe"], providers.Read))
}

// A posture is what becomes of the deliveries of a trap.
type posture struct {
	name  string
	order func([]letter) []letter
}

var postures = []posture{
	{"in order", func(l []letter) []letter { return l }},
	{"backwards", func(l []letter) []letter { slices.Reverse(l); return l }},
	{"twice", func(l []letter) []letter { return append(l, l...) }},
	{"lost", func([]letter) []letter { return nil }},
}

// A trap is something that happens on a forge in which a receiver may fall.
type trap struct {
	only    []string   // kinds of forge; all if empty
	sim     simOptions // of the forge
	prepare func(e *estate)
	happens func(e *estate) // by e.now, once or several times
	holds   func(e *estate) // what is checked beside agreement; may be nil
	late    bool            // nobody tells: only the reconcile finds it
	heard   bool            // it is about deliveries that arrive
}

// spring lets the trap happen on each kind of forge, with its deliveries in
// every posture. Catalogue and CI server must equal the forge soon after what
// the forge announces or a poll finds, and after a reconcile at the latest.
func (tr trap) spring(t *testing.T) {
	onSome(t, tr.only, func(t *testing.T, k kind) {
		for _, way := range postures {
			if way.name == "lost" && tr.heard {
				continue
			}
			t.Run(way.name, func(t *testing.T) {
				prepare := func(e *estate) {
					settled(e)
					if tr.prepare != nil {
						tr.prepare(e)
					}
				}
				inEstate(t, k, tr.sim, everyPoll, prepare, func(e *estate) {
					e.after(14 * time.Minute)
					e.agree()
					if e.t.Failed() {
						e.t.Fatal("before anything happened")
					}
					tr.happens(e)
					e.hear(way.order(e.letters)...)
					if way.name == "lost" || tr.late {
						e.after(90 * time.Minute)
					} else {
						e.after(12 * time.Minute)
					}
					e.agree()
					if tr.holds != nil {
						tr.holds(e)
					}
					if e.t.Failed() {
						for _, j := range e.unfinished() {
							e.t.Log(j)
						}
					}
				})
			})
		}
	})
}

// now makes a change at once, and keeps its deliveries for the posture.
func (e *estate) now(f func() error) {
	e.t.Helper()
	heard, err := e.change(f)
	e.must(err)
	e.letters = append(e.letters, heard...)
}

func TestAnEventBeforeTheAPIShowsTheRepositoryIsNoDeletion(t *testing.T) {
	trap{heard: true, sim: simOptions{hideNew: 3}, happens: func(e *estate) {
		e.now(func() error {
			r, err := e.world.CreateRepo("acme", "late", true)
			if err != nil {
				return err
			}
			return e.world.AddTeamRepo(e.orgs["acme"], e.teams["core"], r)
		})
	}}.spring(t)
}

// The simulated forge goes on serving it for as long as the test lasts.
func TestADeletionWhoseRepositoryIsStillServedTakesNothingAway(t *testing.T) {
	trap{only: []string{"gitea", "gitlab"}, sim: simOptions{deleteLag: time.Hour}, happens: func(e *estate) {
		e.now(func() error { return e.world.DeleteRepo(e.repo("acme/app")) })
	}}.spring(t)
}

func TestARenamedRepositoryMoves(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.RenameRepo(e.repo("acme/app"), "application") })
	}}.spring(t)
}

func TestTwoRepositoriesThatSwapTheirNamesKeepTheirPeople(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.RenameRepo(e.repo("acme/app"), "tmp") })
		e.now(func() error { return e.world.RenameRepo(e.repo("acme/book"), "app") })
		e.now(func() error { return e.world.RenameRepo(e.repo("acme/tmp"), "book") })
	}}.spring(t)
}

func TestADeletedAndRecreatedNameIsTwoRepositories(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.DeleteRepo(e.repo("acme/app")) })
		e.now(func() error {
			r, err := e.world.CreateRepo("acme", "app", true)
			if err != nil {
				return err
			}
			return e.world.AddTeamRepo(e.orgs["acme"], e.teams["docs"], r)
		})
	}}.spring(t)
}

func TestATransferWithinTakesOneSetOfPeopleForAnother(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.TransferRepo(e.repo("acme/app"), "beta") })
	}}.spring(t)
}

// Of GitHub only the receiving side's hook hears of it, which is a stranger's.
func TestATransferToAStrangerIsALoss(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.TransferRepo(e.repo("acme/app"), "other") })
	}}.spring(t)
}

// A public repository shows its collaborators to its new owner's people alone:
// GitHub answers 403, which must neither keep the access nor stop the polls.
func TestAPublicRepositoryGivenToAPersonIsALoss(t *testing.T) {
	trap{
		happens: func(e *estate) {
			e.now(func() error { return e.world.SetVisibility(e.repo("acme/app"), false) })
			e.now(func() error { return e.world.TransferRepo(e.repo("acme/app"), "omar") })
			e.now(func() error {
				r, err := e.world.CreateRepo("acme", "after", true)
				if err != nil {
					return err
				}
				return e.world.AddTeamRepo(e.orgs["acme"], e.teams["core"], r)
			})
		},
	}.spring(t)
}

func TestATransferFromAStrangerIsAGain(t *testing.T) {
	trap{
		prepare: func(e *estate) {
			r, err := e.world.CreateRepo("other", "gift", true)
			e.must(err)
			e.must(e.world.AddCollaborator(r, e.users()["li"], providers.Write))
		},
		happens: func(e *estate) {
			e.now(func() error { return e.world.TransferRepo(e.repo("other/gift"), "acme") })
		},
	}.spring(t)
}

func TestARenamedOrganizationStaysOurs(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.forge.RenameAccount("acme", "umbrella") })
		e.orgs["acme"] = providers.Org{ID: e.orgs["acme"].ID, Name: "umbrella"}
		e.now(func() error {
			r, err := e.world.CreateRepo("umbrella", "after", true)
			if err != nil {
				return err
			}
			if f, is := e.forge.(*providerstest.GitLab); is {
				return f.ShareProject(r.Path, "umbrella/core", providerstest.GitLabDeveloper)
			}
			return e.world.AddTeamRepo(e.orgs["acme"], e.teams["core"], r)
		})
		e.now(func() error { return e.world.DeleteRepo(e.repo("umbrella/book")) })
	}}.spring(t)
}

func TestADeletedOrganizationTakesEverythingWithIt(t *testing.T) {
	trap{happens: func(e *estate) {
		switch f := e.forge.(type) {
		case *providerstest.Gitea:
			e.now(func() error { return e.world.DeleteRepo(e.repo("acme/app")) })
			e.now(func() error { return e.world.DeleteRepo(e.repo("acme/book")) })
			e.now(func() error { return f.DeleteOrg("acme") })
		case *providerstest.GitHub:
			e.now(func() error { return f.DeleteOrg("acme") })
		case *providerstest.GitLab:
			e.now(func() error { return f.DeleteGroup("acme") })
		}
	}}.spring(t)
}

// Its members come from the catalogue: the API is already 404.
func TestADeletedTeamTakesWhatItGranted(t *testing.T) {
	trap{happens: func(e *estate) {
		type deleter interface{ DeleteTeam(org, name string) error }
		switch f := e.forge.(type) {
		case deleter:
			e.now(func() error { return f.DeleteTeam("acme", "core") })
		case *providerstest.GitLab:
			e.now(func() error { return f.DeleteGroup("acme/core") })
		}
	}}.spring(t)
}

func TestAMemberOfAChildTeamReachesWhatIsAbove(t *testing.T) {
	trap{
		only: []string{"github"},
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitHub)
			e.now(func() error { _, err := f.CreateChildTeam("acme", "juniors", "core", providers.Read); return err })
			e.now(func() error { return f.AddMember("acme", "juniors", "omar") })
			e.now(func() error {
				r, err := e.world.CreateRepo("acme", "above", true)
				if err != nil {
					return err
				}
				return e.world.AddTeamRepo(e.orgs["acme"], e.teams["core"], r)
			})
		},
		holds: func(e *estate) {
			if e.granted("omar")["acme/above"] == "" {
				e.t.Error("omar should reach acme/above")
			}
		},
	}.spring(t)
}

func TestAMemberOfAGroupReachesWhatIsBelow(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitLab)
			e.now(func() error { _, err := f.CreateGroup("acme/sub", "private"); return err })
			e.now(func() error {
				_, err := f.CreateRepo(providerstest.GitLabProject{Owner: "acme/sub", Name: "deep", Private: true})
				return err
			})
			e.now(func() error { return f.AddGroupMember("acme", "omar", providerstest.GitLabDeveloper) })
			e.now(func() error { return f.AddGroupMember("acme/sub", "zoe", providerstest.GitLabReporter) })
		},
		holds: func(e *estate) {
			if e.granted("omar")["acme/sub/deep"] == "" || e.granted("zoe")["acme/sub/deep"] == "" {
				e.t.Error("omar and zoe should reach acme/sub/deep")
			}
		},
	}.spring(t)
}

// GitHub tells of the teams too, but in no order and perhaps not at all.
func TestALeaverOfTheOrganizationLosesItWithoutWordOfHisTeams(t *testing.T) {
	trap{only: []string{"github"}, happens: func(e *estate) {
		f := e.forge.(*providerstest.GitHub)
		e.now(func() error { return f.RemoveFromOrg("acme", "ana") })
		e.letters = slices.DeleteFunc(e.letters, func(l letter) bool { return l.header.Get("X-GitHub-Event") == "membership" })
		if len(e.letters) != 1 {
			e.t.Fatalf("%d deliveries are left", len(e.letters))
		}
	}}.spring(t)
}

func TestAMembershipThatWaitsForConsentIsNoAccess(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitLab)
			e.now(func() error { return f.AddGroupMember("acme", "omar", providerstest.GitLabDeveloper) })
			e.now(func() error { return f.HoldGroupMember("acme", "omar", true) })
		},
		holds: func(e *estate) {
			if e.believes(e.users()["omar"])["acme/app"] != "" {
				e.t.Error("omar holds acme/app")
			}
		},
	}.spring(t)
}

func TestACollaboratorFromOutsideHasOneRepository(t *testing.T) {
	trap{prepare: func(e *estate) { e.joins("guest") }, happens: func(e *estate) {
		e.now(func() error { return e.world.AddCollaborator(e.repo("acme/book"), e.users()["guest"], providers.Write) })
		e.now(func() error { return e.world.RemoveCollaborator(e.repo("acme/app"), e.users()["zoe"]) })
	}}.spring(t)
}

func TestARenamedUserIsTheSameUser(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.forge.RenameAccount("ana", "anna") })
		e.logsIn("anna")
		e.now(func() error { return e.world.AddMember(e.orgs["acme"], e.teams["docs"], e.users()["anna"]) })
	}}.spring(t)
}

// Whoever takes the login of another must get nothing of his.
func TestTwoUsersThatSwapTheirLoginsKeepWhatIsTheirs(t *testing.T) {
	trap{late: true, happens: func(e *estate) {
		e.now(func() error { return e.forge.RenameAccount("ana", "tmp") })
		e.now(func() error { return e.forge.RenameAccount("omar", "ana") })
		e.now(func() error { return e.forge.RenameAccount("tmp", "omar") })
		e.logsIn("ana") // each logs in again, as the user he is now
		e.logsIn("omar")
	}}.spring(t)
}

func TestADeletedUserHoldsNothing(t *testing.T) {
	trap{late: true, happens: func(e *estate) {
		id := e.users()["ana"]
		e.now(func() error { return e.forge.DeleteUser("ana") })
		e.gone = append(e.gone, id)
	}}.spring(t)
}

func TestABlockedUserHoldsNothing(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			e.now(func() error { return e.forge.(*providerstest.GitLab).SetState("ana", "blocked") })
		},
		holds: func(e *estate) {
			if got := e.believes(e.users()["ana"]); len(got) != 0 {
				e.t.Errorf("ana holds %v", got)
			}
		},
	}.spring(t)
}

func TestInternalRepositoriesAreTheirsWhoListThem(t *testing.T) {
	trap{happens: func(e *estate) {
		switch f := e.forge.(type) {
		case *providerstest.GitHub:
			e.now(func() error { return f.SetInternal("acme/book") })
		default:
			e.now(func() error { return e.world.SetVisibility(e.repo("acme/book"), false) })
		}
	}}.spring(t)
}

func TestAPrivateForkIsARepositoryOfItsOwn(t *testing.T) {
	trap{happens: func(e *estate) {
		switch f := e.forge.(type) {
		case *providerstest.Gitea:
			e.now(func() error { _, err := f.Fork("acme/app", "beta", ""); return err })
			e.now(func() error { _, err := f.Fork("acme/app", "ana", "ana"); return err })
		case *providerstest.GitHub:
			e.now(func() error { _, err := f.Fork("acme/app", "beta", ""); return err })
			e.now(func() error { _, err := f.Fork("acme/app", "ana", "ana"); return err })
		case *providerstest.GitLab:
			e.now(func() error { _, err := f.Fork("acme/app", "beta"); return err })
			e.now(func() error { _, err := f.Fork("acme/app", "ana"); return err })
		}
		e.now(func() error { return e.world.AddCollaborator(e.repo("beta/app"), e.users()["omar"], providers.Read) })
	}}.spring(t)
}

// Minimal access is none, and a custom role counts as the level below it.
func TestLevelsWithoutANameOfOursAreFolded(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitLab)
			e.now(func() error { return f.AddGroupMember("acme", "omar", providerstest.GitLabMinimal) })
			e.now(func() error { return f.AddProjectMember("acme/app", "omar", providerstest.GitLabPlanner) })
			e.now(func() error { return f.AddGroupMember("beta", "zoe", providerstest.GitLabMinimal) })
			e.now(func() error {
				_, err := f.CreateRepo(providerstest.GitLabProject{Owner: "beta", Name: "b", Private: true})
				return err
			})
		},
		holds: func(e *estate) {
			if got := e.believes(e.users()["omar"])["acme/app"]; got != "read" {
				e.t.Errorf("omar holds acme/app as %q", got)
			}
			if got := e.believes(e.users()["zoe"])["beta/b"]; got != "" {
				e.t.Errorf("zoe holds beta/b as %q", got)
			}
		},
	}.spring(t)
}

func TestNamesThatDifferOnlyInCaseAreOne(t *testing.T) {
	trap{happens: func(e *estate) {
		e.now(func() error { return e.world.RenameRepo(e.repo("acme/app"), "App") })
		if e.kind.name != "gitlab" { // which has it that the name is taken
			e.now(func() error { return e.forge.RenameAccount("acme", "ACME") })
			e.orgs["acme"] = providers.Org{ID: e.orgs["acme"].ID, Name: "ACME"}
		}
		e.now(func() error { return e.world.AddCollaborator(e.repo("acme/app"), e.users()["omar"], providers.Read) })
	}}.spring(t)
}

// An event that concerns many bots and people who never logged in costs two
// requests for all of them.
func TestWhoNeverLoggedInCostsTheCIServerNothing(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		crowd := func(e *estate) {
			settled(e)
			for i := range 30 {
				u, err := e.world.CreateUser(fmt.Sprint("bot", i))
				e.must(err)
				e.must(e.world.AddMember(e.orgs["acme"], e.teams["core"], u))
			}
		}
		inEstate(t, k, simOptions{}, plan{}, crowd, func(e *estate) {
			e.after(5 * time.Minute)
			cost := func(name string) int64 {
				before := e.toDrone.sent.Load()
				e.now(func() error {
					r, err := e.world.CreateRepo("acme", name, true)
					if err != nil {
						return err
					}
					return e.world.AddTeamRepo(e.orgs["acme"], e.teams["core"], r)
				})
				e.hear(e.letters...)
				e.letters = nil
				u := e.users()["ana"]
				e.ask(syncqueue.RepoJob("git", e.repo("acme/"+name), syncqueue.LaneAddition, time.Now()), syncqueue.UserJob("git", u, syncqueue.LaneAddition, time.Now()))
				e.after(5 * time.Minute)
				e.agree()
				return e.toDrone.sent.Load() - before
			}
			cost("first")
			n := cost("second")
			e.t.Logf("%d requests to the CI server", n)
			if n > 25 {
				e.t.Errorf("%d requests to the CI server for 2 people who use it and 30 who do not", n)
			}
		})
	})
}

func TestPendingInvitationsAreNoAccess(t *testing.T) {
	trap{
		only:    []string{"github"},
		prepare: func(e *estate) { e.joins("guest") },
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitHub)
			e.now(func() error { return f.SetBasePermission("acme", providers.Read) })
			e.now(func() error { return f.InviteToOrg("acme", "guest") })
			e.now(func() error { return f.InviteCollaborator("acme/app", "omar", providers.Admin) })
			e.now(func() error { return f.InviteCollaborator("acme/book", "zoe", providers.Write) })
			e.now(func() error { return f.AcceptCollaboration("acme/book", "zoe") })
		},
		holds: func(e *estate) {
			for login, want := range map[string]string{"guest": "", "omar": "read"} {
				if got := e.believes(e.users()[login])["acme/app"]; got != want {
					e.t.Errorf("%s holds acme/app as %q, want %q", login, got, want)
				}
			}
			if got := e.believes(e.users()["zoe"])["acme/book"]; got != "write" {
				e.t.Errorf("zoe accepted, and holds acme/book as %q", got)
			}
		},
	}.spring(t)
}

func TestARequestForAccessIsNone(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitLab)
			e.now(func() error { return f.RequestAccess("acme", "zoe") })
			e.now(func() error { return f.RequestAccess("acme/book", "ana") })
			e.now(func() error { return f.HoldCollaborator("acme/book", "li", true) })
		},
		holds: func(e *estate) {
			for _, login := range []string{"zoe", "ana", "li"} {
				if got := e.believes(e.users()[login])["acme/book"]; got != "" {
					e.t.Errorf("%s holds acme/book as %q", login, got)
				}
			}
		},
	}.spring(t)
}

// What was granted to somebody who is suspended stays granted, and shows again
// when he is back.
func TestASuspendedUserKeepsWhatTheForgeGrants(t *testing.T) {
	trap{
		only: []string{"github"},
		late: true,
		happens: func(e *estate) {
			f := e.forge.(*providerstest.GitHub)
			e.now(func() error { return f.SuspendUser("ana", true) })
			e.now(func() error { return e.world.AddCollaborator(e.repo("acme/book"), e.users()["ana"], providers.Write) })
			e.after(30 * time.Minute)
			if got := e.believes(e.users()["ana"])["acme/app"]; got != "write" {
				e.t.Errorf("suspended, ana holds acme/app as %q", got)
			}
			e.now(func() error { return f.SuspendUser("ana", false) })
		},
	}.spring(t)
}
