package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue"
)

// chained has omar reach acme/app through a group that a group it is shared with is
// shared with, of which GitLab says nothing among the members of acme/app.
func chained(e *estate) {
	f := e.forge.(*providerstest.GitLab)
	e.now(func() error { _, err := f.CreateGroup("friends", "private"); return err })
	e.now(func() error { return f.AddGroupMember("friends", "omar", providerstest.GitLabDeveloper) })
	e.now(func() error { return f.ShareGroup("acme/core", "friends", providerstest.GitLabReporter) })
	e.after(12 * time.Minute) // nobody tells: the poll finds it
	e.agree()
}

func held(e *estate) {
	for _, j := range slices.Concat(e.jobs(syncqueue.Waiting), e.jobs(syncqueue.Parked)) {
		if strings.HasPrefix(j.Note, "held:") {
			e.t.Error(j.Note)
		}
	}
}

func TestAnEventLeavesAProjectToWhomTheInvitedGroupIsSharedWith(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			chained(e)
			e.now(func() error { return e.world.RenameRepo(e.repo("acme/app"), "application") })
		},
		holds: func(e *estate) {
			if e.granted("omar")["acme/application"] == "" {
				e.t.Error("omar should reach acme/application")
			}
			held(e)
		},
	}.spring(t)
}

// The project is looked at between the loss and the poll that finds it.
func TestWhoLeavesTheGroupBehindTheInvitedOneLosesTheProject(t *testing.T) {
	trap{
		only: []string{"gitlab"},
		happens: func(e *estate) {
			chained(e)
			e.now(func() error { return e.world.RenameRepo(e.repo("acme/app"), "application") })
			e.now(func() error {
				return e.forge.(*providerstest.GitLab).RemoveGroupMember("friends", "omar")
			})
		},
		holds: held,
	}.spring(t)
}
