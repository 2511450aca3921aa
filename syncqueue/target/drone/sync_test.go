package drone_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

func TestSyncOutlivesItsCaller(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	ctx, cancel := context.WithCancel(t.Context())
	s.forge.gate = func() {
		cancel()
		time.Sleep(50 * time.Millisecond) // long enough for an abandoned request to be noticed
	}
	if _, err := s.target.Sync(ctx, u, target.Desired{Present: of(fresh)}); err != nil {
		t.Errorf("got %v, want the sync finished", err)
	}
	s.shows(t, "ana", 1)
}

func TestHangingDroneIsLeftAfterTheDeadline(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	s.drone.Break(targettest.FaultHang, "POST /api/user/repos")
	tg := s.with(t, func(c *drone.Config) { c.SyncTimeout = 50 * time.Millisecond })
	if _, err := tg.Sync(t.Context(), u, target.Desired{Present: of(fresh)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestRunningSyncIsWaitedFor(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 1)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.forge.gate = func() {
		once.Do(func() { close(entered); <-leave })
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.button(t, "ana") })
	<-entered
	answers := 0
	tg := s.with(t, func(c *drone.Config) {
		c.Wait = slices.Repeat([]time.Duration{5 * time.Millisecond}, 400)
		c.Observe = func(int) {
			if answers++; answers == 3 { // account, list, and whoami: still syncing
				close(leave)
			}
		}
	})
	res, err := tg.Sync(t.Context(), u, target.Desired{Present: of(fresh)})
	if err != nil || !res.Settled() || res.Synced {
		t.Errorf("got %+v, %v; want what the other sync brought", res, err)
	}
	wg.Wait()
	if n := s.drone.MaxParallelSyncs("ana"); n != 1 {
		t.Errorf("%d syncs at once", n)
	}
}

func TestEndlessSyncingRetriesAndIsOverruledAfterHalfAnHour(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	s.drone.LeaveSyncing("ana", true)
	now := time.Now()
	tg := s.with(t, func(c *drone.Config) {
		c.Wait, c.Now = []time.Duration{time.Millisecond}, func() time.Time { return now }
	})
	want := target.Desired{Present: of(fresh)}
	for range 3 {
		_, err := tg.Sync(t.Context(), u, want)
		if err == nil || !strings.Contains(err.Error(), "another sync") {
			t.Fatalf("got %v", err)
		}
		now = now.Add(9 * time.Minute)
	}
	now = now.Add(4 * time.Minute)
	if res, err := tg.Sync(t.Context(), u, want); err != nil || !res.Settled() {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestSpentSessionWantsTheUser(t *testing.T) {
	s := newSim(t)
	s.crowd("ana", 2)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(fresh)}

	s.drone.ExpireSession("ana") // renewed once, by whoever comes first
	if _, err := s.target.Sync(t.Context(), u, want); err != nil {
		t.Fatalf("an expired session is renewed: %v", err)
	}
	s.drone.SpendSession("ana")
	s.forge.set("ana", fresh.ID, false)
	later := s.forge.add("acme/later", "ana")
	for _, w := range []target.Desired{{Present: of(later)}, {Present: of(later), Explain: true}} {
		if _, err := s.target.Sync(t.Context(), u, w); !errors.Is(err, target.ErrMustLogIn) {
			t.Fatalf("got %v, want ErrMustLogIn", err)
		}
	}
	if got := s.target.Credential("ana"); got != target.CredentialRejected || !s.target.MustLogIn("ana") {
		t.Errorf("his token of Drone is %s, must log in %t", got, s.target.MustLogIn("ana"))
	}
	if err := s.drone.LogIn("ana", "", forgeToken("ana")); err != nil {
		t.Fatal(err)
	}
	if res, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(later), Absent: of(fresh)}); err != nil || !res.Settled() {
		t.Errorf("after the login: %+v, %v", res, err)
	}
	if got := s.target.Credential("ana"); got != target.CredentialOK || s.target.MustLogIn("ana") {
		t.Errorf("after the login his token is %s, must log in %t", got, s.target.MustLogIn("ana"))
	}
}

func TestWhatDroneSaysDecidesWhoMustAct(t *testing.T) {
	for said, want := range map[string]error{
		"token was already used":        target.ErrMustLogIn,
		"unable to parse refresh token": target.ErrMustLogIn,
		"grant does not exist":          target.ErrMustLogIn, // measured
		"Unauthorized":                  target.ErrMustLogIn, // measured: the grant was withdrawn
		"Forbidden":                     nil,                 // measured: the forge bars the account for now
		"Service Unavailable":           nil,
		`Get "http://git/api/v1/user/repos?limit=100": dial tcp 127.0.0.1:3300: connect: connection refused`: nil,
	} {
		d := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case r.Method == http.MethodPost:
				w.WriteHeader(http.StatusInternalServerError)
				_ = json.NewEncoder(w).Encode(map[string]string{"message": said})
			case r.URL.Path == "/api/user":
				_, _ = w.Write([]byte(`{"id":2,"login":"ana"}`))
			default:
				_, _ = w.Write([]byte(`[]`))
			}
		}))
		s := newSim(t, func(c *drone.Config) { c.URL, c.AdminToken = d.URL, "" })
		s.write(t, "ana", "token")
		_, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(providers.Repo{ID: "1", Path: "a/b"})})
		for _, e := range []error{target.ErrMustLogIn, target.ErrRejected, target.ErrNoCredential, target.ErrNoAccount} {
			if err == nil || errors.Is(err, e) != (e == want) {
				t.Errorf("%s: got %v, want %v", said, err, want)
			}
		}
		d.Close()
	}
}

func TestOutageOfDronesDatabaseRejectsNobody(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	s.drone.Break(targettest.FaultStranger, "")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh)}); err == nil || errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
	s.drone.Heal()
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh)}); err != nil {
		t.Error(err)
	}
}

// scripted answers like a Drone that knows ana, but for the paths given.
func scripted(t *testing.T, answers map[string]func(w http.ResponseWriter)) *httptest.Server {
	d := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer, ok := answers[r.Method+" "+r.URL.Path]
		switch {
		case ok:
			answer(w)
		case strings.HasSuffix(r.URL.Path, "/repos"):
			_, _ = w.Write([]byte(`[]`))
		default:
			_, _ = w.Write([]byte(`{"id":2,"login":"ana"}`))
		}
	}))
	t.Cleanup(d.Close)
	return d
}

func says(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func against(t *testing.T, d *httptest.Server, want target.Desired, edit ...func(*drone.Config)) (target.Result, error) {
	t.Helper()
	s := newSim(t, append([]func(*drone.Config){func(c *drone.Config) { c.URL = d.URL }}, edit...)...)
	s.write(t, "ana", "token-of-ana")
	return s.target.Sync(t.Context(), providers.User{Login: "ana"}, want)
}

var wantOne = target.Desired{Present: of(providers.Repo{ID: "1", Path: "a/b"})}

func TestOutageThatBeginsMidwayRejectsNobody(t *testing.T) {
	// Both tokens are refused, but only after the administrator's look.
	d := scripted(t, map[string]func(http.ResponseWriter){"GET /api/user": says(http.StatusUnauthorized, `{"message":"Unauthorized"}`)})
	if _, err := against(t, d, wantOne); err == nil || errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyDronesOwnWordsAreEvidence(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		say  func(http.ResponseWriter)
	}{
		"a proxy's 404":      {"GET /api/users/ana", func(w http.ResponseWriter) { http.Error(w, "no rows in result set", http.StatusNotFound) }},
		"a failing look-up":  {"GET /api/users/ana", says(http.StatusNotFound, `{"message":"database is locked"}`)},
		"404 of another API": {"GET /api/users/ana", says(http.StatusNotFound, `{"error":"no rows in result set"}`)},
		"a proxy's 401":      {"POST /api/user/repos", func(w http.ResponseWriter) { http.Error(w, "Unauthorized", http.StatusUnauthorized) }},
		"a proxy's 500":      {"POST /api/user/repos", func(w http.ResponseWriter) { http.Error(w, "Unauthorized", http.StatusInternalServerError) }},
		"a list that is not JSON": {"POST /api/user/repos", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte(`[]`))
		}},
		"an asynchronous answer":   {"POST /api/user/repos", says(http.StatusNoContent, "")},
		"a user that is no object": {"GET /api/user", says(http.StatusOK, `{}`)},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := against(t, scripted(t, map[string]func(http.ResponseWriter){c.path: c.say}), wantOne)
			if err == nil {
				t.Fatalf("got %+v", res)
			}
			for _, e := range []error{target.ErrMustLogIn, target.ErrRejected, target.ErrNoCredential, target.ErrNoAccount} {
				if errors.Is(err, e) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestClientsOwnTimeoutDoesNotCutASync(t *testing.T) {
	d := scripted(t, map[string]func(http.ResponseWriter){"POST /api/user/repos": func(w http.ResponseWriter) {
		time.Sleep(60 * time.Millisecond)
		_, _ = w.Write([]byte(`[{"uid":"1","slug":"a/b"}]`))
	}})
	if _, err := against(t, d, wantOne, func(c *drone.Config) { c.HTTP = &http.Client{Timeout: 30 * time.Millisecond} }); err != nil {
		t.Error(err)
	}
}

func TestAnswerAboutSomebodyElseIsNotHisAccount(t *testing.T) {
	d := scripted(t, map[string]func(http.ResponseWriter){"GET /api/users/ana": says(http.StatusOK, `{"id":3,"login":"li"}`)})
	if _, err := against(t, d, wantOne); !errors.Is(err, target.ErrNoAccount) {
		t.Errorf("got %v", err)
	}
}

func TestMissingTokenMattersMoreThanAnOutage(t *testing.T) {
	s := newSim(t)
	s.drone.Break(targettest.FaultDown, "")
	if _, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, wantOne); !errors.Is(err, target.ErrNoCredential) {
		t.Errorf("got %v: nobody is helped by a retry", err)
	}
}

func TestMachineUserIsNeverSynced(t *testing.T) {
	s := newSim(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.drone.URL+"/api/users", strings.NewReader(`{"login":"bot","machine":true,"token":"bot-token"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.drone.AdminToken())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	s.write(t, "bot", "bot-token")
	r := s.forge.add("acme/one", "bot")
	got, err := s.target.Sync(t.Context(), providers.User{Login: "bot"}, target.Desired{Present: of(r)})
	if err != nil || got.Hidden[r.ID] != "machine user has no forge token" || !got.Settled() {
		t.Errorf("got %+v, %v", got, err)
	}
	if s.drone.Syncs("bot") != 0 {
		t.Error("it was synchronized")
	}
}

func TestWhyItDoesNotShowIsExplainedAtTheLastLook(t *testing.T) {
	f := newForge(t)
	d := targettest.StartDrone(targettest.DroneOptions{ForgeURL: f.URL, Filter: []string{"acme"}})
	defer d.Close()
	s := &sim{forge: f, drone: d, dir: t.TempDir()}
	s.target = s.with(t)
	s.crowd("ana", 2)
	u := s.join(t, "ana")
	filtered := f.add("other/filtered", "ana")
	attic := f.add("acme/attic", "ana")
	f.change(attic.ID, func(r *providers.Repo) { r.Archived = true }) // which the catalogue does not know yet
	secret := f.add("acme/single-sign-on")                            // granted, but not to Drone's application
	shown := f.add("acme/shown", "ana")
	want := target.Desired{Present: of(filtered, attic, secret, shown)}

	res, err := s.target.Sync(t.Context(), u, want)
	if err != nil || len(res.Hidden) != 0 || len(res.Missing) != 3 {
		t.Fatalf("before the last look: %+v, %v", res, err)
	}
	want.Explain = true
	res, err = s.target.Sync(t.Context(), u, want)
	if err != nil || !res.Settled() || !slices.Equal(res.Shown, []string{shown.ID}) {
		t.Fatalf("got %+v, %v", res, err)
	}
	for id, why := range map[string]string{filtered.ID: "DRONE_REPOSITORY_FILTER", attic.ID: "archived", secret.ID: "single sign-on"} {
		if !strings.Contains(res.Hidden[id], why) {
			t.Errorf("%s: %q does not tell of %s", id, res.Hidden[id], why)
		}
	}
}

func TestListOf627KBIsRead(t *testing.T) {
	s := newSim(t)
	repos := s.crowd("ana", 1000)
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	res, err := s.target.Sync(t.Context(), u, target.Desired{Present: append(of(repos...), of(fresh)...), Count: s.forge.count("ana")})
	if err != nil || len(res.Shown) != 1001 || res.After != 1001 {
		t.Errorf("%d shown, %d after, %v", len(res.Shown), res.After, err)
	}
}

func TestBrokenListsAreRefused(t *testing.T) {
	for name, body := range map[string]string{
		"null": "null", "object": "{}", "truncated": `[{"uid":"1","slug":"a/b"},`, "two values": "[][]", "no id": `[{"slug":"a/b"}]`,
		"text": `"[]"`, "html": "<html>", "empty": "",
	} {
		d := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			if r.URL.Path == "/api/user" {
				_, _ = w.Write([]byte(`{"id":2,"login":"ANA"}`))
				return
			}
			_, _ = w.Write([]byte(body))
		}))
		s := newSim(t, func(c *drone.Config) { c.URL, c.AdminToken = d.URL, "" })
		s.write(t, "ana", "token")
		if res, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(providers.Repo{ID: "1", Path: "a/b"})}); err == nil {
			t.Errorf("%s: got %+v", name, res)
		}
		d.Close()
	}
}

func TestProbeWantsDroneItself(t *testing.T) {
	s := newSim(t)
	if v, err := s.target.Probe(t.Context()); err != nil || v != "2.28.1" {
		t.Errorf("got %q, %v", v, err)
	}
	other := scripted(t, map[string]func(http.ResponseWriter){"GET /version": says(http.StatusOK, `{"name":"something else"}`)})
	if v, err := s.with(t, func(c *drone.Config) { c.URL = other.URL }).Probe(t.Context()); err == nil {
		t.Errorf("something else: got version %q", v)
	}
	for _, f := range []targettest.Fault{targettest.FaultHTML, targettest.FaultEmptyList, targettest.FaultDown, targettest.FaultUnavailable} {
		s.drone.Break(f, "")
		if v, err := s.target.Probe(t.Context()); err == nil {
			t.Errorf("%s: got version %q", f, v)
		}
	}
}

func TestRosterNeedsTheAdministrator(t *testing.T) {
	s := newSim(t)
	s.join(t, "ana")
	if _, err := s.with(t, func(c *drone.Config) { c.AdminToken = "" }).Accounts(t.Context()); err == nil || !strings.Contains(err.Error(), "token_file") {
		t.Errorf("got %v", err)
	}
	if _, err := s.with(t, func(c *drone.Config) { c.AdminToken = droneToken("ana") }).Accounts(t.Context()); err == nil {
		t.Error("a user's token lists the users")
	}
	all, err := s.target.Accounts(t.Context())
	if err != nil || len(all) != 2 {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestEveryRequestIsCountedAndObserved(t *testing.T) {
	var mu sync.Mutex
	codes := map[int]int{}
	s := newSim(t, func(c *drone.Config) {
		c.Observe = func(code int) { mu.Lock(); codes[code]++; mu.Unlock() }
	})
	u := s.join(t, "ana")
	before := s.drone.Calls()
	_, _ = s.target.Sync(t.Context(), u, target.Desired{Present: of(s.forge.add("acme/one", "ana"))})
	_, _ = s.target.Sync(t.Context(), providers.User{Login: "nobody"}, target.Desired{})
	n := s.drone.Calls() - before
	s.drone.Break(targettest.FaultDown, "")
	_, _ = s.target.Probe(t.Context())
	if got := s.target.Requests(); int(got) != n+1 {
		t.Errorf("%d requests counted, Drone saw %d and missed one", got, n)
	}
	if codes[200] != n-1 || codes[404] != 1 || codes[0] != 1 {
		t.Errorf("observed %v", codes)
	}
}

func TestAdditionCostsFourRequestsAndAPreview(t *testing.T) {
	for _, size := range []int{1, long} {
		s := newSim(t)
		s.crowd("ana", size)
		u := s.join(t, "ana")
		for i := range 2 {
			fresh, before := s.forge.add(fmt.Sprintf("acme/fresh-%d", i), "ana"), s.target.Requests()
			if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh), Count: s.forge.count("ana")}); err != nil {
				t.Fatal(err)
			}
			if n := s.target.Requests() - before; n != 5 {
				t.Errorf("%d requests of %d, want 5: account, list, whoami, preview, and sync", n, size)
			}
		}
	}
}

func TestTakenNameIsSaidBeforeItsSettingsAreLost(t *testing.T) {
	var log strings.Builder
	s := newSim(t, func(c *drone.Config) { c.Log = logTo(&log) })
	old := s.forge.add("acme/app", "ana")
	u := s.join(t, "ana")
	old = s.forge.change(old.ID, func(r *providers.Repo) { r.Path = "acme/app-old" })
	taker := s.forge.add("acme/app", "ana")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(old, taker)}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), fmt.Sprintf("old=%s", old.ID)) {
		t.Errorf("not said: %s", log.String())
	}
}
