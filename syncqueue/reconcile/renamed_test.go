package reconcile_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// He is in no team and does not use the CI server, and nobody tells: only his id
// leads from what he was called to what he is called.
func TestARenamedCollaboratorIsFoundByHisID(t *testing.T) {
	for name, taken := range map[string]bool{"his login is nobody's": false, "his login is another's": true} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, k kind) {
				inEstate(t, k, simOptions{}, everyPoll, guest, func(e *estate) {
					// That one delivery arrives says that the others would, and ends their polls.
					heard, err := e.change(func() error { return e.world.RemoveCollaborator(e.repo("acme/app"), e.users()["guest"]) })
					e.must(err)
					e.hear(heard...)
					e.after(time.Minute)
					e.now(func() error { return e.forge.RenameAccount("guest", "visitor") })
					if taken {
						e.now(func() error { _, err := e.world.CreateUser("guest"); return err })
					}
					e.now(func() error {
						return e.world.AddCollaborator(e.repo("acme/book"), e.users()["visitor"], providers.Write)
					})
					e.after(90 * time.Minute)
					e.agree()
				})
			})
		})
	}
}

// guest is a settled estate with a collaborator who does not use the CI server.
func guest(e *estate) {
	settled(e)
	u, err := e.world.CreateUser("guest")
	e.must(err)
	e.must(e.world.AddCollaborator(e.repo("acme/app"), u, providers.Read))
}
