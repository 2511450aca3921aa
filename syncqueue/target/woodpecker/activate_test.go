package woodpecker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

// site is a repository that ana administers and li may read.
func site(t *testing.T, edit ...func(*woodpecker.Config)) (*sim, providers.Repo) {
	t.Helper()
	s := newSim(t, edit...)
	s.join(t, "ana")
	s.join(t, "li")
	r := s.add(t, "site")
	s.grant(t, "ana", r, providers.Admin)
	s.grant(t, "li", r, providers.Read)
	return s, r
}

func yes() *bool { b := true; return &b }

func TestActivateAddsAndSets(t *testing.T) {
	s, r := site(t)
	set := target.Settings{Visibility: providers.Private, Protected: yes(), Trusted: yes(), Timeout: 90 * time.Minute, Config: "ci/build.yaml"}
	got, err := s.target.Activate(t.Context(), r, []string{"nobody", "li", "ana"}, set)
	if err != nil || got.As != "ana" || got.Note != "" || got.Already {
		t.Fatalf("%+v, %v", got, err)
	}
	if again, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); err != nil || !again.Already {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestWhoCannotActivateIsNamedWithWhy(t *testing.T) {
	s, r := site(t)
	_, err := s.target.Activate(t.Context(), r, []string{"nobody", "../x", "li"}, target.Settings{})
	var unable *target.UnableError
	if !errors.As(err, &unable) || len(unable.Reasons) != 3 || !strings.Contains(err.Error(), "li: does not administer it at the forge") {
		t.Fatalf("%v", err)
	}
	if got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); err != nil || got.Already {
		t.Errorf("it was active after all: %+v, %v", got, err)
	}
}

func TestTrustWithoutAnAdministratorActivatesNothing(t *testing.T) {
	s, r := site(t, func(c *woodpecker.Config) { c.AdminToken = "" })
	_, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{Trusted: yes()})
	var unable *target.UnableError
	if !errors.As(err, &unable) {
		t.Fatalf("%v", err)
	}
	if got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); err != nil || got.Already {
		t.Errorf("it was active after all: %+v, %v", got, err)
	}
}

func TestAWoodpeckerThatFailsIsAskedAgain(t *testing.T) {
	for _, fault := range []targettest.Fault{targettest.FaultUnavailable, targettest.FaultHTML, targettest.FaultDown} {
		s, r := site(t)
		s.wood.Break(fault, "")
		_, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{})
		var unable *target.UnableError
		if err == nil || errors.As(err, &unable) {
			t.Errorf("%s: %v", fault, err)
		}
		s.wood.Heal()
		if got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); err != nil || got.Already {
			t.Errorf("%s, healed: %+v, %v", fault, got, err)
		}
	}
}
