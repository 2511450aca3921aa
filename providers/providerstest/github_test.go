package providerstest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

func startGitHub(t *testing.T, opt providerstest.GitHubOptions) *providerstest.GitHub {
	t.Helper()
	g, err := providerstest.StartGitHub(opt)
	check(t, err)
	t.Cleanup(g.Close)
	return g
}

// heardFromGitHub returns the events received, sorted, as GitHub keeps no order.
func heardFromGitHub(t *testing.T, g *providerstest.GitHub, l *listener) []string {
	t.Helper()
	check(t, g.Delivered(t.Context()))
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, r := range l.got {
		var p struct{ Action string }
		check(t, json.Unmarshal(r.body, &p))
		names = append(names, strings.TrimSuffix(r.header.Get("X-GitHub-Event")+" "+p.Action, " "))
	}
	l.got = nil
	slices.Sort(names)
	return names
}

func TestGitHubAnnouncesWhatGitHubAnnounces(t *testing.T) {
	g, l := startGitHub(t, providerstest.GitHubOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	create[providers.Org](t)(g.CreateOrg("lab", ""))
	create[providers.User](t)(g.CreateUser("ana"))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))
	repo := func(owner, name string) error {
		_, err := g.CreateRepo(providerstest.GitHubRepo{Owner: owner, Name: name, Private: true})
		return err
	}
	fork := func(path, owner string) error { _, err := g.Fork(path, owner, ""); return err }
	team := func(name string, all bool) error {
		_, err := g.CreateTeam("acme", name, providers.Write, all)
		return err
	}
	for _, step := range []struct {
		what string
		do   func() error
		want []string
	}{
		{"hook", func() error { return nil }, []string{"ping"}},
		{"repository", func() error { return repo("acme", "app") }, []string{"repository created"}},
		{"elsewhere", func() error { return repo("lab", "lib") }, nil},
		{"team", func() error { return team("core", false) }, []string{"team created"}},
		{"team of all", func() error { return team("all", true) }, []string{"team added_to_repository", "team created", "team_add"}},
		{"newcomer", func() error { return g.AddMember("acme", "core", "ana") }, []string{"membership added", "organization member_added"}},
		{"team's repository", func() error { return g.AddTeamRepo("acme", "core", "acme/app") }, []string{"team added_to_repository", "team_add"}},
		{"its level", func() error { return g.SetTeamPermission("acme", "core", "acme/app", providers.Admin) }, []string{"team edited"}},
		{"no more", func() error { return g.RemoveTeamRepo("acme", "core", "acme/app") }, []string{"team removed_from_repository"}},
		{"collaborator", func() error { return g.AddCollaborator("acme/app", "ana", providers.Read) }, []string{"member added"}},
		{"another level", func() error { return g.AddCollaborator("acme/app", "ana", providers.Write) }, []string{"member edited"}},
		{"no collaborator", func() error { return g.RemoveCollaborator("acme/app", "ana") }, []string{"member removed"}},
		{"rename", func() error { return g.RenameRepo("acme/app", "www") }, []string{"repository renamed"}},
		{"public", func() error { return g.SetVisibility("acme/www", false) }, []string{"public", "repository publicized"}},
		{"private", func() error { return g.SetVisibility("acme/www", true) }, []string{"repository privatized"}},
		{"archive", func() error { return g.SetArchived("acme/www", true) }, []string{"repository archived"}},
		{"unarchive", func() error { return g.SetArchived("acme/www", false) }, []string{"repository unarchived"}},
		{"push", func() error { return g.Push("acme/www", "main", "") }, []string{"push"}},
		{"transfer away", func() error { return g.TransferRepo("acme/www", "lab") }, nil},
		{"transfer here", func() error { return g.TransferRepo("lab/www", "acme") }, []string{"repository transferred", "team added_to_repository", "team_add"}},
		{"fork into a user", func() error { return fork("acme/www", "ana") }, []string{"fork"}},
		{"fork into ours", func() error { return fork("lab/lib", "acme") }, []string{"repository created", "team added_to_repository", "team_add"}},
		{"base permission", func() error { return g.SetBasePermission("acme", providers.Read) }, nil},
		{"login", func() error { return g.RenameAccount("ana", "anna") }, nil},
		{"leaver", func() error { return g.RemoveFromOrg("acme", "anna") }, []string{"membership removed", "organization member_removed"}},
		{"back", func() error { return g.AddMember("acme", "core", "anna") }, []string{"membership added", "organization member_added"}},
		{"team's end", func() error { return g.DeleteTeam("acme", "core") }, []string{"membership removed", "team deleted"}},
		{"organization's name", func() error { return g.RenameAccount("acme", "acme-inc") }, []string{"organization renamed"}},
		{"end", func() error { return g.DeleteRepo("acme-inc/www") }, []string{"repository deleted"}},
	} {
		check(t, step.do())
		if diff := cmp.Diff(step.want, heardFromGitHub(t, g, l)); diff != "" {
			t.Errorf("%s: -want +got\n%s", step.what, diff)
		}
	}
}

func TestGitHubSignsTheBytesItSends(t *testing.T) {
	g, l := startGitHub(t, providerstest.GitHubOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	for _, kind := range []string{"json", "form"} {
		body := fmt.Sprintf(`{"name":"web","config":{"url":"%s/%s","content_type":"%s","secret":"a-secret-of-the-hook"},"events":["repository"]}`, l.URL, kind, kind)
		resp := askGitHub(t, g, g.AdminToken(), "POST", "/orgs/acme/hooks", body)
		if resp.StatusCode != http.StatusCreated || strings.Contains(resp.text, "a-secret-of-the-hook") {
			t.Errorf("%s: %d %s", kind, resp.StatusCode, resp.text)
		}
	}
	check(t, g.Delivered(t.Context()))
	if len(l.got) != 2 {
		t.Fatalf("%d pings", len(l.got))
	}
	for _, r := range l.got {
		mac := hmac.New(sha256.New, []byte("a-secret-of-the-hook"))
		mac.Write(r.body)
		if got, want := r.header.Get("X-Hub-Signature-256"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
			t.Errorf("signed %s, want %s", got, want)
		}
		for _, name := range []string{"X-GitHub-Delivery", "X-GitHub-Event", "X-GitHub-Hook-ID", "X-GitHub-Hook-Installation-Target-ID", "X-GitHub-Hook-Installation-Target-Type", "X-Hub-Signature", "Content-Type"} {
			if r.header.Get(name) == "" {
				t.Errorf("no %s", name)
			}
		}
		if strings.Contains(r.header.Get("Content-Type"), "form") {
			fields, err := url.ParseQuery(string(r.body))
			check(t, err)
			r.body = []byte(fields.Get("payload"))
		}
		if !json.Valid(r.body) {
			t.Errorf("no JSON: %s", r.body)
		}
	}
}

func TestGitHubRedeliversUnderTheSameID(t *testing.T) {
	g, l := startGitHub(t, providerstest.GitHubOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook"))
	check(t, g.Delivered(t.Context()))
	first := g.Deliveries()[0]
	if id, err := g.Redeliver(first.UUID); id != first.UUID || err != nil {
		t.Errorf("%s, %v", id, err)
	}
	check(t, g.Delivered(t.Context()))
	if len(l.got) != 2 || !bytes.Equal(l.got[0].body, l.got[1].body) || !cmp.Equal(l.got[0].header, l.got[1].header) {
		t.Errorf("%d deliveries, not alike", len(l.got))
	}
}

type githubAnswer struct {
	*http.Response
	text string
}

// askGitHub sends a request below the API's root; header names and values alternate.
func askGitHub(t *testing.T, g *providerstest.GitHub, token, method, path, body string, header ...string) githubAnswer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL()+"/api/v3"+path, strings.NewReader(body))
	check(t, err)
	req.Header.Set("Authorization", "token "+token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	check(t, err)
	return githubAnswer{resp, string(text)}
}

// A CI server reads its user's list by following the links.
func TestGitHubListsByLinks(t *testing.T) {
	g := startGitHub(t, providerstest.GitHubOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	create[providers.User](t)(g.CreateUser("ana"))
	check(t, g.AddToOrg("acme", "ana", false), g.SetBasePermission("acme", providers.Read))
	for i := range 205 {
		create[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: fmt.Sprintf("r%03d", i), Private: true}))
	}
	seen := map[string]bool{}
	path := "/user/repos?page=1&per_page=100"
	for pages := 0; path != ""; pages++ {
		resp := askGitHub(t, g, g.Token("ana"), "GET", path, "")
		var repos []struct {
			FullName    string `json:"full_name"`
			Permissions map[string]bool
		}
		check(t, json.Unmarshal([]byte(resp.text), &repos))
		for _, r := range repos {
			seen[r.FullName] = true
			if !r.Permissions["pull"] || r.Permissions["push"] {
				t.Errorf("%s: %v", r.FullName, r.Permissions)
			}
		}
		path = ""
		for _, link := range strings.Split(resp.Header.Get("Link"), ", ") {
			if target, ok := strings.CutSuffix(link, `>; rel="next"`); ok {
				path = strings.TrimPrefix(target, "<"+g.URL()+"/api/v3")
			}
		}
		if pages > 3 {
			t.Fatal("links without end")
		}
	}
	if len(seen) != 205 {
		t.Errorf("%d of 205", len(seen))
	}
	if g.CallsBy("ana") != 3 || g.Calls()["GET /user/repos"] != 3 {
		t.Errorf("%d calls, %v", g.CallsBy("ana"), g.Calls())
	}
}

func TestGitHubAnswersConditionallyForFree(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	g := startGitHub(t, providerstest.GitHubOptions{RateLimit: 3, Now: func() time.Time { return now }})
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	first := askGitHub(t, g, g.AdminToken(), "GET", "/orgs/acme", "")
	if first.Header.Get("X-RateLimit-Remaining") != "2" || first.Header.Get("X-RateLimit-Reset") == "" {
		t.Errorf("%v", first.Header)
	}
	for range 5 {
		again := askGitHub(t, g, g.AdminToken(), "GET", "/orgs/acme", "", "If-None-Match", first.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified || again.text != "" || again.Header.Get("X-RateLimit-Remaining") != "2" {
			t.Errorf("%d %q %v", again.StatusCode, again.text, again.Header)
		}
	}
	check(t, g.SetBasePermission("acme", providers.Write))
	if again := askGitHub(t, g, g.AdminToken(), "GET", "/orgs/acme", "", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != http.StatusOK {
		t.Errorf("changed, but %d", again.StatusCode)
	}
	askGitHub(t, g, g.AdminToken(), "GET", "/user", "")
	over := askGitHub(t, g, g.AdminToken(), "GET", "/user", "")
	if over.StatusCode != http.StatusForbidden || over.Header.Get("X-RateLimit-Remaining") != "0" || !strings.Contains(over.text, "rate limit exceeded") {
		t.Errorf("%d %s %v", over.StatusCode, over.text, over.Header)
	}
	now = now.Add(time.Hour)
	if fresh := askGitHub(t, g, g.AdminToken(), "GET", "/user", ""); fresh.StatusCode != http.StatusOK {
		t.Errorf("in the next hour: %d", fresh.StatusCode)
	}
}

func TestGitHubHooksBelongToOwners(t *testing.T) {
	g, l := startGitHub(t, providerstest.GitHubOptions{}), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", ""))
	create[providers.User](t)(g.CreateUser("ana"))
	check(t, g.AddToOrg("acme", "ana", false))
	id := create[int64](t)(g.AddHook("acme", l.URL, "a-secret-of-the-hook", "repository"))
	path := fmt.Sprintf("/orgs/acme/hooks/%d", id)
	if resp := askGitHub(t, g, g.Token("ana"), "GET", path, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("to a member: %d", resp.StatusCode)
	}
	if resp := askGitHub(t, g, g.AdminToken(), "PATCH", path, `{"active":false}`); resp.StatusCode != http.StatusOK || !strings.Contains(resp.text, `"active":false`) {
		t.Errorf("%d %s", resp.StatusCode, resp.text)
	}
	heardFromGitHub(t, g, l)
	create[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "app"}))
	if got := heardFromGitHub(t, g, l); len(got) != 0 {
		t.Errorf("switched off, and heard %v", got)
	}
	for _, body := range []string{`{}`, `{"name":"web"}`, `{"name":"web","config":{"url":"nowhere"}}`, fmt.Sprintf(`{"name":"web","config":{"url":%q}}`, l.URL)} {
		if resp := askGitHub(t, g, g.AdminToken(), "POST", "/orgs/acme/hooks", body); resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", body, resp.StatusCode)
		}
	}
	if resp := askGitHub(t, g, g.AdminToken(), "DELETE", path, ""); resp.StatusCode != http.StatusNoContent {
		t.Errorf("%d", resp.StatusCode)
	}
	if resp := askGitHub(t, g, g.AdminToken(), "GET", path, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("deleted: %d", resp.StatusCode)
	}
}
