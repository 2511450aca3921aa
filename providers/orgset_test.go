package providers_test

import (
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
)

func TestOrgSetKnowsNamesUntilItLearnsIDs(t *testing.T) {
	s := providers.NewOrgSet("Acme")
	acme, stranger := providers.Org{ID: "6", Name: "ACME"}, providers.Org{ID: "9", Name: "acme"}
	if !s.Has(acme) || !s.Has(stranger) || !s.Has(providers.Org{Name: "acme"}) || s.Has(providers.Org{ID: "6", Name: "lab"}) {
		t.Error("before anything is learnt the folded name decides")
	}
	s.Learn("acme", "6")
	if !s.Has(acme) {
		t.Error("the learnt one is not in it")
	}
	if !s.Has(providers.Org{ID: "6", Name: "renamed"}) {
		t.Error("renamed, and no longer in it")
	}
	if s.Has(stranger) {
		t.Error("a stranger who took the name is in it")
	}
	if !s.Has(providers.Org{Name: "acme"}) {
		t.Error("without an id the name must do")
	}
	if s.All() {
		t.Error("one organization is not all")
	}
}

func TestOrgSetOfAll(t *testing.T) {
	s := providers.NewOrgSet("*", "acme")
	if !s.All() || !s.Has(providers.Org{ID: "1", Name: "whatever"}) {
		t.Error("a star is not all")
	}
	none := providers.NewOrgSet()
	if none.All() || none.Has(providers.Org{ID: "1", Name: "acme"}) || none.Has(providers.Org{}) {
		t.Error("nothing configured, and something is in it")
	}
}

func TestOrgSetCoversWhatLiesBelowAName(t *testing.T) {
	s := providers.NewOrgSet("Acme", "lab/tools")
	for name, want := range map[string]bool{
		"acme/sub": true, "ACME/Sub/x": true, "acme": true, "lab/tools/deep": true,
		"lab": false, "lab/other": false, "acme2/sub": false, "acmé/sub": false, "other/acme": false, "/acme": false, "": false,
	} {
		for _, id := range []string{"", "78"} {
			if got := s.Has(providers.Org{ID: id, Name: name}); got != want {
				t.Errorf("%q with id %q: %v", name, id, got)
			}
		}
		if is := s.Is(providers.Org{Name: name}); is && name != "acme" {
			t.Errorf("%q is not itself in the set", name)
		}
	}
	s.Learn("acme", "6")
	if !s.Has(providers.Org{Name: "acme/sub"}) || s.Is(providers.Org{ID: "9", Name: "acme"}) {
		t.Error("learning an id changed what lies below, or let a stranger in")
	}
}

func TestOrgSetKnowsByIDWhatLiesInside(t *testing.T) {
	s := providers.NewOrgSet("acme")
	s.Learn("acme", "6")
	sub := providers.Org{ID: "78", Name: "sub"}
	if s.Has(sub) {
		t.Error("known before anybody said so")
	}
	s.Within("6", "78", "79")
	s.Within("7", "80")
	if !s.Has(sub) || s.Is(sub) {
		t.Error("inside, but not itself in the set")
	}
	s.Within("6", "79") // 78 moved away
	if s.Has(sub) || !s.Has(providers.Org{ID: "79"}) || !s.Has(providers.Org{ID: "80"}) {
		t.Error("what is said of one organization replaces that, and nothing else")
	}
}

func TestOrgSetLearnsHowOursAreCalledNow(t *testing.T) {
	s := providers.NewOrgSet("acme")
	s.Learn("acme", "6")
	s.Learn("acme2", "6")
	if !s.Has(providers.Org{Name: "acme2"}) || !s.Has(providers.Org{Name: "acme2/sub"}) || s.Has(providers.Org{ID: "9", Name: "acme2"}) {
		t.Error("renamed, and an event without an id is not ours")
	}
}

func TestOrgSetIsSafeForConcurrentUse(t *testing.T) {
	s := providers.NewOrgSet("acme")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s.Learn("acme", "6")
			s.Has(providers.Org{ID: "6", Name: "acme"})
			s.Within("6", "78")
		})
	}
	wg.Wait()
}
