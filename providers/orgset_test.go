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

func TestOrgSetIsSafeForConcurrentUse(t *testing.T) {
	s := providers.NewOrgSet("acme")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s.Learn("acme", "6")
			s.Has(providers.Org{ID: "6", Name: "acme"})
		})
	}
	wg.Wait()
}
