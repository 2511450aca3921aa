package drone_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// crowd gives a login n repositories.
func (s *sim) crowd(login string, n int) []providers.Repo {
	out := make([]providers.Repo, n)
	for i := range out {
		out[i] = s.forge.add(fmt.Sprintf("acme/repo-%04d", i), login)
	}
	return out
}

func held(t *testing.T, err error) *target.HeldError {
	t.Helper()
	var h *target.HeldError
	if !errors.As(err, &h) {
		t.Fatalf("got %v, want it held", err)
	}
	return h
}

func (s *sim) shows(t *testing.T, login string, n int) {
	t.Helper()
	if got := len(s.drone.Shows(login)); got != n {
		t.Errorf("Drone shows %s %d repositories, want %d", login, got, n)
	}
}

func TestEmptyCatalogueTakesNoneOf950Away(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 950)
	u := s.join(t, "ana")
	s.shows(t, "ana", 950)
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(fresh)}

	want.Count = func(context.Context) (int, error) { return 0, nil }
	_, err := s.target.Sync(t.Context(), u, want)
	if h := held(t, err); h.Have != 950 || h.Expect != 0 || h.Explained != 0 {
		t.Errorf("held with %+v", h)
	}
	s.shows(t, "ana", 950)

	want.Count = s.forge.count("ana")
	res, err := s.target.Sync(t.Context(), u, want)
	if err != nil {
		t.Fatal(err)
	}
	if res.Before != 950 || res.After != 951 || len(res.Shown) != 1 {
		t.Errorf("got %d before, %d after, shown %v", res.Before, res.After, res.Shown)
	}
	s.shows(t, "ana", 951)
}

func TestEmptyForgeListIsHeld(t *testing.T) {
	for name, count := range map[string]func(*sim) func(context.Context) (int, error){
		"counted":             func(s *sim) func(context.Context) (int, error) { return s.forge.count("ana") },
		"no way to count":     func(*sim) func(context.Context) (int, error) { return nil },
		"unknown and removal": func(*sim) func(context.Context) (int, error) { return unknown },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			repos := s.crowd("ana", 30)
			u := s.join(t, "ana")
			for _, r := range repos {
				s.forge.set("ana", r.ID, false)
			}
			want := target.Desired{Present: of(repos[1:]...), Absent: of(repos[0]), Count: count(s)}
			syncs := s.drone.Syncs("ana")
			_, err := s.target.Sync(t.Context(), u, want)
			if h := held(t, err); h.Have != 30 || h.Expect != 0 {
				t.Errorf("held with %+v", h)
			}
			if s.drone.Syncs("ana") != syncs {
				t.Error("Drone synchronized all the same")
			}
			s.shows(t, "ana", 30)
		})
	}
}

func unknown(context.Context) (int, error) { return target.Unknown, nil }

func TestUnknownCountLeavesThePreviewToDecide(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", long)
	u := s.join(t, "ana")
	for i := range 3 {
		fresh := s.forge.add(fmt.Sprintf("acme/fresh-%d", i), "ana")
		before := s.drone.ForgeCalls()
		res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh), Count: unknown})
		if err != nil || !res.Settled() {
			t.Fatalf("got %+v, %v", res, err)
		}
		if n := s.drone.ForgeCalls() - before; n != 2*longPages {
			t.Errorf("addition %d: Drone asked the forge %d times, want %d", i, n, 2*longPages)
		}
	}
}

func TestMissingLinkHeaderIsHeld(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 120)
	u := s.join(t, "ana")
	s.forge.noLink = true
	fresh := s.forge.add("acme/fresh", "ana")
	syncs := s.drone.Syncs("ana")
	_, err := s.target.Sync(t.Context(), u, target.Desired{
		Present: of(fresh),
		Count: func(context.Context) (int, error) {
			return 0, fmt.Errorf("121 repositories and no next page: %w", providers.ErrNonsense)
		},
	})
	if !errors.Is(err, providers.ErrNonsense) {
		t.Errorf("got %v, want the count's own error", err)
	}
	// A forge that cannot count is looked up through Drone, which sees only one page.
	_, err = s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh)})
	if h := held(t, err); h.Have != 120 || h.Expect != 49 { // fresh is one of the 50
		t.Errorf("held with %+v", h)
	}
	if s.drone.Syncs("ana") != syncs {
		t.Error("Drone synchronized all the same")
	}
	s.shows(t, "ana", 120)
}

func TestExplainedLossIsNotHeld(t *testing.T) {
	for name, count := range map[string]func(*sim) func(context.Context) (int, error){
		"counted":         func(s *sim) func(context.Context) (int, error) { return s.forge.count("li") },
		"no way to count": func(*sim) func(context.Context) (int, error) { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t)
			repos := s.crowd("li", 300)
			u := s.join(t, "li")
			for _, r := range repos[:299] {
				s.forge.set("li", r.ID, false)
			}
			res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(repos[299]), Absent: of(repos[:299]...), Count: count(s)})
			if err != nil || len(res.Gone) != 299 || len(res.Shown) != 1 {
				t.Errorf("%d gone, %d shown, %v", len(res.Gone), len(res.Shown), err)
			}
		})
	}
}

func TestLeaverLosesEverythingWithoutAnOperator(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("li", 60)
	u := s.join(t, "li")
	for _, r := range repos {
		s.forge.set("li", r.ID, false)
	}
	res, err := s.target.Sync(t.Context(), u, target.Desired{Complete: true, Absent: of(repos...), Count: s.forge.count("li")})
	if err != nil || len(res.Gone) != 60 || res.After != 0 {
		t.Fatalf("got %d gone, %d after, %v", len(res.Gone), res.After, err)
	}
	s.shows(t, "li", 0)
}

func TestArchivedIsAnExplainedLoss(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 30)
	u := s.join(t, "ana")
	for _, r := range repos[:20] {
		s.forge.change(r.ID, func(r *providers.Repo) { r.Archived = true })
	}
	fresh := s.forge.add("acme/fresh", "ana")
	res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh)})
	if err != nil || res.After != 11 {
		t.Fatalf("got %d after, %v", res.After, err)
	}
}

func TestSatisfiedUserIsNotSynced(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 5)
	u := s.join(t, "ana")
	attic := providers.Repo{ID: "900", Path: "acme/attic", Archived: true}
	deep := providers.Repo{ID: "901", Path: "acme/sub/deep"}
	forge, syncs, calls := s.drone.ForgeCalls(), s.drone.Syncs("ana"), s.drone.Calls()
	res, err := s.target.Sync(t.Context(), u, target.Desired{
		Complete: true, Present: append(of(repos...), of(attic, deep)...), Absent: of(providers.Repo{ID: "999"}),
	})
	if err != nil || res.Synced || !res.Settled() || len(res.Shown) != 5 || len(res.Gone) != 1 || len(res.Hidden) != 2 {
		t.Fatalf("got %+v, %v", res, err)
	}
	if s.drone.ForgeCalls() != forge || s.drone.Syncs("ana") != syncs {
		t.Error("the forge was read for a user who has everything")
	}
	if n := s.drone.Calls() - calls; n != 2 {
		t.Errorf("%d requests to Drone, want 2", n)
	}
}

func TestUserWithoutTokenWhoSeesEverythingIsDone(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 3)
	if err := s.drone.LogIn("ana", droneToken("ana"), forgeToken("ana")); err != nil {
		t.Fatal(err)
	}
	res, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(repos...)})
	if err != nil || !res.Settled() || len(res.Shown) != 3 {
		t.Fatalf("got %+v, %v", res, err)
	}
}

func TestNeverTwoSyncsAtOnceForOneUser(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	var fresh []providers.Repo
	for i := range 12 {
		fresh = append(fresh, s.forge.add(fmt.Sprintf("acme/f%d", i)))
	}
	var wg sync.WaitGroup
	for i, r := range fresh {
		login := []string{"ana", "Ana", "ANA"}[i%3]
		wg.Go(func() {
			s.forge.set("ana", r.ID, true)
			_, err := s.target.Sync(t.Context(), providers.User{ID: u.ID, Login: login}, target.Desired{Present: of(r)})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.drone.MaxParallelSyncs("ana"); n != 1 {
		t.Errorf("%d syncs at once", n)
	}
	s.shows(t, "ana", 12)
}

func TestSimulatedDroneHasTheRaceThatIsAvoided(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 1)
	s.join(t, "ana")
	var arrived sync.WaitGroup
	arrived.Add(2)
	s.forge.gate = func() { arrived.Done(); arrived.Wait() }
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { s.button(t, "ana") })
	}
	wg.Wait()
	if n := s.drone.MaxParallelSyncs("ana"); n != 2 {
		t.Errorf("%d syncs at once, want Drone to allow 2", n)
	}
}

// button presses Sync in the browser.
func (s *sim) button(t *testing.T, login string) int {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.drone.URL+"/api/user/repos", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+droneToken(login))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestRenamedRepositoryIsMissingUntilSlugMoves(t *testing.T) {
	s := newSim(t)
	x, y := s.forge.add("acme/x", "ana"), s.forge.add("acme/y", "ana")
	u := s.join(t, "ana")
	// y takes the name of a deleted x: Drone needs two syncs to follow.
	s.forge.set("ana", x.ID, false)
	y = s.forge.change(y.ID, func(r *providers.Repo) { r.Path = "acme/X" })
	y = s.forge.change(y.ID, func(r *providers.Repo) { r.Path = "acme/x" })
	want := target.Desired{Present: of(y), Absent: of(x), Count: s.forge.count("ana"), Explain: true}
	res, err := s.target.Sync(t.Context(), u, want)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Missing) != 1 || len(res.Hidden) != 0 || len(res.Gone) != 1 {
		t.Fatalf("got %+v, want %s missing under its new name and not called hidden", res, y.ID)
	}
	if res, err = s.target.Sync(t.Context(), u, want); err != nil || len(res.Shown) != 1 {
		t.Fatalf("got %+v, %v", res, err)
	}
}

func TestHostileLoginNeverBecomesAPath(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 2)
	s.join(t, "ana")
	outside := newSim(t)
	outside.write(t, "victim", "token-of-somebody")
	hostile := []string{
		"", ".", "..", "../victim", outside.dir + "/victim", "a/b", "..\\victim", "ana\x00", "ana\r\nX-Admin: 1", "ana/../ana",
		"ana?async=true", "ana#", "%2e%2e", "..%2fvictim", ".data", " ana", strings.Repeat("a", 64<<10), "\xff\xfe", "\u202eana", "<script>",
	}
	s.write(t, ".data", droneToken("ana"))
	for _, login := range hostile {
		if got := s.target.Credential(login); got != target.CredentialMissing && providers.Fold(login) != "ana" {
			t.Errorf("%.40q has a credential: %s", login, got)
		}
		_, err := s.target.Sync(t.Context(), providers.User{Login: login}, target.Desired{Present: of(providers.Repo{ID: "77", Path: "acme/x"})})
		if !errors.Is(err, target.ErrNoAccount) && !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("%.40q: got %v", login, err)
		}
	}
	if n := s.drone.Syncs("ana"); n != 1 {
		t.Errorf("ana was synchronized %d times, want her first login only", n)
	}
}

func TestNumericLoginIsNotAnID(t *testing.T) {
	s := newSim(t)
	s.join(t, "ana") // Drone's user 2
	_, err := s.target.Sync(t.Context(), providers.User{Login: "2"}, target.Desired{Present: of(providers.Repo{ID: "7"})})
	if !errors.Is(err, target.ErrNoAccount) {
		t.Errorf("got %v, want ErrNoAccount", err)
	}
}

func TestTokenInTheWrongFileSyncsNobody(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 2)
	s.join(t, "ana")
	u := s.join(t, "li")
	s.write(t, "li", droneToken("ana"))
	syncs := s.drone.Syncs("ana")
	_, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(providers.Repo{ID: "7", Path: "a/b"})})
	if !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v, want ErrRejected", err)
	}
	if s.drone.Syncs("ana") != syncs {
		t.Error("somebody else was synchronized")
	}
	if got := s.target.Credential("ana"); got != target.CredentialUnknown {
		t.Errorf("the same token in its owner's file is %s", got)
	}
}

func TestRedirectNeverCarriesToken(t *testing.T) {
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	s := newSim(t)
	u := s.join(t, "ana")
	s.drone.Redirect(other.URL)
	for _, tg := range []*drone.Target{s.target, s.with(t, func(c *drone.Config) { c.AdminToken = "" })} {
		_, err := tg.Sync(t.Context(), u, target.Desired{Present: of(providers.Repo{ID: "7", Path: "a/b"})})
		if err == nil || errors.Is(err, target.ErrRejected) {
			t.Errorf("got %v, want a failure of the CI server", err)
		}
	}
	if len(got) != 0 {
		t.Errorf("the other host was asked: %q", got)
	}
}

func TestTokenNeverInErrors(t *testing.T) {
	const admin = "admin-canary-4711"
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `{"message":"cannot do this with %s\r\n\u001b[31m"}`, r.Header.Get("Authorization"))
	}))
	defer echo.Close()
	s := newSim(t)
	u := s.join(t, "ana")
	var log strings.Builder
	for _, token := range []string{admin, ""} {
		tg := s.with(t, func(c *drone.Config) { c.URL, c.AdminToken, c.Log = echo.URL, token, logTo(&log) })
		_, err := tg.Sync(t.Context(), u, target.Desired{Present: of(providers.Repo{ID: "7", Path: "a/b"})})
		for _, secret := range []string{admin, droneToken("ana"), "\x1b", "\n"} {
			if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(log.String(), droneToken("ana")) {
				t.Errorf("%q is in %v or the log", secret, err)
			}
		}
	}
	for _, bad := range []string{"https://ana:secret-canary@ci.example.com", "http://ci.example.com/?token=secret-canary", "http://[secret-canary"} {
		if _, err := drone.New(drone.Config{URL: bad, TokenDir: "x"}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestFaultsOfDroneTakeNothingAway(t *testing.T) {
	for _, f := range []targettest.Fault{
		targettest.FaultDown, targettest.FaultUnavailable, targettest.FaultInternal, targettest.FaultHTML,
		targettest.FaultEmptyList, targettest.FaultTruncated, targettest.FaultStranger,
	} {
		for _, on := range []string{"", "GET /api/users/ana/repos", "POST /api/user/repos"} {
			t.Run(string(f)+" "+on, func(t *testing.T) {
				s := newSim(t)
				repos := s.crowd("ana", 30)
				u := s.join(t, "ana")
				fresh := s.forge.add("acme/fresh", "ana")
				want := target.Desired{Present: of(append(repos, fresh)...), Count: s.forge.count("ana")}
				s.drone.Break(f, on)
				res, err := s.target.Sync(t.Context(), u, want)
				if err == nil {
					t.Errorf("got %+v, want an error", res)
				}
				if errors.Is(err, target.ErrRejected) != (f == targettest.FaultStranger && on == "POST /api/user/repos") {
					t.Errorf("got %v: one user's token is not what fails here", err)
				}
				s.drone.Heal()
				if n := len(s.drone.Shows("ana")); n < 30 {
					t.Errorf("%d of 30 are left", n)
				}
			})
		}
	}
}
