package reconcile_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// Drone deletes its row of a repository whose name the sync of somebody else
// meets with another one. Nobody told hookd that the two changed names, and who
// lost one is told of nothing: it comes back all the same, before any poll.
func TestWhatANamesakesSyncTookComesBackWithoutAnEvent(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		inEstate(t, k, simOptions{}, everyPoll, settled, func(e *estate) {
			app, book := e.repo("acme/app"), e.repo("acme/book")
			_, err := e.change(func() error { // its deliveries are lost
				e.must(e.world.RenameRepo(app, "tmp"))
				e.must(e.world.RenameRepo(book, "app"))
				return e.world.RenameRepo(providers.Repo{ID: app.ID, Path: "acme/tmp"}, "book")
			})
			e.must(err)
			heard, err := e.change(func() error {
				fresh, err := e.world.CreateRepo("acme", "fresh", true)
				e.must(err)
				return e.world.AddCollaborator(fresh, e.users()["omar"], providers.Read)
			})
			e.must(err)
			e.hear(heard...)
			e.after(time.Minute)
			for login, id := range map[string]string{"ana": app.ID, "li": app.ID, "zoe": app.ID, "omar": book.ID} {
				if _, ok := e.drone.Rows(login)[id]; !ok {
					t.Errorf("%s does not see %s any more; rows taken of %v", login, id, e.drone.Taken())
				}
			}
		})
	})
}
