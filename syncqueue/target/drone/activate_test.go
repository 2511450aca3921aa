package drone_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// site is a repository that ana administers and li may read, both in sync.
func site(t *testing.T, edit ...func(*drone.Config)) (*sim, providers.Repo) {
	t.Helper()
	s := newSim(t, edit...)
	r := s.forge.add("acme/site", "ana", "li")
	s.forge.head("ana", r)
	s.join(t, "ana")
	s.join(t, "li")
	return s, r
}

func yes() *bool { b := true; return &b }

func TestActivateSetsBeforeItActivates(t *testing.T) {
	s, r := site(t)
	got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{
		Visibility: providers.Internal, Protected: yes(), Trusted: yes(), Timeout: 90 * time.Minute, Config: "ci/drone.yml",
	})
	if err != nil || got.Already || got.As != "ana" || got.Note != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	want := targettest.Repository{
		Active: true, Protected: true, Trusted: true, Visibility: "internal", Config: "ci/drone.yml", Timeout: 90, Owner: "ana", Enabled: 1,
	}
	if is := s.drone.Repository(r.Path); is != want {
		t.Errorf("Drone has %+v, want %+v", is, want)
	}
	if hooks := s.forge.hooksOf(r.Path); !slices.Equal(hooks, []string{s.drone.URL + got.Hook}) {
		t.Errorf("the forge sends to %q", hooks)
	}
}

func TestActivateLeavesWhatIsActive(t *testing.T) {
	for _, token := range []string{"", "drone-admin-token"} {
		s, r := site(t, func(c *drone.Config) { c.AdminToken = token })
		s.drone.SetActive(r.Path, true)
		before := s.drone.Repository(r.Path)
		got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{Protected: yes()})
		if err != nil || !got.Already || got.As != "" {
			t.Errorf("%+v, %v", got, err)
		}
		if now := s.drone.Repository(r.Path); now != before {
			t.Errorf("it was %+v and is %+v", before, now)
		}
	}
}

func TestTheFirstWhoCanActivates(t *testing.T) {
	s, r := site(t)
	s.write(t, "zoe", "spoilt\n")
	if err := s.drone.LogIn("zoe", droneToken("zoe"), forgeToken("zoe")); err != nil {
		t.Fatal(err)
	}
	got, err := s.target.Activate(t.Context(), r, []string{"nobody", "../x", "zoe", "li", "ana"}, target.Settings{})
	if err != nil || got.As != "ana" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestWhoCannotActivateIsNamedWithWhy(t *testing.T) {
	s, r := site(t)
	s.drone.SpendSession("ana")
	_, err := s.target.Activate(t.Context(), r, []string{"nobody", "li", "ana"}, target.Settings{Protected: yes()})
	var unable *target.UnableError
	if !errors.As(err, &unable) || len(unable.Reasons) != 3 {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"nobody: this user never logged in", "li: does not administer it", "ana: the user must log in to the CI server once: his session with the forge is spent"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell %q", err, want)
		}
	}
	if s.drone.Repository(r.Path).Active {
		t.Error("it is active")
	}
}

func TestOnlyAnAdministratorOfDroneMayTrust(t *testing.T) {
	s, r := site(t, func(c *drone.Config) { c.AdminToken = "" })
	_, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{Trusted: yes()})
	var unable *target.UnableError
	if !errors.As(err, &unable) || !strings.Contains(err.Error(), "only an administrator of the CI server") {
		t.Errorf("%v", err)
	}
	if now := s.drone.Repository(r.Path); now.Active || now.Trusted {
		t.Errorf("Drone has %+v", now)
	}
}

func TestARepositoryThatDroneDoesNotListYetIsWaitedFor(t *testing.T) {
	s, _ := site(t)
	late := s.forge.add("acme/late", "ana")
	s.forge.head("ana", late)
	if _, err := s.target.Activate(t.Context(), late, []string{"ana"}, target.Settings{}); !errors.Is(err, target.ErrNotListed) {
		t.Errorf("not synchronized: %v", err)
	}
	// Its name is still that of another one in Drone.
	other := late
	other.ID, other.Path = "4711", "acme/site"
	if _, err := s.target.Activate(t.Context(), other, []string{"ana"}, target.Settings{}); !errors.Is(err, target.ErrNotListed) {
		t.Errorf("another one's name: %v", err)
	}
	if s.drone.Repository("acme/site").Active {
		t.Error("the other one was activated")
	}
}

func TestTheConfiguredAdministratorActsForHimself(t *testing.T) {
	s, r := site(t)
	s.forge.set("drone-admin", r.ID, true)
	s.forge.head("drone-admin", r)
	if err := s.drone.LogIn("drone-admin", "", forgeToken("drone-admin")); err != nil {
		t.Fatal(err)
	}
	got, err := s.target.Activate(t.Context(), r, []string{"drone-admin"}, target.Settings{Timeout: time.Hour})
	if err != nil || got.As != "drone-admin" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestADroneThatFailsIsAskedAgain(t *testing.T) {
	for _, c := range []struct {
		fault targettest.Fault
		on    string
	}{
		{targettest.FaultInternal, "POST /api/repos/"},
		{targettest.FaultInternal, "PATCH /api/repos/"},
		{targettest.FaultUnavailable, "GET /api/repos/"},
		{targettest.FaultHTML, "GET /api/repos/"},
		{targettest.FaultDown, ""},
	} {
		s, r := site(t)
		s.drone.Break(c.fault, c.on)
		_, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{Protected: yes()})
		var unable *target.UnableError
		if err == nil || errors.As(err, &unable) || errors.Is(err, target.ErrNotListed) {
			t.Errorf("%s on %q: %v", c.fault, c.on, err)
		}
		s.drone.Heal()
		if got, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{Protected: yes()}); err != nil || got.Already {
			t.Errorf("%s on %q, healed: %+v, %v", c.fault, c.on, got, err)
		}
	}
}

func TestAForgeThatRefusesTheWebhookIsNamed(t *testing.T) {
	s, r := site(t)
	s.drone.Break(targettest.FaultInternal, "POST /api/repos/")
	if _, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); err == nil {
		t.Fatal("it was activated")
	}
	s.drone.Heal()
	// Drone keeps for an hour that she administers it; the forge does not.
	s.forge.behead("ana", r)
	_, err := s.target.Activate(t.Context(), r, []string{"ana"}, target.Settings{})
	var unable *target.UnableError
	if !errors.As(err, &unable) || !strings.Contains(err.Error(), "may not make a webhook there: the forge says Forbidden") {
		t.Errorf("%v", err)
	}
}

func TestBesideADatabaseTheAdministratorActivates(t *testing.T) {
	s, r := site(t)
	s.forge.set("drone-admin", r.ID, true)
	s.forge.head("drone-admin", r)
	if err := s.drone.LogIn("drone-admin", "", forgeToken("drone-admin")); err != nil {
		t.Fatal(err)
	}
	a, err := drone.NewActivator(drone.Config{Name: "drone", URL: s.drone.URL, AdminToken: s.drone.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	var unable *target.UnableError
	if _, err := a.Activate(t.Context(), r, []string{"ana"}, target.Settings{}); !errors.As(err, &unable) || !strings.Contains(err.Error(), "ana: no credential") {
		t.Errorf("as somebody else: %v", err)
	}
	if got, err := a.Activate(t.Context(), r, []string{"ana", "drone-admin"}, target.Settings{}); err != nil || got.As != "drone-admin" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := drone.NewActivator(drone.Config{Name: "drone", URL: s.drone.URL}); err == nil {
		t.Error("without a token")
	}
}
