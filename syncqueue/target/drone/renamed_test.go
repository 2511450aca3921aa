package drone_test

import (
	"maps"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// What the caller knows by a name is no news.
func TestSyncTellsOfNamesThatNobodyExpected(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 3)
	u := s.join(t, "ana")
	sync := func(want ...providers.Repo) target.Result {
		res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(want...), Count: s.forge.count("ana")})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	fresh := s.forge.add("acme/fresh", "ana")
	known := s.forge.change(repos[0].ID, func(r *providers.Repo) { r.Path = "acme/known" })
	s.forge.change(repos[1].ID, func(r *providers.Repo) { r.Path = "acme/moved" })
	res := sync(known, fresh)
	if want := map[string]string{repos[1].ID: "acme/moved"}; !maps.Equal(res.Renamed, want) {
		t.Errorf("renamed: %v, want %v", res.Renamed, want)
	}
	if res = sync(known, s.forge.add("acme/another", "ana")); len(res.Renamed) != 0 {
		t.Errorf("renamed again: %v", res.Renamed)
	}
}
