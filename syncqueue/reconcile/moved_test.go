package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers/providerstest"
)

// Who may keep a repository that moved to somebody else's organization loses its
// builds with it, though nobody tells hookd of that: within the bound on
// staleness, in the catalogue and in the CI server, also where the new owner does
// not show hookd's token who has it.
func TestWhoeverLosesARepositoryThatMovedAwaySeesItsBuildsNoMore(t *testing.T) {
	for _, c := range []struct{ heard, withheld bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		t.Run(fmt.Sprintf("heard of %t, withheld %t", c.heard, c.withheld), func(t *testing.T) {
			onEach(t, func(t *testing.T, k kind) {
				inEstate(t, k, simOptions{}, everyPoll, settled, func(e *estate) {
					e.after(14 * time.Minute)
					e.agree()
					app := e.repo("acme/app")
					seen := func(login string) (believed, shown bool) {
						for path := range e.believes(e.users()[login]) {
							believed = believed || strings.HasSuffix(path, "/app")
						}
						return believed, slices.ContainsFunc(e.drone.Shows(login), func(path string) bool { return strings.HasSuffix(path, "/app") })
					}
					nobodyElse := func(when string) {
						t.Helper()
						for _, login := range []string{"ana", "li", "omar", "zoe"} {
							_, granted := e.forge.Lists(login)[app.ID]
							if believed, shown := seen(login); !granted && (believed || shown) {
								t.Errorf("%s %s has it no more: catalogue %t, CI server %t; %s", when, login, believed, shown, e.unfinished())
							}
						}
					}
					letters, err := e.change(func() error { return e.world.TransferRepo(app, "other") })
					e.must(err)
					if c.withheld {
						for _, path := range map[string][]string{
							"gitea": {"repos/other/app/", "orgs/other"}, "github": {"repos/other/app/", "orgs/other"}, "gitlab": {"projects/" + app.ID + "/", "groups/" + e.orgs["other"].ID},
						}[k.name] {
							e.forge.Break(providerstest.Fault{Kind: providerstest.FaultForbidden, Path: path})
						}
					}
					if c.heard {
						e.hear(letters...)
					}
					e.after(20 * time.Minute)
					nobodyElse("after it moved")
					if _, kept := e.forge.Lists("zoe")[app.ID]; !kept {
						t.Fatal("the forge took it from zoe as well")
					}
					if believed, shown := seen("zoe"); !shown || !believed && !c.withheld {
						t.Errorf("zoe kept it: catalogue %t, CI server %t", believed, shown)
					}
					_, err = e.change(func() error { return e.world.RemoveCollaborator(e.repo("other/app"), e.users()["zoe"]) })
					e.must(err)
					e.after(2 * time.Hour)
					nobodyElse("after she lost it there")
				})
			})
		})
	}
}
