package providerstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

func startGitLab(t *testing.T, opt providerstest.GitLabOptions) *providerstest.GitLab {
	t.Helper()
	g, err := providerstest.StartGitLab(opt)
	check(t, err)
	t.Cleanup(g.Close)
	return g
}

func deliveredGitLab(t *testing.T, g *providerstest.GitLab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	check(t, g.Delivered(ctx))
}

// gitlabNames are the events received so far, with the family of their hook.
func (l *listener) gitlabNames() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, r := range l.got {
		var p struct {
			Name string `json:"event_name"`
		}
		json.Unmarshal(r.body, &p)
		names = append(names, strings.TrimSuffix(r.header.Get("X-Gitlab-Event"), " Hook")+" "+p.Name)
	}
	return names
}

// changeGitLab does one thing of each kind in a group with a subgroup.
func changeGitLab(t *testing.T, g *providerstest.GitLab) {
	t.Helper()
	create[providers.Org](t)(g.CreateGroup("acme/sub", "private"))
	create[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme/sub", Name: "app", Private: true}))
	check(t,
		g.AddGroupMember("acme", "ana", providerstest.GitLabDeveloper), g.AddGroupMember("acme", "ana", providerstest.GitLabOwner),
		g.AddCollaborator("acme/sub/app", "li", providers.Read), g.AddCollaborator("acme/sub/app", "li", providers.Write),
		g.SetArchived("acme/sub/app", true), g.SetVisibility("acme/sub/app", true), g.RenameRepo("acme/sub/app", "www"),
		g.TransferRepo("acme/sub/www", "acme"), g.ShareProject("acme/www", "lab", providerstest.GitLabDeveloper),
		g.ShareGroup("acme", "lab", providerstest.GitLabDeveloper), g.Push("acme/www", "main", "ana"),
		g.RemoveCollaborator("acme/www", "li"), g.RemoveGroupMember("acme", "ana"), g.RenameAccount("acme/sub", "tools"),
		g.RenameAccount("li", "liwei"), g.SetState("liwei", "blocked"), g.DeleteUser("liwei"), g.DeleteRepo("acme/www"), g.DeleteGroup("acme/tools"),
	)
	deliveredGitLab(t, g)
}

func TestSystemAndGroupHooksHearWhatGitLabTells(t *testing.T) {
	g, system, group := startGitLab(t, providerstest.GitLabOptions{}), listen(t), listen(t)
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Org](t)(g.CreateOrg("lab", "private"))
	create[providers.User](t)(g.CreateUser("ana"))
	create[providers.User](t)(g.CreateUser("li"))
	create[int64](t)(g.AddHook("", system.URL, "a-secret-of-the-hook"))
	create[int64](t)(g.AddHook("acme", group.URL, "a-secret-of-the-hook"))
	create[int64](t)(g.AddHook("lab", group.URL, "a-secret-of-the-hook")) // hears nothing of acme
	changeGitLab(t, g)

	if diff := cmp.Diff([]string{
		"System group_create", "System project_create", "System user_add_to_group", "System user_update_for_group",
		"System user_add_to_team", "System user_update_for_team", "System project_update", "System project_update", "System project_rename",
		"System project_transfer", "System push", "System user_remove_from_team", "System user_remove_from_group", "System group_rename",
		"System user_rename", "System user_destroy", "System project_destroy", "System group_destroy",
	}, system.gitlabNames()); diff != "" {
		t.Errorf("system hook: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"Subgroup subgroup_create", "Project project_create", "Member user_add_to_group", "Member user_update_for_group", "Push push",
		"Member user_remove_from_group", "Project project_destroy", "Subgroup subgroup_destroy",
	}, group.gitlabNames()); diff != "" {
		t.Errorf("hook of the group: -want +got\n%s", diff)
	}
}

// What the simulator sends, the driver accepts and understands.
func TestDeliveriesOfTheSimulatorAreGitLabs(t *testing.T) {
	const token = "a-secret-of-the-hook"
	signing := "whsec_" + "bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4="
	for _, secret := range []string{token, signing} {
		g, l := startGitLab(t, providerstest.GitLabOptions{}), listen(t)
		set, err := providers.NewSecrets([]byte(secret))
		check(t, err)
		h := create[*gitlab.Hook](t)(gitlab.NewHook(set, nil))
		create[providers.Org](t)(g.CreateOrg("acme", "private"))
		create[providers.Org](t)(g.CreateOrg("lab", "private"))
		create[providers.User](t)(g.CreateUser("ana"))
		create[providers.User](t)(g.CreateUser("li"))
		create[int64](t)(g.AddHook("", l.URL, secret))
		create[int64](t)(g.AddHook("acme", l.URL, secret))
		changeGitLab(t, g)
		seen := map[string]bool{}
		for _, r := range l.got {
			d := providers.Delivery{Header: r.header, Body: r.body}
			id := h.GUID(r.header)
			if _, err := h.Verify(r.header, r.body); err != nil || id == "" || seen[id] {
				t.Errorf("%s: id %q, %v", r.body, id, err)
			}
			seen[id] = true
			_, err := h.Parse(d)
			var ignored *providers.Ignored
			if err != nil && !errors.As(err, &ignored) {
				t.Errorf("%s: %v", r.body, err)
			}
			if _, err := h.Describe(d); err != nil {
				t.Errorf("%s: %v", r.body, err)
			}
		}
		last := g.Deliveries()[0]
		if id, err := g.Redeliver(last.UUID); err != nil || id != last.UUID {
			t.Errorf("sent again as %s, %v", id, err)
		}
		deliveredGitLab(t, g)
		if again := l.got[len(l.got)-1]; h.GUID(again.header) != last.UUID || string(again.body) != string(last.Body) {
			t.Error("what is sent again is not the same")
		}
	}
}

// askGitLab makes one call and decodes its answer.
func askGitLab(t *testing.T, g *providerstest.GitLab, token, path string, v any) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/api/v4"+path, nil)
	check(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	check(t, err)
	if v != nil {
		check(t, json.Unmarshal(b, v))
	}
	return resp
}

// A CI server reads the list page by page with the user's own token.
func TestACIServerPagesThroughAUsersList(t *testing.T) {
	g := startGitLab(t, providerstest.GitLabOptions{Path: "/git"})
	create[providers.User](t)(g.CreateUser("ana"))
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	create[providers.Org](t)(g.CreateGroup("acme/sub", "private"))
	check(t, g.AddGroupMember("acme", "ana", providerstest.GitLabMaintainer))
	for i := range 201 {
		create[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: fmt.Sprintf("r-%03d", i), Private: true}))
	}
	create[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme/sub", Name: "inherited", Private: true}))

	var me struct{ Username string }
	askGitLab(t, g, g.Token("ana"), "/user", &me)
	if me.Username != "ana" {
		t.Errorf("the token is %q's", me.Username)
	}
	read, page := map[string]bool{}, "1"
	for page != "" {
		var got []struct {
			Path        string `json:"path_with_namespace"`
			Permissions struct {
				Project *struct{} `json:"project_access"`
				Group   *struct {
					Level int `json:"access_level"`
				} `json:"group_access"`
			} `json:"permissions"`
		}
		resp := askGitLab(t, g, g.Token("ana"), "/projects?membership=true&per_page=100&page="+page, &got)
		if resp.Header.Get("X-Total") != "202" || !strings.Contains(resp.Header.Get("Link"), "<"+g.URL()+"/api/v4/projects?") {
			t.Errorf("page %s: %v", page, resp.Header)
		}
		for _, p := range got {
			read[p.Path] = true
			// A list shows what the very group grants, and nothing of those above.
			if direct := p.Path != "acme/sub/inherited"; (p.Permissions.Group != nil) != direct || p.Permissions.Project != nil {
				t.Errorf("%s: %+v", p.Path, p.Permissions)
			}
		}
		page = resp.Header.Get("X-Next-Page")
	}
	if len(read) != 202 {
		t.Errorf("%d projects", len(read))
	}
	if n := g.CallsBy("ana"); n != 4 {
		t.Errorf("%d calls by ana: %v", n, g.Calls())
	}
}

func TestKeysetPagesGoOnBehindALink(t *testing.T) {
	g := startGitLab(t, providerstest.GitLabOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	for i := range 5 {
		create[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: fmt.Sprintf("r-%d", i), Private: true}))
	}
	next, n := "/projects?pagination=keyset&order_by=id&sort=asc&per_page=2", 0
	for next != "" {
		var got []struct{ ID int64 }
		resp := askGitLab(t, g, g.AdminToken(), next, &got)
		n += len(got)
		link, _, found := strings.Cut(resp.Header.Get("Link"), ">")
		if next = ""; found {
			next = strings.TrimPrefix(link, "<"+g.URL()+"/api/v4")
		}
	}
	if n != 5 {
		t.Errorf("%d projects", n)
	}
}

func TestGitLabRefusesAsGitLabDoes(t *testing.T) {
	g := startGitLab(t, providerstest.GitLabOptions{})
	create[providers.User](t)(g.CreateUser("ana"))
	create[providers.User](t)(g.CreateUser("gone"))
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	r := create[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: "app", Private: true}))
	check(t, g.SetState("gone", "blocked"))
	for _, x := range []struct {
		token, path, want string
		status            int
	}{
		{"", "/user", `{"message":"401 Unauthorized"}`, 401},
		{g.Token("ana"), "/projects/" + r.ID, `{"message":"404 Project Not Found"}`, 404},
		{g.Token("ana"), "/groups/acme", `{"message":"404 Group Not Found"}`, 404},
		{g.Token("ana"), "/user?sudo=root", `{"message":"403 Forbidden - Must be admin to use sudo"}`, 403},
		{g.AdminToken(), "/nothing", `{"error":"404 Not Found"}`, 404},
		{g.AdminToken(), "/users/99", `{"message":"404 User Not Found"}`, 404},
		{g.AdminToken(), "/projects/" + r.ID + "/members/all/2", `{"message":"404 Not found"}`, 404},
		{g.Token("gone"), "/user", `{"message":"403 Forbidden - Your account has been blocked."}`, 403},
	} {
		var got json.RawMessage
		if resp := askGitLab(t, g, x.token, x.path, &got); resp.StatusCode != x.status || string(got) != x.want {
			t.Errorf("%s: %d %s", x.path, resp.StatusCode, got)
		}
	}
}

func TestGitLabAnswers304ToWhoHasTheAnswer(t *testing.T) {
	g := startGitLab(t, providerstest.GitLabOptions{})
	resp := askGitLab(t, g, g.AdminToken(), "/user", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL()+"/api/v4/user", nil)
	check(t, err)
	req.Header.Set("Private-Token", g.AdminToken())
	req.Header.Set("If-None-Match", resp.Header.Get("ETag"))
	again, err := http.DefaultClient.Do(req)
	check(t, err)
	again.Body.Close()
	if again.StatusCode != http.StatusNotModified || resp.Header.Get("ETag") == "" {
		t.Errorf("%d, %q", again.StatusCode, resp.Header.Get("ETag"))
	}
}

func TestHooksOfGitLabAreMadeThroughItsAPI(t *testing.T) {
	g := startGitLab(t, providerstest.GitLabOptions{})
	create[providers.Org](t)(g.CreateOrg("acme", "private"))
	for _, path := range []string{"/hooks", "/groups/acme/hooks"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL()+"/api/v4"+path,
			strings.NewReader(`{"url":"https://hookd.example.com/hooks/git","token":"a-secret-of-the-hook","push_events":false}`))
		check(t, err)
		req.Header.Set("Authorization", "Bearer "+g.AdminToken())
		resp, err := http.DefaultClient.Do(req)
		check(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		check(t, err)
		if resp.StatusCode != http.StatusCreated || strings.Contains(string(body), "a-secret") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
		var list []struct {
			URL  string `json:"url"`
			Push bool   `json:"push_events"`
		}
		askGitLab(t, g, g.AdminToken(), path, &list)
		if len(list) != 1 || list[0].Push || list[0].URL != "https://hookd.example.com/hooks/git" {
			t.Errorf("%s: %+v", path, list)
		}
	}
}
