package woodpecker_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

func TestNoFaultOfWoodpeckerTakesOrClaimsAnything(t *testing.T) {
	paths := []string{"GET /api/user", "GET /api/user/repos", "GET /api/repos", "POST /api/user/repos/refresh", ""}
	faults := []targettest.Fault{
		targettest.FaultDown, targettest.FaultUnavailable, targettest.FaultInternal, targettest.FaultHTML,
		targettest.FaultTruncated, targettest.FaultStranger,
	}
	for _, kind := range faults {
		for _, on := range paths {
			t.Run(string(kind)+" "+on, func(t *testing.T) {
				s := newSim(t)
				u := s.join(t, "ana")
				kept, lost := s.live(t, "one", "ana"), s.live(t, "two", "ana")
				s.sync(t, u, target.Desired{Present: held(kept, lost)})
				s.revoke(t, "ana", lost)
				tg := s.with(t) // remembers nothing
				s.wood.Break(kind, on)
				res, err := tg.Sync(t.Context(), u, target.Desired{Present: held(kept), Absent: held(lost)})
				if err == nil {
					t.Errorf("got %+v and no error", res)
				}
				// Only who is refused alone, with the administrator heard, was refused.
				if errors.Is(err, target.ErrRejected) || errors.Is(err, target.ErrMustLogIn) || errors.Is(err, target.ErrNoAccount) {
					if kind != targettest.FaultStranger || on == "" || on == "GET /api/user" {
						t.Errorf("an outage is called the user's fault: %v", err)
					}
				}
				s.wood.Heal()
				if got := s.wood.Shows("ana"); !slices.Contains(got, kept.Path) {
					t.Errorf("shows %q: what was to stay is gone", got)
				}
			})
		}
	}
}

func TestEmptyListOfWoodpeckersIsNotBelievedAtOnce(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	kept, lost := s.live(t, "one", "ana"), s.live(t, "two", "ana")
	s.sync(t, u, target.Desired{Present: held(kept, lost)})
	answers := 0
	tg := s.with(t, func(c *woodpecker.Config) {
		c.Observe = func(int) {
			// whoami, what is active, and the first list, which is made up
			if answers++; answers == 3 {
				s.wood.Heal()
			}
		}
	})
	s.wood.Break(targettest.FaultEmptyList, "GET /api/user/repos")
	if res, err := tg.Sync(t.Context(), u, target.Desired{Present: held(kept), Absent: held(lost)}); err == nil || !strings.Contains(err.Error(), "disagree") {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestSpentSessionWantsTheUser(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	kept := s.live(t, "one", "ana")
	s.sync(t, u, target.Desired{Present: held(kept)})
	fresh := s.live(t, "two", "ana")
	s.wood.SpendSession("ana")
	for name, want := range map[string]target.Desired{
		"something comes":    {Present: held(kept, fresh)},
		"something goes":     {Absent: held(kept)},
		"something is asked": {Present: held(kept, fresh), Explain: true},
	} {
		if _, err := s.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrMustLogIn) {
			t.Errorf("%s: got %v, want ErrMustLogIn", name, err)
		}
	}
	if got := s.wood.Shows("ana"); !slices.Equal(got, []string{kept.Path}) {
		t.Errorf("shows %q", got)
	}
	s.logIn(t, "ana")
	if res := s.sync(t, u, target.Desired{Present: held(kept, fresh)}); !res.Settled() {
		t.Errorf("after his login: %+v", res)
	}
}

func TestForgeThatIsAwayIsNoReasonToLogIn(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.live(t, "one", "ana")
	for _, kind := range []providerstest.FaultKind{providerstest.FaultError, providerstest.FaultHTML} {
		heal := s.forge.Break(providerstest.Fault{Kind: kind})
		_, err := s.target.Sync(t.Context(), u, target.Desired{Present: held(fresh)})
		if err == nil || errors.Is(err, target.ErrMustLogIn) || errors.Is(err, target.ErrRejected) {
			t.Errorf("%v: got %v, want what a retry may cure", kind, err)
		}
		heal()
	}
}

func TestTokenOfSomebodyElseIsRefused(t *testing.T) {
	s := newSim(t)
	ana := s.join(t, "ana")
	s.join(t, "li")
	r := s.live(t, "one", "ana", "li")
	s.write(t, "ana", woodToken("li"))
	if _, err := s.target.Sync(t.Context(), ana, target.Desired{Present: held(r)}); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	if got := s.target.Credential("ana"); got != target.CredentialRejected {
		t.Errorf("Credential is %s", got)
	}
	if got := s.wood.Shows("li"); len(got) != 0 {
		t.Errorf("li was made to see %q", got)
	}
}

func TestRefusedTokenMakesNoStranger(t *testing.T) {
	s := newSim(t)
	r := s.live(t, "one")
	want := target.Desired{Present: held(r)}
	if _, err := s.target.Sync(t.Context(), s.user(t, "zoe"), want); !errors.Is(err, target.ErrNoAccount) {
		t.Fatalf("got %v", err)
	}
	ana := s.join(t, "ana") // after the users were listed
	s.write(t, "ana", "spoilt")
	for range 2 {
		if _, err := s.target.Sync(t.Context(), ana, want); !errors.Is(err, target.ErrRejected) {
			t.Errorf("got %v, want ErrRejected", err)
		}
	}
}

func TestRenamedUserIsToldByTheForgesID(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "one", "ana")
	if err := s.forge.RenameAccount("ana", "anna"); err != nil {
		t.Fatal(err)
	}
	s.write(t, "anna", woodToken("ana")) // Woodpecker still calls her ana
	u.Login = "anna"
	if res := s.sync(t, u, target.Desired{Present: held(r)}); !res.Settled() {
		t.Errorf("got %+v", res)
	}
	// Whoever has the old name now is somebody else.
	other := s.user(t, "ana")
	if _, err := s.target.Sync(t.Context(), other, target.Desired{Present: held(r)}); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

func TestRejectionWithoutWitnessIsBelievedForTenMinutes(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.live(t, "one", "ana")
	now := time.Now()
	tg := s.with(t, anonymous, func(c *woodpecker.Config) { c.Now = func() time.Time { return now } })
	want := target.Desired{Present: held(fresh)}
	s.wood.Break(targettest.FaultStranger, "") // Woodpecker's database is away: everybody is refused
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	s.wood.Heal()
	now = now.Add(9 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	now = now.Add(2 * time.Minute)
	if _, err := tg.Sync(t.Context(), u, want); err != nil {
		t.Error(err)
	}
}

func TestTokensStayWithTheAddressAndOutOfErrors(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "one", "ana")
	token := woodToken("ana")
	var log strings.Builder
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "you sent "+r.Header.Get("Authorization"), http.StatusInternalServerError)
	}))
	defer echo.Close()
	tg := s.with(t, func(c *woodpecker.Config) { c.URL, c.AdminToken, c.Log = echo.URL, token, logTo(&log) })
	_, err := tg.Sync(t.Context(), u, target.Desired{Present: held(r)})
	if err == nil || strings.Contains(err.Error(), token) || strings.Contains(log.String(), token) {
		t.Errorf("got %v, log %s", err, log.String())
	}

	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	s.wood.Redirect(thief.URL)
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: held(r)}); err == nil {
		t.Error("a redirect was followed")
	}
}

func TestHostileNamesAreNoPaths(t *testing.T) {
	s := newSim(t, anonymous)
	u := s.join(t, "ana")
	for _, login := range []string{"", "..", "../ana", "a/b", "a b", "a\\b"} {
		if _, err := s.target.Sync(t.Context(), providers.User{ID: "9", Login: login}, target.Desired{}); !errors.Is(err, target.ErrNoAccount) {
			t.Errorf("%q: got %v", login, err)
		}
	}
	for _, path := range []string{"../../user", "acme/..", "acme/a b", "?all=true", ""} {
		r := providers.Repo{ID: "7", Path: path}
		if res := s.sync(t, u, target.Desired{Present: held(r)}); !slices.Equal(res.Missing, []string{"7"}) {
			t.Errorf("%q: got %+v", path, res)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for name, cfg := range map[string]woodpecker.Config{
		"no folder": {URL: "https://ci.example.com"},
		"no scheme": {URL: "ci.example.com", TokenDir: "x"},
		"password":  {URL: "https://me:canary@ci.example.com", TokenDir: "x"},
	} {
		if _, err := woodpecker.New(cfg); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Woodpecker's SQLite is locked for a moment while somebody else's look writes.
func TestLockedDatabaseIsAskedAgain(t *testing.T) {
	for locked := range 4 {
		s := newSim(t)
		u := s.join(t, "ana")
		fresh := s.live(t, "one", "ana")
		failed := 0
		tg := s.with(t, func(c *woodpecker.Config) {
			c.Observe = func(code int) {
				if code == http.StatusInternalServerError {
					failed++
				}
				if failed == locked {
					s.wood.Heal()
				}
			}
		})
		if locked > 0 {
			s.wood.Break(targettest.FaultInternal, "GET /api/user")
		}
		res, err := tg.Sync(t.Context(), u, target.Desired{Present: held(fresh)})
		if settled := err == nil && res.Settled(); settled != (locked < 3) || failed != locked {
			t.Errorf("after %d of %d: %+v, %v", failed, locked, res, err)
		}
	}
}
