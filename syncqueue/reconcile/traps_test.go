package reconcile_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// settled is an estate where ana and li are in core, which writes to acme/app,
// omar is in docs, which reads acme/book, and zoe collaborates on acme/app.
func settled(e *estate) {
	core, err := e.world.CreateTeam(e.orgs["acme"], "core", providers.Write, false)
	e.must(err)
	docs, err := e.world.CreateTeam(e.orgs["acme"], "docs", providers.Read, false)
	e.must(err)
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

func TestAnEstateIsFilledAtTheFirstStart(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		inEstate(t, k, simOptions{}, plan{}, settled, func(e *estate) {
			e.after(5 * time.Minute)
			e.agree()
		})
	})
}
