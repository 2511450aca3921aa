package providerstest_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// listener receives deliveries as they come.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc
}

type received struct {
	method string
	header http.Header
	body   []byte
}

func listen(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		l.got = append(l.got, received{r.Method, r.Header.Clone(), body})
		answer := l.answer
		l.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// names are the events received so far, with their actions.
func (l *listener) names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, r := range l.got {
		var p struct{ Action string }
		json.Unmarshal(r.body, &p)
		names = append(names, strings.TrimSuffix(r.header.Get("X-Gitea-Event")+" "+p.Action, " "))
	}
	return names
}

func start(t *testing.T, opt providerstest.GiteaOptions) *providerstest.Gitea {
	t.Helper()
	g, err := providerstest.StartGitea(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func create[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func delivered(t *testing.T, g *providerstest.Gitea) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	check(t, g.Delivered(ctx))
}

func TestOnlyRepositoriesAppearingGoingAndRefsAreAnnounced(t *testing.T) {
	g, l := start(t, providerstest.GiteaOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Org](t)(g.CreateOrg("lab", "public"))
	create[providers.User](t)(g.CreateUser("ana"))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))

	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "app", Private: true}))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "init", AutoInit: true}))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "lab", Name: "elsewhere"}))
	create[providers.Team](t)(g.CreateTeam("acme", "core", providers.Write, false))
	check(t,
		g.AddMember("acme", "core", "ana"), g.AddTeamRepo("acme", "core", "acme/app"), g.RemoveTeamRepo("acme", "core", "acme/app"),
		g.RemoveMember("acme", "core", "ana"), g.DeleteTeam("acme", "core"),
		g.AddCollaborator("acme/app", "ana", providers.Read), g.RemoveCollaborator("acme/app", "ana"),
		g.RenameRepo("acme/app", "www"), g.SetVisibility("acme/www", false), g.SetArchived("acme/www", true), g.SetArchived("acme/www", false),
		g.TransferRepo("acme/www", "lab"), g.TransferRepo("lab/www", "acme"),
	)
	create[providers.Repo](t)(g.Fork("acme/init", "ana", "ana"))   // into a user: the base hears
	create[providers.Repo](t)(g.Fork("acme/init", "lab", ""))      // into another organization: that one hears of it
	create[providers.Repo](t)(g.Fork("lab/elsewhere", "acme", "")) // into ours
	check(t, g.Push("acme/init", "main", ""), g.DeleteRepo("acme/www"))
	delivered(t, g)

	want := []string{
		"repository created", "repository created", "create", "push",
		"fork", "fork", "repository created", "push", "repository deleted",
	}
	if diff := cmp.Diff(want, l.names()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The headers are those of a captured delivery, the signature covers the bytes.
func TestDeliveriesLookLikeCapturedOnes(t *testing.T) {
	g, l := start(t, providerstest.GiteaOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "app", Private: true}))
	delivered(t, g)
	r := l.got[0]
	want := []string{
		"Accept-Encoding", "Content-Length", "Content-Type", "User-Agent",
		"X-Gitea-Delivery", "X-Gitea-Event", "X-Gitea-Event-Type", "X-Gitea-Hook-Installation-Target-Type", "X-Gitea-Signature",
		"X-Github-Delivery", "X-Github-Event", "X-Github-Event-Type", "X-Github-Hook-Installation-Target-Type",
		"X-Gogs-Delivery", "X-Gogs-Event", "X-Gogs-Event-Type", "X-Gogs-Signature",
		"X-Hub-Signature", "X-Hub-Signature-256",
	}
	var got []string
	for name := range r.header {
		got = append(got, name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-captured +sent\n%s", diff)
	}
	mac := hmac.New(sha256.New, []byte("a-secret-of-the-hook"))
	mac.Write(r.body)
	if sum := hex.EncodeToString(mac.Sum(nil)); r.header.Get("X-Gitea-Signature") != sum || r.header.Get("X-Hub-Signature-256") != "sha256="+sum {
		t.Error("the signature does not cover the body")
	}
	if !bytes.HasPrefix(r.body, []byte("{\n \"action\": \"created\"")) || r.header.Get("X-Gitea-Hook-Installation-Target-Type") != "organization" {
		t.Errorf("%s", r.body[:40])
	}
}

// One worker sends everything, in order; nothing is tried twice.
func TestASlowHookDelaysEverybodyAndIsNotRetried(t *testing.T) {
	g, slow, quick := start(t, providerstest.GiteaOptions{DeliverTimeout: 100 * time.Millisecond}), listen(t), listen(t)
	slow.answer = func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Org](t)(g.CreateOrg("lab", "private"))
	create[int64](t)(g.AddHook("acme", slow.URL, "a-secret-of-the-hook"))
	create[int64](t)(g.AddHook("lab", quick.URL, "a-secret-of-the-hook"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "lab", Name: "b"}))
	delivered(t, g)
	sent := g.Deliveries()
	if len(sent) != 2 || sent[0].Err == "" || sent[0].Status != 0 || sent[1].Status != http.StatusOK {
		t.Fatalf("%+v", sent)
	}
	if len(slow.names()) != 1 || len(quick.names()) != 1 {
		t.Errorf("slow heard %v, quick %v", slow.names(), quick.names())
	}
}

func TestARefusedDeliveryIsNotRetriedAndRedeliveryHasAnotherID(t *testing.T) {
	g, l := start(t, providerstest.GiteaOptions{}), listen(t)
	l.answer = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	delivered(t, g)
	sent := g.Deliveries()
	if len(sent) != 1 || sent[0].Status != http.StatusInternalServerError {
		t.Fatalf("%+v", sent)
	}
	again, err := g.Redeliver(sent[0].UUID)
	check(t, err)
	delivered(t, g)
	if len(l.got) != 2 || !bytes.Equal(l.got[0].body, l.got[1].body) || again == sent[0].UUID || l.got[1].header.Get("X-Gitea-Delivery") != again {
		t.Errorf("%d deliveries, the second as %s", len(l.got), again)
	}
	if _, err := g.Redeliver("never-sent"); err == nil {
		t.Error("redelivered what was never sent")
	}
}

func TestARedirectIsFollowedWithoutTheBody(t *testing.T) {
	g, l := start(t, providerstest.GiteaOptions{}), listen(t)
	l.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	}
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	delivered(t, g)
	if len(l.got) != 2 || l.got[1].method != http.MethodGet || len(l.got[1].body) != 0 {
		t.Errorf("%+v", l.got)
	}
}

func get(t *testing.T, g *providerstest.Gitea, token, path string, into any) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/api/v1"+path, nil)
	check(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	if into != nil {
		check(t, json.NewDecoder(resp.Body).Decode(into))
	}
	return resp
}

// A CI server pages by the links alone, with the user's own token.
func TestACIServerPagesByLinks(t *testing.T) {
	g := start(t, providerstest.GiteaOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Team](t)(g.CreateTeam("acme", "core", providers.Write, true))
	create[providers.User](t)(g.CreateUser("ana"))
	check(t, g.AddMember("acme", "core", "ana"))
	for i := range 120 {
		create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprintf("r%03d", i), Private: true}))
	}
	list := func() (n int) {
		for path := "/user/repos?limit=100&page=1"; path != ""; {
			var page []struct {
				ID          int64
				Permissions map[string]bool
			}
			resp := get(t, g, g.Token("ana"), path, &page)
			n += len(page)
			if !page[0].Permissions["push"] || page[0].Permissions["admin"] {
				t.Errorf("permissions %v", page[0].Permissions)
			}
			path = ""
			for link := range strings.SplitSeq(resp.Header.Get("Link"), ",") {
				if strings.HasSuffix(link, `rel="next"`) {
					path = strings.TrimPrefix(strings.Trim(strings.Split(link, ";")[0], "<>"), g.URL()+"/api/v1")
				}
			}
		}
		return n
	}
	if n := list(); n != 120 {
		t.Errorf("%d of 120", n)
	}
	if n := g.CallsBy("ana"); n != 3 {
		t.Errorf("%d calls", n)
	}
	defer g.Break(providerstest.Fault{Kind: providerstest.FaultNoLink, User: "ana"})()
	if n := list(); n != 50 { // measured: the rest is revoked, with status 200
		t.Errorf("without links %d of 120, a CI server would see 50", n)
	}
}

func TestHooksAreManagedByOwnersAndKeepTheirSecret(t *testing.T) {
	g := start(t, providerstest.GiteaOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.User](t)(g.CreateUser("zoe"))
	do := func(method, path, token, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, g.URL()+"/api/v1"+path, strings.NewReader(body))
		check(t, err)
		req.Header.Set("Authorization", "token "+token)
		resp, err := http.DefaultClient.Do(req)
		check(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		check(t, err)
		return resp.StatusCode, string(b)
	}
	const form = `{"type":"gitea","active":true,"events":["repository","fork"],"config":{"url":"http://hookd.example.com/hooks/git","content_type":"json","secret":"top-secret"}}`
	if code, _ := do("POST", "/orgs/acme/hooks", g.Token("zoe"), form); code != http.StatusForbidden {
		t.Errorf("zoe creates a hook: %d", code)
	}
	if code, body := do("POST", "/orgs/acme/hooks", g.AdminToken(), form); code != http.StatusCreated || strings.Contains(body, "top-secret") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := do("GET", "/orgs/acme/hooks", g.AdminToken(), ""); code != http.StatusOK || !strings.Contains(body, "hookd.example.com") || strings.Contains(body, "top-secret") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := do("PATCH", "/orgs/acme/hooks/1", g.AdminToken(), `{"active":false}`); code != http.StatusOK || !strings.Contains(body, `"active":false`) {
		t.Errorf("%d %s", code, body)
	}
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	delivered(t, g)
	if n := len(g.Deliveries()); n != 0 {
		t.Errorf("an inactive hook heard %d deliveries", n)
	}
	if code, _ := do("DELETE", "/orgs/acme/hooks/1", g.AdminToken(), ""); code != http.StatusNoContent {
		t.Errorf("deleted: %d", code)
	}
	if code, _ := do("GET", "/orgs/acme/hooks/1", g.AdminToken(), ""); code != http.StatusNotFound {
		t.Errorf("after the deletion: %d", code)
	}
	if code, _ := do("POST", "/orgs/acme/hooks", g.AdminToken(), `{"type":"gitea","config":{"url":"nonsense"}}`); code != http.StatusUnprocessableEntity {
		t.Errorf("a hook to nowhere: %d", code)
	}
}

func TestANewRepositoryMayBeHiddenAndADeletedOneLinger(t *testing.T) {
	g := start(t, providerstest.GiteaOptions{HideNew: 2, DeleteLag: 50 * time.Millisecond})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	r := create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	var codes []int
	for range 3 {
		codes = append(codes, get(t, g, g.AdminToken(), "/repositories/"+r.ID, nil).StatusCode)
	}
	if diff := cmp.Diff([]int{404, 404, 200}, codes); diff != "" {
		t.Error(diff)
	}
	check(t, g.DeleteRepo("acme/a"))
	if code := get(t, g, g.AdminToken(), "/repositories/"+r.ID, nil).StatusCode; code != http.StatusOK {
		t.Errorf("just announced as deleted: %d", code)
	}
	deadline := time.Now().Add(5 * time.Second)
	for get(t, g, g.AdminToken(), "/repositories/"+r.ID, nil).StatusCode != http.StatusNotFound {
		if time.Now().After(deadline) {
			t.Fatal("never gone")
		}
	}
}

func TestFaultsAreCountedDownAndHealed(t *testing.T) {
	g := start(t, providerstest.GiteaOptions{})
	code := func() int { return get(t, g, g.AdminToken(), "/user", nil).StatusCode }
	g.Break(providerstest.Fault{Kind: providerstest.FaultError, Path: "/user", Times: 2})
	heal := g.Break(providerstest.Fault{Kind: providerstest.FaultForbidden, Path: "/version"})
	if diff := cmp.Diff([]int{500, 500, 200}, []int{code(), code(), code()}); diff != "" {
		t.Error(diff)
	}
	if got := get(t, g, g.AdminToken(), "/version", nil).StatusCode; got != http.StatusForbidden {
		t.Errorf("%d", got)
	}
	heal()
	if got := get(t, g, g.AdminToken(), "/version", nil).StatusCode; got != http.StatusOK {
		t.Errorf("healed: %d", got)
	}
}

func TestNothingIsDoneToWhatDoesNotExist(t *testing.T) {
	g := start(t, providerstest.GiteaOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "a"}))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "b"}))
	for what, do := range map[string]func() error{
		"a name twice":         func() error { _, err := g.CreateUser("Acme"); return err },
		"a repository twice":   func() error { _, err := g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "A"}); return err },
		"renamed onto another": func() error { return g.RenameRepo("acme/a", "b") },
		"unknown repository":   func() error { return g.DeleteRepo("acme/c") },
		"unknown user":         func() error { return g.AddMember("acme", "Owners", "nobody") },
		"unknown team":         func() error { return g.AddTeamRepo("acme", "nope", "acme/a") },
		"unknown organization": func() error { _, err := g.CreateTeam("nope", "x", providers.Read, false); return err },
		"unknown new owner":    func() error { return g.TransferRepo("acme/a", "nobody") },
		"hook of nobody":       func() error { _, err := g.AddHook("nobody", "http://x", "y"); return err },
	} {
		if err := do(); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
