package drone_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// window is a repository that was public when ana's list was first read, and is
// private by now.
func window(t *testing.T, edit ...func(*drone.Config)) (*sim, providers.Repo) {
	t.Helper()
	s := newSim(t, edit...)
	r := s.forge.add("acme/window", "ana")
	s.forge.change(r.ID, func(r *providers.Repo) { r.Visibility = providers.Public })
	ana := s.join(t, "ana")
	sync := func() {
		if _, err := s.target.Sync(t.Context(), ana, target.Desired{Present: of(r), Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	sync()
	r = s.forge.change(r.ID, func(r *providers.Repo) { r.Visibility = providers.Private })
	sync()
	if !strangerSees(t, s, r.Path) {
		t.Fatal("the simulated Drone follows visibility, which a real one does not")
	}
	return s, r
}

func strangerSees(t *testing.T, s *sim, slug string) bool {
	t.Helper()
	res, err := http.Get(s.drone.URL + "/api/repos/" + slug)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func TestFrozenVisibilityIsClosed(t *testing.T) {
	s, r := window(t)
	all, err := s.target.Exposed(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != r.ID || all[0].Path != r.Path {
		t.Fatalf("exposed are %+v, %v", all, err)
	}
	for i, want := range []target.Concealed{{Closed: true}, {}} {
		if got, err := s.target.Conceal(t.Context(), r); err != nil || got != want {
			t.Errorf("call %d: %+v, %v, want %+v", i+1, got, err, want)
		}
		if strangerSees(t, s, r.Path) {
			t.Errorf("call %d: strangers still see it", i+1)
		}
	}
	if all, err = s.target.Exposed(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("exposed are still %+v, %v", all, err)
	}
}

// It may be private under a name that Drone has not met, while it shows under
// that which it had.
func TestConcealFindsARepositoryUnderItsFormerName(t *testing.T) {
	s, r := window(t)
	renamed := s.forge.change(r.ID, func(r *providers.Repo) { r.Path = "acme/wall" })
	if got, err := s.target.Conceal(t.Context(), renamed); err != nil || !got.Closed {
		t.Fatalf("%+v, %v", got, err)
	}
	if strangerSees(t, s, r.Path) {
		t.Error("strangers still see it under its former name")
	}
}

func TestConcealLeavesAnotherRepositoryOfTheNameAlone(t *testing.T) {
	s, r := window(t)
	for _, token := range []string{"", s.drone.AdminToken()} {
		other := providers.Repo{ID: "99", Path: r.Path, Visibility: providers.Private}
		tg := s.with(t, func(c *drone.Config) { c.AdminToken = token })
		if got, err := tg.Conceal(t.Context(), other); err != nil || got.Closed {
			t.Errorf("%+v, %v", got, err)
		}
		if !strangerSees(t, s, r.Path) {
			t.Error("the wrong one was closed")
		}
	}
}

// Whoever follows Drone by other means asks it as a stranger, too.
func TestStrangerSeesWhatDroneShowsToAll(t *testing.T) {
	s, r := window(t)
	sees, err := drone.NewStranger(drone.Config{URL: s.drone.URL})
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := sees(t.Context(), r); err != nil || !seen {
		t.Errorf("%t, %v of what is public", seen, err)
	}
	if seen, err := sees(t.Context(), providers.Repo{ID: "99", Path: r.Path}); err != nil || seen {
		t.Errorf("%t, %v of another of that name", seen, err)
	}
	if _, err := s.target.Conceal(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if seen, err := sees(t.Context(), r); err != nil || seen {
		t.Errorf("%t, %v of what is closed", seen, err)
	}
	s.drone.Break(targettest.FaultDown, "")
	if seen, err := sees(t.Context(), r); err == nil || seen {
		t.Errorf("%t, %v of a Drone that is down", seen, err)
	}
}

func TestConcealOfWhatTheServerDoesNotHave(t *testing.T) {
	s := newSim(t)
	got, err := s.target.Conceal(t.Context(), providers.Repo{ID: "99", Path: "acme/none", Visibility: providers.Private})
	if err != nil || !got.Unknown {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConcealWithoutAdministratorSaysSo(t *testing.T) {
	s, r := window(t)
	tg := s.with(t, func(c *drone.Config) { c.AdminToken = "" })
	if _, err := tg.Conceal(t.Context(), r); !errors.Is(err, target.ErrNoAdministrator) {
		t.Errorf("the error is %v", err)
	}
	if _, err := tg.Exposed(t.Context()); !errors.Is(err, target.ErrNoAdministrator) {
		t.Errorf("the error is %v", err)
	}
	hidden := s.forge.add("acme/hidden", "ana") // Drone has not met it
	if got, err := tg.Conceal(t.Context(), hidden); err != nil || got.Closed {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestConcealBelievesNoAnswerButTheStrangers(t *testing.T) {
	s, r := window(t)
	behind, err := url.Parse(s.drone.URL)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(behind)
	swallows := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"visibility":"private"}`))
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(swallows.Close)
	tg := s.with(t, func(c *drone.Config) { c.URL = swallows.URL })
	if got, err := tg.Conceal(t.Context(), r); err == nil {
		t.Errorf("%+v, though strangers still see it", got)
	}
}

// What Drone calls internal shows to everybody who signed in.
func TestPrivateIsNotLeftInternal(t *testing.T) {
	s, r := window(t)
	s.change(t, http.MethodPatch, "/api/repos/"+r.Path, `{"visibility":"internal"}`)
	all, err := s.target.Exposed(t.Context())
	if err != nil || len(all) != 1 || all[0].Visibility != providers.Internal {
		t.Fatalf("exposed are %+v, %v", all, err)
	}
	r.Visibility = providers.Internal
	if got, err := s.target.Conceal(t.Context(), r); err != nil || got.Closed {
		t.Errorf("internal as at the forge: %+v, %v", got, err)
	}
	r.Visibility = providers.Private
	if got, err := s.target.Conceal(t.Context(), r); err != nil || !got.Closed {
		t.Errorf("private at the forge: %+v, %v", got, err)
	}
	if now := s.drone.Repository(r.Path).Visibility; now != "private" {
		t.Errorf("it is %s", now)
	}
}
