package targettest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dchest/authcookie"
)

// list is a forge with one user's list, which a test replaces as a whole.
type list struct {
	*httptest.Server
	mu    sync.Mutex
	repos []ownedRepo
	// answer replaces the usual answer to a page when it returns true.
	answer func(w http.ResponseWriter, r *http.Request) bool
}

func newList(t *testing.T) *list {
	l := &list{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		repos, answer := l.repos, l.answer
		l.mu.Unlock()
		if answer != nil && answer(w, r) {
			return
		}
		page := max(1, int(number(r.FormValue("page"))))
		from, to := min(len(repos), (page-1)*50), min(len(repos), page*50)
		if to < len(repos) {
			w.Header().Set("Link", fmt.Sprintf(`<http://elsewhere.example/x?limit=50&page=%d>; rel="next",<%s>; rel="last"`, page+1, l.URL))
		}
		_ = json.NewEncoder(w).Encode(repos[from:to])
	}))
	t.Cleanup(l.Close)
	return l
}

func named(id int64, slug string) ownedRepo {
	var r ownedRepo
	cut := strings.LastIndex(slug, "/")
	r.ID, r.Owner.Login, r.Name, r.Private = id, slug[:cut], slug[cut+1:], true
	r.HTMLURL = "http://forge.example/" + slug
	return r
}

func (l *list) set(repos ...ownedRepo) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.repos = repos
}

func start(t *testing.T, l *list, filter ...string) *Drone {
	d := StartDrone(DroneOptions{ForgeURL: l.URL, Filter: filter})
	t.Cleanup(d.Close)
	return d
}

func logIn(t *testing.T, d *Drone, login string) {
	t.Helper()
	if err := d.LogIn(login, "t-"+login, "f-"+login); err != nil {
		t.Fatal(err)
	}
}

// call sends one request as a login and decodes the answer.
func call[T any](t *testing.T, d *Drone, token, method, path, body string) (int, T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v T
	_ = json.NewDecoder(res.Body).Decode(&v)
	return res.StatusCode, v
}

func press(t *testing.T, d *Drone, login string) int {
	t.Helper()
	status, _ := call[any](t, d, "t-"+login, http.MethodPost, "/api/user/repos", "")
	return status
}

func expect(t *testing.T, d *Drone, login string, want ...string) {
	t.Helper()
	if got := d.Shows(login); !slices.Equal(got, want) {
		t.Errorf("%s sees %q, want %q", login, got, want)
	}
}

func TestEmptyListRevokesEverything(t *testing.T) {
	l := newList(t)
	l.set(named(1, "acme/a"), named(2, "acme/b"))
	d := start(t, l)
	logIn(t, d, "ana")
	expect(t, d, "ana", "acme/a", "acme/b")
	l.set()
	if got := press(t, d, "ana"); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	expect(t, d, "ana")
}

func TestPagesAreFollowedByNumberUntilLinkIsMissing(t *testing.T) {
	l := newList(t)
	var many []ownedRepo
	for i := range 120 {
		many = append(many, named(int64(i+1), fmt.Sprintf("acme/r%03d", i)))
	}
	l.set(many...)
	d := start(t, l)
	logIn(t, d, "ana")
	if n, calls := len(d.Shows("ana")), d.ForgeCalls(); n != 120 || calls != 3 {
		t.Errorf("%d shown after %d calls, want 120 after 3", n, calls)
	}
	l.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		_ = json.NewEncoder(w).Encode(many[:50])
		return true
	}
	press(t, d, "ana")
	if n := len(d.Shows("ana")); n != 50 {
		t.Errorf("%d shown without a Link header, want 50", n)
	}
}

func TestFailingForgeRevokesNothingButStampsSynced(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"500":    func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true },
		"401":    func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(401); return true },
		"html":   func(w http.ResponseWriter, _ *http.Request) bool { page(w, 200, "<html>"); return true },
		"object": func(w http.ResponseWriter, _ *http.Request) bool { answer(w, 200, map[string]int{}); return true },
		"page 2": func(w http.ResponseWriter, r *http.Request) bool {
			if r.FormValue("page") == "2" {
				w.WriteHeader(502)
				return true
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newList(t)
			var many []ownedRepo
			for i := range 60 {
				many = append(many, named(int64(i+1), fmt.Sprintf("acme/r%03d", i)))
			}
			l.set(many...)
			now := time.Unix(1_800_000_000, 0)
			d := StartDrone(DroneOptions{ForgeURL: l.URL, Now: func() time.Time { return now }})
			defer d.Close()
			logIn(t, d, "ana")
			now = now.Add(time.Hour)
			l.answer = answer
			if got := press(t, d, "ana"); got != http.StatusInternalServerError {
				t.Errorf("status %d, want 500", got)
			}
			if n := len(d.Shows("ana")); n != 60 {
				t.Errorf("%d shown", n)
			}
			if _, u := call[droneUser](t, d, "t-ana", http.MethodGet, "/api/user", ""); u.Synced != now.Unix() || u.Syncing {
				t.Errorf("synced %d, syncing %v", u.Synced, u.Syncing)
			}
		})
	}
}

func TestArchivedNestedAndFilteredAreSkipped(t *testing.T) {
	l := newList(t)
	attic := named(2, "acme/attic")
	attic.Archived = true
	l.set(named(1, "acme/a"), attic, named(3, "acme/sub/deep"), named(4, "other/b"))
	d := start(t, l, "ACME")
	logIn(t, d, "ana")
	expect(t, d, "ana", "acme/a")
	_, remote := call[[]droneRepo](t, d, "t-ana", http.MethodGet, "/api/user/remote/repos", "")
	if len(remote) != 4 || !remote[1].Archived {
		t.Errorf("the remote list is %+v", remote)
	}
}

func TestVisibilityIsFrozenAtFirstInsert(t *testing.T) {
	l := newList(t)
	public := named(1, "acme/a")
	public.Private = false
	l.set(public)
	d := start(t, l)
	logIn(t, d, "ana")
	l.set(named(1, "acme/a"))
	press(t, d, "ana")
	status, r := call[droneRepo](t, d, "", http.MethodGet, "/api/repos/acme/a", "")
	if status != http.StatusOK || r.Visibility != "public" || !r.Private {
		t.Fatalf("anonymous: %d %+v", status, r)
	}
	if status, _ = call[any](t, d, d.AdminToken(), http.MethodPatch, "/api/repos/acme/a", `{"visibility":"private"}`); status != http.StatusOK {
		t.Errorf("PATCH: %d", status)
	}
	if status, _ = call[any](t, d, "", http.MethodGet, "/api/repos/acme/a", ""); status != http.StatusUnauthorized {
		t.Errorf("anonymous after the PATCH: %d", status)
	}
}

// The three sequences were measured, ids and all.
func TestNamesThatMoveCostRows(t *testing.T) {
	t.Run("renamed onto a deleted one takes two syncs", func(t *testing.T) {
		l := newList(t)
		l.set(named(12, "acme/chx"), named(13, "acme/chy"))
		d := start(t, l)
		logIn(t, d, "ana")
		l.set(named(13, "acme/chx"))
		press(t, d, "ana")
		expect(t, d, "ana", "acme/chy")
		press(t, d, "ana")
		expect(t, d, "ana", "acme/chx")
	})
	t.Run("chain loses one until the second sync", func(t *testing.T) {
		l := newList(t)
		l.set(named(10, "acme/cha"), named(11, "acme/chb"))
		d := start(t, l)
		logIn(t, d, "ana")
		l.set(named(10, "acme/chb"), named(11, "acme/chc"))
		press(t, d, "ana")
		expect(t, d, "ana", "acme/cha")
		if got := d.Taken(); !slices.Equal(got, []string{"11"}) {
			t.Errorf("rows taken of %v", got)
		}
		press(t, d, "ana")
		expect(t, d, "ana", "acme/chb", "acme/chc")
		if got := d.Taken(); len(got) != 0 {
			t.Errorf("rows taken of %v, which came back", got)
		}
	})
	t.Run("swap makes new rows, for everybody", func(t *testing.T) {
		l := newList(t)
		l.set(named(1, "acme/api"), named(3, "acme/handbook"))
		d := start(t, l)
		logIn(t, d, "ana")
		logIn(t, d, "li")
		_, before := call[[]droneRepo](t, d, "t-li", http.MethodGet, "/api/user/repos", "")
		l.set(named(1, "acme/handbook"), named(3, "acme/api"))
		press(t, d, "ana")
		_, after := call[[]droneRepo](t, d, "t-li", http.MethodGet, "/api/user/repos", "")
		if len(after) != 2 || after[0].UID != "3" || after[0].ID <= before[1].ID || after[1].ID <= before[1].ID {
			t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

func TestRecreatedNameIsLostToOthers(t *testing.T) {
	l := newList(t)
	l.set(named(1, "acme/a"))
	d := start(t, l)
	logIn(t, d, "ana")
	logIn(t, d, "li")
	l.set(named(2, "acme/a"))
	press(t, d, "ana")
	expect(t, d, "ana", "acme/a")
	expect(t, d, "li")
}

func TestSlowSyncRestoresWhatItRead(t *testing.T) {
	l := newList(t)
	d := start(t, l)
	logIn(t, d, "ana")
	d.mu.Lock()
	copied, _ := d.findLogin("ana")
	d.mu.Unlock()
	if status, u := call[droneUser](t, d, d.AdminToken(), http.MethodPatch, "/api/users/ana", `{"active":false}`); status != http.StatusOK || u.Active {
		t.Fatalf("%d %+v", status, u)
	}
	if err := d.sync(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if _, u := call[droneUser](t, d, d.AdminToken(), http.MethodGet, "/api/users/ana", ""); !u.Active {
		t.Error("the deactivation stayed")
	}
}

func TestLoserOfARefreshRestoresTheSpentToken(t *testing.T) {
	l := newList(t)
	d := start(t, l)
	logIn(t, d, "ana")
	d.ExpireSession("ana")
	d.mu.Lock()
	copied, _ := d.findLogin("ana")
	d.mu.Unlock()
	if got := press(t, d, "ana"); got != http.StatusOK {
		t.Fatalf("the first: %d", got)
	}
	if err := d.sync(t.Context(), copied); err == nil || err.Error() != "token was already used" {
		t.Fatalf("the second: %v", err)
	}
	if got := press(t, d, "ana"); got != http.StatusInternalServerError {
		t.Errorf("a later one: %d", got)
	}
	logIn(t, d, "ana")
	if got := press(t, d, "ana"); got != http.StatusOK {
		t.Errorf("after a login: %d", got)
	}
}

func TestAbandonedSyncEndsAndIsStamped(t *testing.T) {
	l := newList(t)
	l.set(named(1, "acme/a"))
	d := start(t, l)
	logIn(t, d, "ana")
	l.set(named(1, "acme/a"), named(2, "acme/b"))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	l.answer = func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		close(left)
		return true
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL+"/api/user/repos", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t-ana")
	if res, err := http.DefaultClient.Do(req); err == nil {
		res.Body.Close()
		t.Error("an answer came")
	}
	<-left
	expect(t, d, "ana", "acme/a")
}

func TestAsynchronousSyncHidesErrors(t *testing.T) {
	l := newList(t)
	d := start(t, l)
	logIn(t, d, "ana")
	l.Close()
	if got, _ := call[any](t, d, "t-ana", http.MethodPost, "/api/user/repos?async=true", ""); got != http.StatusNoContent {
		t.Errorf("status %d", got)
	}
}

func TestPathsAnswerAsMeasured(t *testing.T) {
	l := newList(t)
	d := start(t, l)
	logIn(t, d, "ana")
	for _, c := range []struct {
		token, path string
		status      int
		kind        string
	}{
		{"", "/version", 200, "application/json"},
		{"", "/healthz", 200, ""},
		{"", "/nothing", 200, "text/html"},
		{"t-ana", "/api/nothing", 404, "text/plain"},
		{"", "/api/user", 401, "application/json"},
		{"nonsense", "/api/user", 401, "application/json"},
		{"t-ana", "/api/users", 403, "application/json"},
		{d.AdminToken(), "/api/users/nobody", 404, "application/json"},
		{d.AdminToken(), "/api/users/ANA", 200, "application/json"},
		{d.AdminToken(), "/api/users/2", 200, "application/json"},
		{d.AdminToken(), "/api/users/2/repos", 404, "application/json"},
		{"t-ana", "/api/repos/acme/nothing", 404, "application/json"},
		{"", "/api/repos/acme/nothing", 401, "application/json"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status || !strings.HasPrefix(res.Header.Get("Content-Type"), c.kind) {
			t.Errorf("%s: %d %s, want %d %s", c.path, res.StatusCode, res.Header.Get("Content-Type"), c.status, c.kind)
		}
	}
}

// Each answer was measured with Drone 2.28.1 too.
func TestSessionIsReadAsDroneReadsIt(t *testing.T) {
	d := start(t, newList(t))
	logIn(t, d, "ana")
	cookie := func(login, secret string, d time.Duration) string {
		return "_session_=" + authcookie.New(login, time.Now().Add(d), []byte(secret))
	}
	for name, c := range map[string]struct {
		cookie, header string
		want           int
	}{
		"good":                    {cookie: cookie("ana", d.CookieSecret(), time.Minute), want: http.StatusOK},
		"expired":                 {cookie: cookie("ana", d.CookieSecret(), -time.Minute), want: http.StatusUnauthorized},
		"another secret":          {cookie: cookie("ana", "another", time.Minute), want: http.StatusUnauthorized},
		"nobody":                  {cookie: cookie("eve", d.CookieSecret(), time.Minute), want: http.StatusUnauthorized},
		"empty":                   {cookie: "_session_=", want: http.StatusUnauthorized},
		"a header goes before it": {cookie: cookie("ana", d.CookieSecret(), time.Minute), header: "Bearer wrong", want: http.StatusUnauthorized},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+"/api/user", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", c.cookie)
		if c.header != "" {
			req.Header.Set("Authorization", c.header)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, c.want)
		}
	}
}
