package drone_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
)

// admin asks Drone as its administrator.
func (s *sim) admin(t testing.TB, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.drone.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.drone.AdminToken())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d: %s", method, path, res.StatusCode, b)
	}
}

func (s *sim) promote(t testing.TB, login string) {
	t.Helper()
	s.admin(t, http.MethodPatch, "/api/users/"+login, `{"admin":true}`)
}

func newProvisioning(t *testing.T, edit ...func(*drone.Config)) linkedWorld {
	return newLinked(t, append(edit, func(c *drone.Config) { c.Provision = true })...)
}

func TestMissingUserIsMadeAndSyncedAfterHisFirstLogin(t *testing.T) {
	var log strings.Builder
	w := newProvisioning(t, func(c *drone.Config) { c.Log = logTo(&log) })
	one := w.forge.add("acme/one", "ana")
	u, want := providers.User{Login: "ana"}, target.Desired{Present: of(one), Count: unknown}
	for range 2 {
		if _, err := w.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrMustLogIn) {
			t.Fatalf("got %v", err)
		}
	}
	if got := w.drone.Logins(); !slices.Equal(got, []string{"ana", "drone-admin"}) {
		t.Errorf("Drone has %q", got)
	}
	kept, _ := w.vault.Token("ana")
	if kept.Origin != storage.Provisioned || len(kept.Text) < 26 {
		t.Errorf("kept is a token of %d bytes, %s", len(kept.Text), kept.Origin)
	}
	if got := w.target.Credential("ana"); got != target.CredentialRejected || !w.target.MustLogIn("ana") {
		t.Errorf("it is %s, must log in %t", got, w.target.MustLogIn("ana"))
	}

	// He logs in, and Drone keeps the token that the account was made with.
	if err := w.drone.LogIn("ana", "", forgeToken("ana")); err != nil {
		t.Fatal(err)
	}
	w.shows(t, "ana", 1)
	two := w.forge.add("acme/two", "ana")
	res, err := w.target.Sync(t.Context(), u, target.Desired{Present: of(one, two), Count: unknown})
	if err != nil || !res.Synced || !res.Settled() {
		t.Fatalf("after his login: %+v, %v", res, err)
	}
	if got := w.target.Credential("ana"); got != target.CredentialOK || w.target.MustLogIn("ana") {
		t.Errorf("it is %s, must log in %t", got, w.target.MustLogIn("ana"))
	}
	if strings.Contains(log.String(), kept.Text) || strings.Count(log.String(), "msg=audit") != 1 {
		t.Errorf("the log says %s", log.String())
	}
}

// TestWhoNeverLoggedInIsNotSynced names the danger: Drone stamps a user as
// synchronized even when it could not read the forge, and his first login within
// a week then reads nothing.
func TestWhoNeverLoggedInIsNotSynced(t *testing.T) {
	s := newSim(t)
	one := s.forge.add("acme/one", "ana")
	s.admin(t, http.MethodPost, "/api/users", fmt.Sprintf(`{"login":"ana","token":%q}`, droneToken("ana")))
	s.write(t, "ana", droneToken("ana"))
	for name, tg := range map[string]*drone.Target{
		"tokens": s.target, "sessions": s.session(t),
		"nobody looks for hookd": s.with(t, func(c *drone.Config) { c.AdminToken = "" }),
	} {
		for _, want := range []target.Desired{{Present: of(one)}, {Present: of(one), Force: true}, {Present: of(one), Explain: true}} {
			if _, err := tg.Sync(t.Context(), providers.User{Login: "ana"}, want); !errors.Is(err, target.ErrMustLogIn) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	if n := s.drone.Syncs("ana"); n != 0 {
		t.Errorf("%d syncs", n)
	}
	if err := s.drone.LogIn("ana", "", forgeToken("ana")); err != nil {
		t.Fatal(err)
	}
	s.shows(t, "ana", 1)
}

// TestSimulatedDroneHasTheStampThatIsAvoided shows that the claim above could
// fail.
func TestSimulatedDroneHasTheStampThatIsAvoided(t *testing.T) {
	s := newSim(t)
	s.forge.add("acme/one", "ana")
	s.admin(t, http.MethodPost, "/api/users", fmt.Sprintf(`{"login":"ana","token":%q}`, droneToken("ana")))
	if status := s.button(t, "ana"); status != http.StatusInternalServerError {
		t.Errorf("the button answers %d", status)
	}
	if err := s.drone.LogIn("ana", "", forgeToken("ana")); err != nil {
		t.Fatal(err)
	}
	s.shows(t, "ana", 0)
}

func TestWhoSeesNothingGetsNoAccount(t *testing.T) {
	w := newProvisioning(t)
	gone := w.forge.add("acme/gone")
	_, err := w.target.Sync(t.Context(), providers.User{Login: "leaver"}, target.Desired{Absent: of(gone)})
	if !errors.Is(err, target.ErrNoAccount) || len(w.drone.Logins()) != 1 || len(w.vault.Logins()) != 0 {
		t.Errorf("got %v; Drone has %q", err, w.drone.Logins())
	}
}

func TestExistingUsersTokenIsNeverReplaced(t *testing.T) {
	w := newProvisioning(t)
	one := w.forge.add("acme/one", "ana")
	w.LogIn(t, providers.User{Login: "ana"})
	two := w.forge.add("acme/two", "ana")
	want := target.Desired{Present: of(one, two), Count: unknown}
	if _, err := w.target.Sync(t.Context(), providers.User{Login: "ana"}, want); !errors.Is(err, target.ErrNoCredential) {
		t.Errorf("got %v", err)
	}
	if got := w.vault.Logins(); len(got) != 0 {
		t.Errorf("kept of %q", got)
	}
	if login, err := w.target.Link(t.Context(), droneToken("ana")); err != nil || login != "ana" {
		t.Errorf("his own token does not work any more: %q, %v", login, err)
	}
}

func TestDeletedUserIsNotMadeAgain(t *testing.T) {
	w := newLinked(t)
	w.join(t, "ana")
	w.GiveCredential(t, providers.User{Login: "ana"})
	// Another Drone, which does not know her any more, and the same vault.
	s := newSim(t, func(c *drone.Config) { c.TokenDir, c.Vault, c.Provision = "", w.vault, true })
	one := s.forge.add("acme/one", "ana")
	if _, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(one)}); !errors.Is(err, target.ErrNoAccount) {
		t.Errorf("got %v", err)
	}
	if got := s.drone.Logins(); len(got) != 1 {
		t.Errorf("Drone has %q", got)
	}
}

// TestCrashBetweenKeepingAndMakingIsMended cuts the connection before Drone
// hears of the account, and after it made it.
func TestCrashBetweenKeepingAndMakingIsMended(t *testing.T) {
	for name, heard := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			w := newProvisioning(t)
			back, err := url.Parse(w.drone.URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httputil.NewSingleHostReverseProxy(back)
			cut := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/api/users" {
					if heard {
						proxy.ServeHTTP(httptest.NewRecorder(), r)
					}
					panic(http.ErrAbortHandler)
				}
				proxy.ServeHTTP(rw, r)
			}))
			defer cut.Close()
			one := w.forge.add("acme/one", "ana")
			u, want := providers.User{Login: "ana"}, target.Desired{Present: of(one), Count: unknown}
			crashed := w.with(t, func(c *drone.Config) { c.URL, c.TokenDir, c.Vault, c.Provision = cut.URL, "", w.vault, true })
			if _, err := crashed.Sync(t.Context(), u, want); err == nil || errors.Is(err, target.ErrMustLogIn) || errors.Is(err, target.ErrNoAccount) {
				t.Fatalf("got %v, want a failure to retry", err)
			}
			kept, _ := w.vault.Token("ana")
			if kept.Origin != storage.Provisioning {
				t.Fatalf("kept is %q", kept.Origin)
			}
			if _, err := w.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrMustLogIn) {
				t.Errorf("got %v", err)
			}
			w.logIn(t, "ana")
			two := w.forge.add("acme/two", "ana")
			if res, err := w.target.Sync(t.Context(), u, target.Desired{Present: of(one, two), Count: unknown}); err != nil || !res.Settled() {
				t.Errorf("got %+v, %v", res, err)
			}
			if now, _ := w.vault.Token("ana"); now.Text != kept.Text || now.Origin != storage.Provisioned {
				t.Errorf("kept is %q, the same token %t", now.Origin, now.Text == kept.Text)
			}
		})
	}
}

func (s *sim) logIn(t testing.TB, login string) {
	t.Helper()
	if err := s.drone.LogIn(login, "", forgeToken(login)); err != nil {
		t.Fatal(err)
	}
}

// TestWhoeverWasFasterKeepsHisAccount lets the user log in himself between the
// token's keeping and the account's making.
func TestWhoeverWasFasterKeepsHisAccount(t *testing.T) {
	w := newProvisioning(t)
	one := w.forge.add("acme/one", "ana")
	if err := w.vault.Keep(storage.Token{Login: "ana", Text: "never-taken", Origin: storage.Provisioning}); err != nil {
		t.Fatal(err)
	}
	w.LogIn(t, providers.User{Login: "ana"})
	two := w.forge.add("acme/two", "ana")
	want := target.Desired{Present: of(one, two), Count: unknown}
	if _, err := w.target.Sync(t.Context(), providers.User{Login: "ana"}, want); err == nil {
		t.Fatal("a token that Drone never took works")
	}
	if got := w.target.Credential("ana"); got != target.CredentialMissing || len(w.vault.Logins()) != 0 {
		t.Errorf("it is %s; kept of %q", got, w.vault.Logins())
	}
}

func TestLicenceAndLoginsThatDroneRefusesMakeNoAccount(t *testing.T) {
	w := newProvisioning(t)
	one := w.forge.add("acme/one", "ana")
	for _, login := range []string{"a b", "ünal", strings.Repeat("a", 51), "x/y", ".."} {
		_, err := w.target.Sync(t.Context(), providers.User{Login: login}, target.Desired{Present: of(one)})
		if !errors.Is(err, target.ErrNoAccount) {
			t.Errorf("%q: got %v", login, err)
		}
	}
	full := scripted(t, map[string]func(http.ResponseWriter){
		"GET /api/users/ana": says(http.StatusNotFound, `{"message":"sql: no rows in result set"}`),
		"GET /api/users":     says(http.StatusOK, `[]`),
		"POST /api/users":    says(http.StatusPaymentRequired, `{"message":"user limit exceeded"}`),
	})
	tg := w.with(t, func(c *drone.Config) { c.URL, c.TokenDir, c.Vault, c.Provision = full.URL, "", w.vault, true })
	_, err := tg.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(one)})
	if !errors.Is(err, target.ErrNoAccount) || !strings.Contains(err.Error(), "licence") {
		t.Errorf("got %v", err)
	}
	if got := w.vault.Logins(); len(got) != 0 {
		t.Errorf("kept of %q", got)
	}
}

func TestUnwritableVaultMakesNoAccount(t *testing.T) {
	s := newSim(t, func(c *drone.Config) { c.TokenDir, c.Vault, c.Provision = "", broken{}, true })
	one := s.forge.add("acme/one", "ana")
	if _, err := s.target.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{Present: of(one)}); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	if got := s.drone.Logins(); len(got) != 1 {
		t.Errorf("Drone has %q", got)
	}
}

var errDisk = errors.New("no space left on device")

type broken struct{}

func (broken) Token(string) (storage.Token, bool) { return storage.Token{}, false }
func (broken) Logins() []string                   { return nil }
func (broken) Keep(storage.Token) error           { return errDisk }
func (broken) Drop(string) error                  { return errDisk }
