package drone_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// offices is a Drone where li owns what ana administers as well, and something
// that nobody else does.
func offices(t *testing.T, edit ...func(*drone.Config)) (s *sim, li providers.User) {
	t.Helper()
	s = newSim(t, append([]func(*drone.Config){func(c *drone.Config) { c.Wait = []time.Duration{time.Millisecond, time.Millisecond} }}, edit...)...)
	s.forge.add("acme/shared", "ana", "li")
	s.forge.add("acme/alone", "li")
	s.forge.add("acme/others", "ana", "li")
	s.join(t, "ana")
	li = s.join(t, "li")
	s.drone.Own("acme/shared", "li", "ana")
	s.drone.Own("acme/alone", "li")
	s.drone.Own("acme/others", "ana")
	return s, li
}

func TestLeaverIsDeactivatedAndHandsOverWhatHeOwned(t *testing.T) {
	s, li := offices(t)
	got, err := s.target.Deactivate(t.Context(), li, target.Leaving{})
	want := target.Departure{
		Listed: []string{"acme/alone", "acme/others", "acme/shared"},
		Owned:  map[string]string{"acme/alone": "2", "acme/shared": "1"},
		Tried:  true,
		Owners: map[string]string{"acme/alone": "", "acme/shared": "ana"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	if s.drone.Active("li") {
		t.Error("he is still active")
	}
	if owner := s.drone.Repository("acme/others").Owner; owner != "ana" {
		t.Errorf("what was not his belongs to %q", owner)
	}
	if again, err := s.target.Deactivate(t.Context(), li, target.Leaving{}); err != nil || !again.Already {
		t.Errorf("again: %+v, %v", again, err)
	}

	// Inactive, he can still be synchronized, and stays inactive.
	for _, r := range s.forge.list("li") {
		s.forge.set("li", r.ID, false)
		want := target.Desired{Absent: of(r), Force: true}
		if _, err := s.target.Sync(t.Context(), li, want); err != nil {
			t.Fatal(err)
		}
	}
	s.shows(t, "li", 0)
	if s.drone.Active("li") {
		t.Error("the sync brought him back")
	}
	if err := s.target.Reactivate(t.Context(), li); err != nil || !s.drone.Active("li") {
		t.Errorf("coming back: active %t, %v", s.drone.Active("li"), err)
	}
}

// Drone hands over to whom it knows to administer a repository, which it finds
// out when he opens it.
func TestWhatALeaverOwnedGoesToWhomTheForgeLetsAdministerIt(t *testing.T) {
	s, li := offices(t)
	alone := s.forge.list("li")[0]
	s.forge.set("ana", alone.ID, true)
	s.forge.head("ana", alone)
	if alone.Path != "acme/alone" || s.button(t, "ana") != http.StatusOK {
		t.Fatal("ana does not see acme/alone")
	}
	asked := []string{}
	heirs := func(_ context.Context, id string) ([]string, error) {
		asked = append(asked, id)
		return []string{"nobody", "ana"}, nil
	}
	got, err := s.target.Deactivate(t.Context(), li, target.Leaving{Heirs: heirs})
	if err != nil || got.Owners["acme/alone"] != "ana" || len(asked) != 2 {
		t.Errorf("%+v, %v, asked about %v", got, err, asked)
	}
}

// What a sync took is not handed over: the order matters.
func TestASyncBeforeDeactivationLeavesRepositoriesToTheLeaver(t *testing.T) {
	s, li := offices(t)
	var all []providers.Access
	for _, r := range s.forge.list("li") {
		s.forge.set("li", r.ID, false)
		all = append(all, of(r)...)
	}
	if _, err := s.target.Sync(t.Context(), li, target.Desired{Absent: all, Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.target.Deactivate(t.Context(), li, target.Leaving{}); err != nil {
		t.Fatal(err)
	}
	if owner := s.drone.Repository("acme/shared").Owner; owner != "li" {
		t.Errorf("the simulated Drone hands over %q, which a real one does not", owner)
	}
}

func TestWhoIsNeverDeactivated(t *testing.T) {
	s, li := offices(t)
	s.patchUser(t, "li", `{"admin":true}`)
	for name, test := range map[string]struct {
		user  providers.User
		named []string
		spare string
	}{
		"an administrator":              {li, nil, "offboard_admins"},
		"whose token hookd acts with":   {providers.User{ID: "1", Login: "drone-admin"}, []string{"drone-admin"}, "hookd acts"},
		"an administrator who is named": {li, []string{"LI"}, ""},
	} {
		got, err := s.target.Deactivate(t.Context(), test.user, target.Leaving{Admins: test.named, Dry: true})
		if err != nil || (test.spare == "") != (got.Exempt == "") || !strings.Contains(got.Exempt, test.spare) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if !s.drone.Active("li") {
		t.Error("a dry run deactivated him")
	}
	if _, err := s.target.Deactivate(t.Context(), providers.User{ID: "9", Login: "nobody"}, target.Leaving{}); !errors.Is(err, target.ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
	plain := s.with(t, func(c *drone.Config) { c.AdminToken = "" })
	if _, err := plain.Deactivate(t.Context(), li, target.Leaving{}); !errors.Is(err, target.ErrNoAdministrator) {
		t.Errorf("without an administrator: %v", err)
	}
}

// A sync of his own that began before would write back that he is active: it is
// waited for, and nothing is done while it goes on.
func TestDeactivationWaitsForARunningSync(t *testing.T) {
	s, li := offices(t)
	s.drone.LeaveSyncing("li", true)
	if _, err := s.target.Deactivate(t.Context(), li, target.Leaving{}); err == nil || !strings.Contains(err.Error(), "another sync") {
		t.Errorf("amid a sync: %v", err)
	}
	if !s.drone.Active("li") {
		t.Fatal("deactivated amid a sync")
	}
	s.drone.LeaveSyncing("li", false)
	if _, err := s.target.Deactivate(t.Context(), li, target.Leaving{}); err != nil || s.drone.Active("li") {
		t.Errorf("after it: active %t, %v", s.drone.Active("li"), err)
	}
}

func TestDeactivationUndoneByALostUpdateIsDoneAgain(t *testing.T) {
	s, li := offices(t)
	began, goOn := make(chan struct{}), make(chan struct{})
	s.forge.mu.Lock()
	s.forge.gate = func() { close(began); <-goOn }
	s.forge.mu.Unlock()
	ended := make(chan struct{})
	go func() { // he opens the dashboard
		defer close(ended)
		s.button(t, "li")
	}()
	<-began
	s.patchUser(t, "li", `{"active":false}`)
	s.forge.mu.Lock()
	s.forge.gate = nil
	s.forge.mu.Unlock()
	close(goOn)
	<-ended
	if !s.drone.Active("li") {
		t.Fatal("the simulated Drone has no lost update, which a real one has")
	}
	if got, err := s.target.Deactivate(t.Context(), li, target.Leaving{}); err != nil || got.Already || s.drone.Active("li") {
		t.Errorf("%+v, %v, active %t", got, err, s.drone.Active("li"))
	}
}

// Whoever asked may have died before he heard that it was done, or what became
// of what the leaver owned.
func TestWhatALeaverOwnedIsAccountedForThoughHeIsInactiveAlready(t *testing.T) {
	for name, meanwhile := range map[string]func(s *sim, t *testing.T){
		"and listed": func(*sim, *testing.T) {},
		"and a sync took his list": func(s *sim, t *testing.T) {
			for _, r := range s.forge.list("li") {
				s.forge.set("li", r.ID, false)
			}
			s.button(t, "li")
			s.shows(t, "li", 0)
		},
	} {
		s, li := offices(t)
		seen, err := s.target.Deactivate(t.Context(), li, target.Leaving{Dry: true})
		if err != nil {
			t.Fatal(err)
		}
		s.patchUser(t, "li", `{"active":false}`)
		meanwhile(s, t)
		got, err := s.target.Deactivate(t.Context(), li, target.Leaving{Owned: seen.Owned})
		want := map[string]string{"acme/alone": "", "acme/shared": "ana"}
		if err != nil || !got.Already || got.Tried || !reflect.DeepEqual(got.Owners, want) {
			t.Errorf("inactive %s: %+v, %v", name, got, err)
		}
	}
}

// Drone gives up on a repository that somebody changes at that moment, and says
// nothing (source: service/transfer/transfer.go).
func TestWhatDroneDidNotHandOverIsHandedOverAtTheSecondAttempt(t *testing.T) {
	s, li := offices(t)
	seen, err := s.target.Deactivate(t.Context(), li, target.Leaving{Dry: true})
	if err != nil {
		t.Fatal(err)
	}
	s.patchUser(t, "li", `{"active":false}`)
	s.drone.Own("acme/shared", "li", "ana")
	got, err := s.target.Deactivate(t.Context(), li, target.Leaving{Owned: seen.Owned})
	if err != nil || got.Owners["acme/shared"] != "ana" || s.drone.Deactivations("li") != 1 {
		t.Errorf("%+v, %v, deactivated %d times", got, err, s.drone.Deactivations("li"))
	}
}

func TestWhetherADeactivationMayHaveComeToPassIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		fault       targettest.Fault
		on          string
		tried, done bool
	}{
		"refused":                       {targettest.FaultInternal, "PATCH", false, false},
		"done, though it said no":       {targettest.FaultUnheard, "PATCH", true, true},
		"done, and nothing was seen of": {targettest.FaultInternal, "GET /api/users/li/repos", false, false},
	} {
		s, li := offices(t, func(c *drone.Config) { c.SyncTimeout = 200 * time.Millisecond })
		s.drone.Break(test.fault, test.on)
		got, err := s.target.Deactivate(t.Context(), li, target.Leaving{})
		if err == nil || got.Tried != test.tried || s.drone.Active("li") == test.done {
			t.Errorf("%s: %+v, %v, active %t", name, got, err, s.drone.Active("li"))
		}
	}
}

// patchUser is an administrator who changes an account by hand.
func (s *sim) patchUser(t *testing.T, login, body string) {
	t.Helper()
	s.change(t, http.MethodPatch, "/api/users/"+login, body)
}

// change is an administrator at work.
func (s *sim) change(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequest(method, s.drone.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.drone.AdminToken())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, res.Status)
	}
}
