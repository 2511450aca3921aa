package drone_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A repository shows that the user lost before anybody watched.
func TestAStrayIsAReasonToSync(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 5)
	u := s.join(t, "ana")
	s.forge.set("ana", repos[4].ID, false)
	want := target.Desired{
		Complete: true, Present: of(repos[:4]...), Count: s.forge.count("ana"),
		Stray: func(id, path string) bool { return id == repos[4].ID && strings.HasPrefix(path, "acme/") },
	}
	res, err := s.target.Sync(t.Context(), u, want)
	if err != nil || !res.Synced || len(res.Strays) != 0 || len(s.drone.Shows("ana")) != 4 {
		t.Fatalf("got %+v, %v; Drone shows %v", res, err, s.drone.Shows("ana"))
	}
}

// One that the forge still lists is not the CI server's fault: the caller is
// told, and nothing waits for it to go.
func TestAStrayThatTheForgeListsIsReported(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 5)
	u := s.join(t, "ana")
	res, err := s.target.Sync(t.Context(), u, target.Desired{
		Complete: true, Present: of(repos[:4]...), Count: s.forge.count("ana"),
		Stray: func(id, _ string) bool { return id == repos[4].ID },
	})
	if err != nil || !res.Settled() || !slices.Equal(res.Strays, []string{repos[4].ID}) {
		t.Fatalf("got %+v, %v", res, err)
	}
}

// Losing strays needs no operator: a complete list says that they are not his.
func TestManyStraysAreNotHeld(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 40)
	u := s.join(t, "ana")
	for _, r := range repos[5:] {
		s.forge.set("ana", r.ID, false)
	}
	res, err := s.target.Sync(t.Context(), u, target.Desired{
		Complete: true, Present: of(repos[:5]...), Count: s.forge.count("ana"),
		Stray: func(id, _ string) bool {
			return slices.IndexFunc(repos[:5], func(r providers.Repo) bool { return r.ID == id }) < 0
		},
	})
	if err != nil || len(s.drone.Shows("ana")) != 5 {
		t.Fatalf("got %+v, %v; Drone shows %d", res, err, len(s.drone.Shows("ana")))
	}
}
