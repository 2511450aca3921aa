package drone_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// Whatever acts as a user, or changes his account, waits for a sync of his that
// hookd makes: the sync would write back the row that it read.
func TestNothingTouchesAnAccountAmidItsSync(t *testing.T) {
	for name, act := range map[string]func(ctx context.Context, s *sim, li providers.User) error{
		"deactivation": func(ctx context.Context, s *sim, li providers.User) error {
			_, err := s.target.Deactivate(ctx, li, target.Leaving{})
			return err
		},
		"reactivation": func(ctx context.Context, s *sim, li providers.User) error { return s.target.Reactivate(ctx, li) },
		"activation of a repository": func(ctx context.Context, s *sim, _ providers.User) error {
			_, err := s.target.Activate(ctx, providers.Repo{ID: "99", Path: "acme/new"}, []string{"LI"}, target.Settings{})
			return err
		},
		"opening what a leaver owned": func(ctx context.Context, s *sim, _ providers.User) error {
			heirs := func(context.Context, string) ([]string, error) { return []string{"li"}, nil }
			_, err := s.target.Deactivate(ctx, providers.User{ID: "u-ana", Login: "ana"}, target.Leaving{Heirs: heirs})
			return err
		},
		"another sync": func(ctx context.Context, s *sim, li providers.User) error {
			_, err := s.target.Sync(ctx, li, target.Desired{Present: of(s.forge.list("li")...)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, li := offices(t)
			fresh := s.forge.add("acme/fresh", "li")
			began, goOn := make(chan struct{}), make(chan struct{})
			once := sync.OnceFunc(func() { close(began); <-goOn })
			s.forge.mu.Lock()
			s.forge.gate = once
			s.forge.mu.Unlock()
			ended := make(chan error)
			go func() {
				_, err := s.target.Sync(t.Context(), li, target.Desired{Present: of(fresh)})
				ended <- err
			}()
			<-began
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := act(ctx, s, li); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it did not wait: %v", err)
			}
			close(goOn)
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if !s.drone.Active("li") || s.drone.MaxParallelSyncs("li") != 1 {
				t.Errorf("active %t, %d syncs at once", s.drone.Active("li"), s.drone.MaxParallelSyncs("li"))
			}
		})
	}
}

// The other way round: no sync begins amid a deactivation that hookd makes.
func TestNobodyIsSynchronizedAmidHisDeactivation(t *testing.T) {
	s, li := offices(t, func(c *drone.Config) { c.SyncTimeout = time.Second })
	fresh := s.forge.add("acme/fresh", "li")
	syncs := s.drone.Syncs("li")
	s.drone.Break(targettest.FaultUnheard, "PATCH /api/users/li")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.target.Deactivate(t.Context(), li, target.Leaving{})
	}()
	for s.drone.Struck() == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.target.Sync(ctx, li, target.Desired{Present: of(fresh)}); !errors.Is(err, context.DeadlineExceeded) || s.drone.Syncs("li") != syncs {
		t.Errorf("%v, and %d syncs began", err, s.drone.Syncs("li")-syncs)
	}
	<-ended
	if s.drone.Active("li") {
		t.Error("he is active")
	}
}

// Cut off after any of its requests, a deactivation was not begun or is done, with
// everything accounted for.
func TestDeactivationOutlivesItsCaller(t *testing.T) {
	begun := 0
	for last := 1; begun == 0 || last < begun+4; last++ {
		ctx, cancel := context.WithCancel(t.Context())
		answers := 0
		s, li := offices(t, func(c *drone.Config) {
			c.Observe = func(int) {
				if answers++; answers == last {
					cancel()
				}
			}
		})
		got, err := s.target.Deactivate(ctx, li, target.Leaving{})
		cancel()
		done := !s.drone.Active("li")
		switch {
		case done && begun == 0:
			begun = last
			fallthrough
		case done:
			if err != nil || got.Owners["acme/shared"] != "ana" {
				t.Errorf("cut off after %d answers: %+v, %v", last, got, err)
			}
		case err == nil:
			t.Errorf("cut off after %d answers: nothing done, and no error", last)
		}
		if last > 50 {
			t.Fatal("it is never done")
		}
	}
}
