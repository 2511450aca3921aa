package targettest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// grove is a Woodpecker beside a Gitea whose user ana may push to acme/one, which
// is active, and administers acme/two, which is not.
type grove struct {
	*Woodpecker
	forge    *providerstest.Gitea
	now      time.Time
	one, two providers.Repo
}

func newGrove(t *testing.T) *grove {
	t.Helper()
	f, err := providerstest.StartGitea(providerstest.GiteaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	g := &grove{forge: f, now: time.Now()}
	g.Woodpecker = StartWoodpecker(WoodpeckerOptions{ForgeURL: f.URL(), Now: func() time.Time { return g.now }})
	t.Cleanup(g.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = f.CreateOrg("acme", "private")
	must(err)
	_, err = f.CreateUser("ana")
	must(err)
	g.one, err = f.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "one", Private: true})
	must(err)
	g.two, err = f.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "two", Private: true})
	must(err)
	must(f.AddCollaborator("acme/one", "ana", providers.Write))
	must(f.AddCollaborator("acme/two", "ana", providers.Admin))
	g.Adopt(g.one.ID, g.one.Path, "")
	must(g.LogIn("ana", "ana-token", f.Token("ana")))
	return g
}

// ask sends one request as ana and returns the status and the body.
func (g *grove) ask(t *testing.T, op string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(op, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer ana-token")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(body))
}

// Each of these was seen in a running Woodpecker 3.17.0.
func TestWoodpeckerAnswersAsTheRealOne(t *testing.T) {
	for _, c := range []struct {
		op     string
		status int
		body   string // its beginning
	}{
		{"GET /version", 200, `{"source":"https://github.com/woodpecker-ci/woodpecker","version":"3.`},
		{"GET /api/nonsense", 200, "<!doctype html>"},
		{"GET /api/users", 403, "User not authorized"},
		{"GET /api/repos?active=true", 403, "User not authorized"},
		{"POST /api/user/repos/refresh", 200, `"Ok"`},
		{"GET /api/repos/lookup/acme/two", 404, ""},
		{"GET /api/repos/99/permissions", 404, ""},
		{"POST /api/repos", 400, "No forge_remote_id provided"},
		{"POST /api/repos?forge_remote_id=99999", 500, "Could not fetch repository from forge."},
		{"POST /api/repos?forge_remote_id={two}", 200, `{"id":`},
		{"POST /api/repos?forge_remote_id={one}", 409, "Repository is already active."},
	} {
		g := newGrove(t)
		op := strings.NewReplacer("{one}", g.one.ID, "{two}", g.two.ID).Replace(c.op)
		if status, body := g.ask(t, op); status != c.status || !strings.HasPrefix(body, c.body) || c.body == "" && body != "" {
			t.Errorf("%s: %d %s", c.op, status, body)
		}
	}
	g := newGrove(t)
	g.SpendSession("ana")
	if status, body := g.ask(t, "GET /api/user/repos?all=true"); status != 500 || body != "Error fetching repository list. invalid username, password or token" {
		t.Errorf("preview without a session: %d %s", status, body)
	}
	if status, body := g.ask(t, "POST /api/user/repos/refresh"); status != 500 || body != "" {
		t.Errorf("refresh without a session: %d %q", status, body)
	}
}

func TestOnlyARefreshTakesRowsAway(t *testing.T) {
	g := newGrove(t)
	if err := g.forge.RemoveCollaborator("acme/one", "ana"); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(2 * time.Hour) // the row is asked about anew, denied, and stays
	if _, body := g.ask(t, "GET /api/repos/lookup/acme/one"); !strings.Contains(body, "acme/one") {
		t.Errorf("the page is closed: %s", body)
	}
	if got := g.Shows("ana"); !slices.Equal(got, []string{"acme/one"}) {
		t.Errorf("shows %q", got)
	}
	g.ask(t, "POST /api/user/repos/refresh")
	if got := g.Opens("ana"); len(got) != 0 {
		t.Errorf("still opens %q", got)
	}
}

func TestEmptyListOfTheForgesTakesEveryRow(t *testing.T) {
	g := newGrove(t)
	g.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "/user/repos"})
	if status, body := g.ask(t, "POST /api/user/repos/refresh"); status != 200 || body != `"Ok"` {
		t.Errorf("%d %s", status, body)
	}
	if got := g.Opens("ana"); len(got) != 0 {
		t.Errorf("opens %q", got)
	}
}

func TestPageMakesARowWhereThereIsNone(t *testing.T) {
	g := newGrove(t)
	if err := g.forge.AddCollaborator("acme/two", "ana", providers.Read); err != nil {
		t.Fatal(err)
	}
	g.Adopt(g.two.ID, g.two.Path, "")
	calls := g.ForgeCalls()
	g.ask(t, "GET /api/repos/lookup/acme/two")
	g.ask(t, "GET /api/repos/lookup/acme/two")
	if n := g.ForgeCalls() - calls; n != 1 {
		t.Errorf("%d calls of the forge, want one for the hour", n)
	}
	if got := g.Opens("ana"); !slices.Equal(got, []string{"acme/one", "acme/two"}) {
		t.Errorf("opens %q", got)
	}
	if got := g.Shows("ana"); !slices.Equal(got, []string{"acme/one"}) {
		t.Errorf("shows %q: who may only read has it in no list", got)
	}
}

func TestListToAddHasWhatIsStoredAndWhatHeAdministers(t *testing.T) {
	g := newGrove(t)
	list := func() map[string]woodRepo {
		_, body := g.ask(t, "GET /api/user/repos?all=true")
		var all []woodRepo
		if err := json.Unmarshal([]byte(body), &all); err != nil {
			t.Fatal(err)
		}
		m := map[string]woodRepo{}
		for _, r := range all {
			m[r.Path] = r
		}
		return m
	}
	if l := list(); len(l) != 2 || !l["acme/one"].Active || l["acme/two"].Active || l["acme/two"].ID != 0 {
		t.Errorf("got %+v", l)
	}
	if err := g.forge.RemoveCollaborator("acme/one", "ana"); err != nil {
		t.Fatal(err)
	}
	if l := list(); !l["acme/one"].Lost {
		t.Errorf("got %+v, want acme/one without a repository of the forge's", l)
	}
}
