package drone_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
)

func TestRejectedTokenIsNotTriedAgainUntilItChanges(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 1)
	u := s.join(t, "ana")
	s.write(t, "ana", "spoilt")
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(fresh)}
	for i := range 3 {
		before := s.drone.Calls()
		if _, err := s.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
			t.Fatalf("got %v", err)
		}
		if n := s.drone.Calls() - before; i > 0 && n != 2 {
			t.Errorf("%d requests, want the administrator's two", n)
		}
	}
	if got := s.target.Credential("ana"); got != target.CredentialRejected {
		t.Errorf("got %s", got)
	}
	s.write(t, "ana", droneToken("ana"))
	if _, err := s.target.Sync(t.Context(), u, want); err != nil {
		t.Error(err)
	}
	if got := s.with(t).Credential("ana"); got != target.CredentialUnknown {
		t.Errorf("a token that was never used is %s", got)
	}
}

func TestRejectionWithoutWitnessIsBelievedForTenMinutes(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	now := time.Now()
	tg := s.with(t, func(c *drone.Config) { c.AdminToken, c.Now = "", func() time.Time { return now } })
	want := target.Desired{Present: of(fresh)}

	s.drone.Break("stranger", "") // Drone's database is away: everybody is refused
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	s.drone.Heal()
	now = now.Add(9 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); err != nil {
		t.Error(err)
	}
}

func TestRejectedTokenThatComesBackIsTriedAgain(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	now := time.Now()
	tg := s.with(t, func(c *drone.Config) { c.Now = func() time.Time { return now } })
	s.write(t, "ana", "spoilt")
	if _, err := tg.Sync(t.Context(), u, target.Desired{Present: of(providers.Repo{ID: "1"})}); !errors.Is(err, target.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	for _, step := range []struct {
		content string
		want    target.Credential
	}{{"spoilt", target.CredentialRejected}, {"another", target.CredentialUnknown}, {"spoilt", target.CredentialUnknown}} {
		s.write(t, "ana", step.content)
		now = now.Add(2 * time.Second)
		if got := tg.Credential("ana"); got != step.want {
			t.Errorf("%s: got %s, want %s", step.content, got, step.want)
		}
	}
}
