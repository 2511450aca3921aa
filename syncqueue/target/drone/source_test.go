package drone_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/vault"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

func newVault(t testing.TB) *vault.Vault {
	t.Helper()
	keys, err := vault.ParseKeys([]byte(strings.Repeat("ab", 32)))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(filepath.Join(t.TempDir(), "tokens"), "drone", keys)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// linkedWorld is a world whose users link their tokens.
type linkedWorld struct {
	simWorld
	vault *vault.Vault
}

func newLinked(t *testing.T, edit ...func(*drone.Config)) linkedWorld {
	v := newVault(t)
	edit = append([]func(*drone.Config){func(c *drone.Config) { c.TokenDir, c.Vault = "", v }}, edit...)
	return linkedWorld{simWorld{newSim(t, edit...)}, v}
}

func (w linkedWorld) GiveCredential(t *testing.T, u providers.User) {
	if login, err := w.target.Link(t.Context(), droneToken(u.Login)); err != nil || login != u.Login {
		t.Fatalf("linking the token of %s: %q, %v", u.Login, login, err)
	}
}

func (w linkedWorld) SpoilCredential(t *testing.T, u providers.User) {
	if err := w.vault.Keep(storage.Token{Login: u.Login, Text: "spoilt", Origin: storage.Linked}); err != nil {
		t.Fatal(err)
	}
}

func (w linkedWorld) TakeCredential(t *testing.T, u providers.User) {
	if err := w.vault.Drop(u.Login); err != nil {
		t.Fatal(err)
	}
}

func TestATokenTakenBackIsKeptNoMore(t *testing.T) {
	w := newLinked(t)
	ana := w.join(t, "ana")
	w.join(t, "li")
	w.GiveCredential(t, ana)
	if _, err := w.target.Unlink(t.Context(), "made up"+droneToken("ana")); !errors.Is(err, target.ErrRejected) {
		t.Errorf("by nobody's token: %v", err)
	}
	if login, err := w.target.Unlink(t.Context(), droneToken("li")); !errors.Is(err, target.ErrNoCredential) || login != "li" {
		t.Errorf("of whom nothing is kept: %q, %v", login, err)
	}
	if _, ok := w.vault.Token("ana"); !ok {
		t.Fatal("somebody else's token took hers away")
	}
	// Her present token, though another one is kept.
	w.SpoilCredential(t, ana)
	if login, err := w.target.Unlink(t.Context(), droneToken("ana")); err != nil || login != "ana" {
		t.Errorf("%q, %v", login, err)
	}
	if _, ok := w.vault.Token("ana"); ok || w.target.Credential("ana") != target.CredentialMissing {
		t.Errorf("it is still kept, and her credential is %s", w.target.Credential("ana"))
	}
}

func TestContractWithLinkedTokens(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World { return newLinked(t) })
}

// eitherWorld has a folder and linked tokens; the folder is used.
type eitherWorld struct{ simWorld }

func TestContractWithTokensInTwoPlaces(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World {
		return eitherWorld{simWorld{newSim(t, func(c *drone.Config) { c.Vault = newVault(t) })}}
	})
}

// sessionWorld has Drone's cookie secret.
type sessionWorld struct{ targettest.Scene }

func newSession(t testing.TB, edit ...func(*drone.Config)) *sim {
	s := newSim(t)
	s.target = s.session(t, edit...)
	return s
}

// session returns a driver that knows Drone's secret.
func (s *sim) session(t testing.TB, edit ...func(*drone.Config)) *drone.Target {
	t.Helper()
	return s.with(t, append([]func(*drone.Config){func(c *drone.Config) {
		c.TokenDir, c.SessionSecret = "", s.drone.CookieSecret()
	}}, edit...)...)
}

func TestContractWithSessions(t *testing.T) {
	targettest.RunShowing(t, func(t *testing.T) targettest.Scene { return sessionWorld{simWorld{newSession(t)}} })
}

func TestSourcesOfCredentialsThatDoNotGoTogether(t *testing.T) {
	v := newVault(t)
	for name, c := range map[string]drone.Config{
		"nothing":                    {},
		"session and folder":         {SessionSecret: "s", AdminToken: "a", TokenDir: "x"},
		"session and vault":          {SessionSecret: "s", AdminToken: "a", Vault: v},
		"session, nobody tells":      {SessionSecret: "s"},
		"provision without a vault":  {Provision: true, AdminToken: "a", TokenDir: "x"},
		"provision without an admin": {Provision: true, Vault: v},
	} {
		c.URL = "http://127.0.0.1:1"
		if _, err := drone.New(c); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSessionSecretIsForThisMachine(t *testing.T) {
	for address, near := range map[string]bool{
		"http://127.0.0.1:3400": true, "http://localhost": true, "https://[::1]:8443/drone": true, "http://127.9.9.9": true,
		"http://[::ffff:127.0.0.1]": true,
		"https://ci.example.com":    false, "http://10.0.0.1": false, "http://localhost.example.com": false, "http://[::]": false,
		"http://0.0.0.0": false, "http://drone": false, "http://169.254.169.254": false, "http://127.0.0.1.example.com": false,
	} {
		for _, allowed := range []bool{false, true} {
			_, err := drone.New(drone.Config{URL: address, AdminToken: "a", SessionSecret: "canary", SessionRemote: allowed})
			if (err == nil) != (near || allowed) || err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s, allowed %t: %v", address, allowed, err)
			}
		}
	}
}

func TestSessionsAreShortAndEachIsTold(t *testing.T) {
	var log strings.Builder
	s := newSession(t, func(c *drone.Config) { c.Log = logTo(&log) })
	s.crowd("ana", 1)
	u := s.join(t, "Ana")
	fresh := s.forge.add("acme/fresh", "Ana")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh), Count: unknown}); err != nil {
		t.Fatal(err)
	}
	used := s.drone.Sessions()
	if len(used) == 0 {
		t.Fatal("no session came")
	}
	for _, x := range used {
		if x.Login != "Ana" || x.For > time.Minute {
			t.Errorf("a session of %s, good for %s", x.Login, x.For)
		}
	}
	if n := strings.Count(log.String(), "msg=audit"); n != len(used) {
		t.Errorf("%d sessions, %d audit records:\n%s", len(used), n, log.String())
	}
	if strings.Contains(log.String(), s.drone.CookieSecret()) || strings.Contains(log.String(), "_session_") {
		t.Errorf("the secret is in the log: %s", log.String())
	}
	if got := s.target.Credential("ana"); got != target.CredentialOK {
		t.Errorf("it is %s", got)
	}
}

func TestNoSessionOfAnAdministratorUnlessAskedFor(t *testing.T) {
	s := newSession(t)
	u := s.join(t, "root")
	s.promote(t, "root")
	fresh := s.forge.add("acme/fresh", "root")
	want := target.Desired{Present: of(fresh), Count: unknown}
	for range 2 {
		if _, err := s.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("got %v", err)
		}
	}
	if used := s.drone.Sessions(); len(used) != 0 {
		t.Errorf("sessions came: %v", used)
	}
	if got := s.target.Credential("root"); got != target.CredentialMissing {
		t.Errorf("it is %s", got)
	}
	asked := s.session(t, func(c *drone.Config) { c.SessionAdmins = true })
	if res, err := asked.Sync(t.Context(), u, want); err != nil || !res.Settled() {
		t.Errorf("asked for: %+v, %v", res, err)
	}
}

// TestNoSessionBeforeTheAdministratorWasAsked breaks the one look that tells
// administrators apart.
func TestNoSessionBeforeTheAdministratorWasAsked(t *testing.T) {
	for _, fault := range []targettest.Fault{targettest.FaultInternal, targettest.FaultStranger, targettest.FaultHTML, targettest.FaultEmptyList} {
		s := newSession(t)
		u := s.join(t, "ana")
		fresh := s.forge.add("acme/fresh", "ana")
		s.drone.Break(fault, "GET /api/users/ana")
		if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(fresh)}); err == nil {
			t.Errorf("%s: it worked", fault)
		}
		if used := s.drone.Sessions(); len(used) != 0 {
			t.Errorf("%s: sessions came: %v", fault, used)
		}
	}
}

func TestNewAdministratorEndsHisSessions(t *testing.T) {
	s := newSession(t)
	u := s.join(t, "ana")
	one := s.forge.add("acme/one", "ana")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(one), Count: unknown}); err != nil {
		t.Fatal(err)
	}
	before := len(s.drone.Sessions())
	s.promote(t, "ana")
	two := s.forge.add("acme/two", "ana")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Present: of(one, two), Count: unknown}); !errors.Is(err, target.ErrNoCredential) {
		t.Errorf("got %v", err)
	}
	if n := len(s.drone.Sessions()); n != before {
		t.Errorf("%d more sessions came", n-before)
	}
}

func TestWrongSessionSecretIsTriedAgainWhenItIsReplaced(t *testing.T) {
	s := newSession(t, func(c *drone.Config) { c.SessionSecret = "wrong-canary" })
	u := s.join(t, "ana")
	fresh := s.forge.add("acme/fresh", "ana")
	want := target.Desired{Present: of(fresh), Count: unknown}
	for range 2 {
		_, err := s.target.Sync(t.Context(), u, want)
		if !errors.Is(err, target.ErrRejected) || strings.Contains(err.Error(), "canary") {
			t.Fatalf("got %v", err)
		}
	}
	if got := s.target.Credential("ana"); got != target.CredentialRejected {
		t.Errorf("it is %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan string, 9)
	go func() { _ = s.target.Watch(ctx, func(login string) { told <- login }) }()
	s.target.Rekey("wrong-canary") // nothing new
	s.target.Rekey(s.drone.CookieSecret())
	if got := <-told; got != "ana" {
		t.Errorf("told of %q", got)
	}
	if res, err := s.target.Sync(t.Context(), u, want); err != nil || !res.Settled() {
		t.Errorf("got %+v, %v", res, err)
	}
}

func TestLinkedTokenIsOfWhomDroneSays(t *testing.T) {
	var log strings.Builder
	w := newLinked(t, func(c *drone.Config) { c.Log = logTo(&log) })
	w.join(t, "ana")
	for _, bad := range []string{"", "canary-nobodys", "canary\nX-Admin: 1", strings.Repeat("canary", 1000), "canary ä"} {
		login, err := w.target.Link(t.Context(), bad)
		if !errors.Is(err, target.ErrRejected) || login != "" || strings.Contains(err.Error(), "canary") {
			t.Errorf("got %q, %v", login, err)
		}
	}
	if got := w.vault.Logins(); len(got) != 0 {
		t.Errorf("kept of %q", got)
	}
	if login, err := w.target.Link(t.Context(), droneToken("ana")); err != nil || login != "ana" {
		t.Fatalf("got %q, %v", login, err)
	}
	if got := w.target.Credential("ana"); got != target.CredentialOK {
		t.Errorf("it is %s", got)
	}
	if said := log.String(); strings.Contains(said, "canary") || strings.Contains(said, droneToken("ana")) || strings.Count(said, "msg=audit") != 1 {
		t.Errorf("the log says %s", said)
	}
}

func TestOutageIsNoReasonToCallATokenWrong(t *testing.T) {
	w := newLinked(t)
	w.join(t, "ana")
	for _, fault := range []targettest.Fault{targettest.FaultDown, targettest.FaultUnavailable, targettest.FaultInternal, targettest.FaultHTML, targettest.FaultRedirect} {
		w.drone.Break(fault, "")
		if _, err := w.target.Link(t.Context(), droneToken("ana")); err == nil || errors.Is(err, target.ErrRejected) {
			t.Errorf("%s: got %v", fault, err)
		}
		w.drone.Heal()
	}
	if got := w.vault.Logins(); len(got) != 0 {
		t.Errorf("kept of %q", got)
	}
}

func TestMachinesTokenCannotBeLinked(t *testing.T) {
	w := newLinked(t)
	w.admin(t, "POST", "/api/users", `{"login":"bot","token":"bot-token","machine":true}`)
	if _, err := w.target.Link(t.Context(), "bot-token"); !errors.Is(err, target.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

func TestWatchTellsOfALinkedTokenAtOnce(t *testing.T) {
	w := newLinked(t)
	w.join(t, "ana")
	told := make(chan string, 9)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = w.target.Watch(ctx, func(login string) { told <- login }) }()
	w.GiveCredential(t, providers.User{Login: "ana"})
	if got := <-told; got != "ana" {
		t.Errorf("told of %q", got)
	}
}
