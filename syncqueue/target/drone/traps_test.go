package drone_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
)

// team makes users who have the same n repositories and logged in.
func (s *sim) team(t *testing.T, n int, logins ...string) (users []providers.User, repos []providers.Repo) {
	t.Helper()
	repos = s.crowd(logins[0], n)
	for _, login := range logins {
		for _, r := range repos {
			s.forge.set(login, r.ID, true)
		}
		users = append(users, s.join(t, login))
	}
	return users, repos
}

// said makes a proxy between Drone and the forge answer lists with status 200
// and a body of its own. hookd reaches the forge by another way.
func (s *sim) said(body string) {
	s.forge.mu.Lock()
	defer s.forge.mu.Unlock()
	s.forge.fail = func(int) (int, string) { return http.StatusOK, body }
}

// silent takes that proxy away.
func (s *sim) silent() {
	s.forge.mu.Lock()
	defer s.forge.mu.Unlock()
	s.forge.fail = nil
}

// nonsense is what a proxy may answer in the place of a forge.
var nonsense = map[string]string{
	"empty list": `[]`,
	"HTML":       `<html><h1>Please log in</h1></html>`,
	"truncated":  `[{"id":1,"full_name":"acme/repo-0000"},{"id":2,"ful`,
	"nothing":    ``,
	"an object":  `{"message":"ok"}`,
	"null":       `null`,
	"one of 30":  `[{"id":1,"owner":{"login":"acme"},"name":"repo-0000","full_name":"acme/repo-0000","private":true,"default_branch":"main"}]`,
}

func TestProxyBetweenDroneAndForgeWipesNobody(t *testing.T) {
	for name, body := range nonsense {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			users, repos := s.team(t, 30, "ana", "li", "omar")
			s.said(body)
			fresh := s.forge.add("acme/fresh", "ana", "li", "omar")
			want := func(login string) target.Desired {
				return target.Desired{Present: of(append(repos, fresh)...), Count: s.forge.count(login)}
			}
			for _, u := range users {
				res, err := s.target.Sync(t.Context(), u, want(u.Login))
				if err == nil {
					t.Errorf("%s: got %+v, want an error", u.Login, res)
				}
				s.shows(t, u.Login, 30)
			}
			s.silent()
			for _, u := range users {
				if res, err := s.target.Sync(t.Context(), u, want(u.Login)); err != nil || !res.Settled() {
					t.Errorf("%s, afterwards: %+v, %v", u.Login, res, err)
				}
				s.shows(t, u.Login, 31)
			}
		})
	}
}

// long is how many repositories take Drone more than one page to read, and
// longPages how many of 50 they are, with a few more still.
const long, longPages = 201, 5

// Empty lists may begin amid a burst: what Drone was told of one user a moment
// ago says nothing of the next, however long his list is.
func TestNobodyVouchesForAnybody(t *testing.T) {
	for name, size := range map[string]int{"short": 30, "long": long} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			s := newSim(t, func(c *drone.Config) { c.Now = func() time.Time { return now } })
			users, repos := s.team(t, size, "ana", "li", "omar", "zoe")
			fresh := s.forge.add("acme/fresh", "ana", "li", "omar", "zoe")
			sync := func(u providers.User) (target.Result, error) {
				return s.target.Sync(t.Context(), u, target.Desired{Present: of(append(repos, fresh)...), Count: s.forge.count(u.Login)})
			}
			if _, err := sync(users[0]); err != nil {
				t.Fatal(err)
			}
			s.said(`[]`)
			for _, u := range users[1:] {
				_, err := sync(u)
				held(t, err)
				s.shows(t, u.Login, size)
			}
			s.silent()
			for _, u := range users {
				if res, err := sync(u); err != nil || !res.Settled() {
					t.Errorf("%s, afterwards: %+v, %v", u.Login, res, err)
				}
				s.shows(t, u.Login, size+1)
			}
		})
	}
}

// Drone may be lied to from the very moment between its preview and its sync.
// That costs who is synchronized then his list, nobody after him, and him no
// longer than the lie lasts.
func TestEmptyListsThatBeginAmidASyncStopThere(t *testing.T) {
	now := time.Now()
	s := newSim(t, func(c *drone.Config) { c.Now = func() time.Time { return now } })
	users, repos := s.team(t, 30, "ana", "li", "omar")
	fresh := s.forge.add("acme/fresh", "ana", "li", "omar")
	had := func(id string) bool { return id != fresh.ID }
	sync := func(u providers.User, last bool) (target.Result, error) {
		return s.target.Sync(t.Context(), u, target.Desired{
			Present: of(append(repos, fresh)...), Count: s.forge.count(u.Login), Seen: had, Explain: last,
		})
	}
	var lists atomic.Int32
	s.forge.gate = func() {
		if lists.Add(1) == 2 { // the first is the preview
			s.said(`[]`)
		}
	}
	if res, err := sync(users[0], false); err != nil || res.Settled() {
		t.Errorf("got %+v, %v: who lost everything is to be looked at again", res, err)
	}
	s.shows(t, "ana", 0)
	for _, u := range users[1:] {
		_, err := sync(u, false)
		held(t, err)
		s.shows(t, u.Login, 30)
	}
	syncs := s.drone.Syncs("ana")
	for range 60 { // whatever the rung of the ladder
		var later *target.LaterError
		if res, err := sync(users[0], true); !errors.As(err, &later) {
			t.Fatalf("got %+v, %v, want to look again later", res, err)
		} else if wait := later.At.Sub(now); wait < time.Second || wait > time.Minute {
			t.Fatalf("looks again after %s", wait)
		}
		now = now.Add(time.Minute)
	}
	if n := s.drone.Syncs("ana") - syncs; n != 0 {
		t.Errorf("%d syncs of who has nothing to read", n)
	}
	s.silent()
	for _, u := range users {
		if res, err := sync(u, false); err != nil || !res.Settled() {
			t.Errorf("%s, afterwards: %+v, %v", u.Login, res, err)
		}
		s.shows(t, u.Login, 31)
	}
}

func TestListOfAnotherUserTakesNothing(t *testing.T) {
	for _, on := range []string{"GET /api/users/ana/repos", "GET /api/user/repos", "POST /api/user/repos"} {
		t.Run(on, func(t *testing.T) {
			s := newSim(t)
			users, repos := s.team(t, 30, "ana")
			s.forge.add("acme/of-li", "li")
			s.join(t, "li")
			fresh := s.forge.add("acme/fresh", "ana")
			want := target.Desired{Present: of(append(repos, fresh)...), Absent: of(s.forge.add("acme/never")), Count: s.forge.count("ana")}
			s.drone.Confuse("li", on)
			res, err := s.target.Sync(t.Context(), users[0], want)
			if on == "POST /api/user/repos" && err == nil && res.Settled() {
				t.Errorf("believed of ana what is li's: %+v", res)
			}
			s.drone.Heal()
			if n := len(s.drone.Shows("ana")); n < 30 {
				t.Errorf("%d of 30 are left", n)
			}
			if !slices.Equal(s.drone.Shows("li"), []string{"acme/of-li"}) {
				t.Errorf("li sees %q", s.drone.Shows("li"))
			}
			if res, err := s.target.Sync(t.Context(), users[0], want); err != nil || !res.Settled() {
				t.Errorf("afterwards: %+v, %v", res, err)
			}
			s.shows(t, "ana", 31)
		})
	}
}

// A process that is killed amid a sync leaves the user "syncing" for good
// (source: service/syncer/syncer.go:60).
func TestDroneThatRestartsAmidASyncIsWaitedForNoLongerThanOneSync(t *testing.T) {
	now := time.Now()
	s := newSim(t, func(c *drone.Config) {
		c.Wait, c.Now = []time.Duration{time.Millisecond}, func() time.Time { return now }
	})
	users, repos := s.team(t, 3, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(append(repos, fresh)...), Count: s.forge.count("ana")}
	var lists atomic.Int32
	over := make(chan struct{})
	s.forge.gate = func() {
		if lists.Add(1) == 2 { // the first is the preview
			s.drone.CutOff()
			<-over // an answer may come before Drone notices, and its sync would be whole
		}
	}
	_, err := s.target.Sync(t.Context(), users[0], want)
	if err == nil || errors.As(err, new(*target.HeldError)) {
		t.Errorf("got %v, want a broken connection", err)
	} else {
		s.atRest(t, "ana")
	}
	close(over)
	s.drone.LeaveSyncing("ana", true)
	if _, err := s.target.Sync(t.Context(), users[0], want); err == nil || !strings.Contains(err.Error(), "another sync") {
		t.Errorf("at once: %v", err)
	}
	now = now.Add(61 * time.Second)
	if res, err := s.target.Sync(t.Context(), users[0], want); err != nil || !res.Settled() {
		t.Errorf("after a minute: %+v, %v", res, err)
	}
	s.shows(t, "ana", 4)
}

// atRest waits until Drone does not synchronize a user.
func (s *sim) atRest(t *testing.T, login string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		req, err := http.NewRequest(http.MethodGet, s.drone.URL+"/api/users/"+login, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.drone.AdminToken())
		var u struct{ Syncing bool }
		if res, err := http.DefaultClient.Do(req); err == nil {
			err = json.NewDecoder(res.Body).Decode(&u)
			_ = res.Body.Close()
			if err == nil && !u.Syncing {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("Drone still synchronizes %s", login)
}

// Two hookd at one Drone are not supported: each knows of its own syncs only.
// What Drone shows in the end is right all the same, as each of them reads the
// forge and not the other.
func TestTwoHookdAtOneDroneEndAsTheForgeSays(t *testing.T) {
	s := newSim(t)
	users, repos := s.team(t, 30, "ana", "li")
	fresh := s.forge.add("acme/fresh", "ana", "li")
	for _, u := range users {
		s.forge.set(u.Login, repos[0].ID, false)
	}
	both := []*drone.Target{s.target, s.with(t, func(c *drone.Config) { c.Wait = slices.Repeat([]time.Duration{time.Millisecond}, 1000) })}
	var wg sync.WaitGroup
	for _, tg := range both {
		for _, u := range users {
			wg.Go(func() {
				// Of two syncs at once the slower one restores what it read at its
				// start; the next look finds it.
				want := target.Desired{Present: of(append(repos[1:], fresh)...), Absent: of(repos[0]), Count: s.forge.count(u.Login)}
				for range 10 {
					if res, err := tg.Sync(t.Context(), u, want); err == nil && res.Settled() {
						return
					}
				}
				t.Errorf("%s is never right", u.Login)
			})
		}
	}
	wg.Wait()
	for _, u := range users {
		s.shows(t, u.Login, 30)
		if slices.Contains(s.drone.Shows(u.Login), repos[0].Path) {
			t.Errorf("%s still sees %s", u.Login, repos[0].Path)
		}
	}
}

// Somebody whom an event concerned a moment ago may log in now: that he was no
// user must not be remembered against him, or nobody would ever look again.
func TestStrangerWhoLogsInAtOnceIsLookedAt(t *testing.T) {
	now := time.Now()
	s := newSim(t, func(c *drone.Config) { c.Now = func() time.Time { return now } })
	r := s.forge.add("acme/app", "zoe")
	u := providers.User{ID: "u-zoe", Login: "zoe"}
	want := target.Desired{Present: of(r), Count: s.forge.count("zoe")}
	for range 2 { // the second time by the list of users
		if _, err := s.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrNoAccount) {
			t.Fatalf("got %v", err)
		}
	}
	if err := s.drone.LogIn("zoe", droneToken("zoe"), forgeToken("zoe")); err != nil {
		t.Fatal(err)
	}
	s.target.Greet("Zoe")
	if res, err := s.target.Sync(t.Context(), u, want); err != nil || !res.Settled() {
		t.Errorf("got %+v, %v", res, err)
	}
}
