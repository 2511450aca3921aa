package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// realServers are a Gitea and a Drone that run already, named by the
// environment:
//
//	HOOKD_E2E_GITEA_URL, HOOKD_E2E_GITEA_TOKEN_FILE   a site administrator's token
//	HOOKD_E2E_DRONE_URL
//	HOOKD_E2E_DRONE_USERS                             a folder with a Drone token for each of three users or more
//
// The Gitea must allow webhooks to this machine, and the users must have logged
// in to the Drone. The test works in an organization of its own and removes it.
type realServers struct {
	t                 *testing.T
	gitea, drone      string
	token, tokens     string
	org               string
	ana, li, zoe      string // whoever they are
	coreTeam, docTeam int64
}

func atRealServers(t *testing.T) *realServers {
	t.Helper()
	s := &realServers{
		t: t, gitea: os.Getenv("HOOKD_E2E_GITEA_URL"), drone: os.Getenv("HOOKD_E2E_DRONE_URL"),
		tokens: os.Getenv("HOOKD_E2E_DRONE_USERS"), org: "e2e" + strings.ToLower(syncqueue.NewID(time.Now())[16:]),
	}
	if s.gitea == "" || s.drone == "" {
		t.Skip("HOOKD_E2E_GITEA_URL and HOOKD_E2E_DRONE_URL name no running servers; the scripts run the same road against the simulated ones")
	}
	s.token = s.read(os.Getenv("HOOKD_E2E_GITEA_TOKEN_FILE"))
	files, err := os.ReadDir(s.tokens)
	if err != nil {
		t.Fatal(err)
	}
	var me struct{ Login string }
	s.ask("GET", "/user", nil, &me)
	var logins []string
	for _, f := range files {
		if f.Name() != me.Login {
			logins = append(logins, f.Name())
		}
	}
	if len(logins) < 3 {
		t.Fatalf("%s has tokens of %v, want three users beside %s", s.tokens, logins, me.Login)
	}
	s.ana, s.li, s.zoe = logins[0], logins[1], logins[2]
	return s
}

func (s *realServers) read(file string) string {
	s.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// ask calls Gitea's API; anything but a 2xx fails the test.
func (s *realServers) ask(method, path string, body, answer any) {
	s.t.Helper()
	s.call(method, s.gitea+"/api/v1"+path, "token "+s.token, body, answer)
}

func (s *realServers) call(method, url, auth string, body, answer any) {
	s.t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, url, in)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", auth)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		s.t.Fatalf("%s %s: %s: %s", method, url, resp.Status, text)
	}
	if answer == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		s.t.Fatalf("%s %s: %v", method, url, err)
	}
}

// shows is what Drone lists for a user in the test's organization.
func (s *realServers) shows(login string) []string {
	s.t.Helper()
	var repos []struct{ Slug string }
	s.call("GET", s.drone+"/api/user/repos", "Bearer "+s.read(filepath.Join(s.tokens, login)), nil, &repos)
	var out []string
	for _, r := range repos {
		if owner, name, _ := strings.Cut(r.Slug, "/"); owner == s.org {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// becomes waits until Drone shows a user exactly these repositories.
func (s *realServers) becomes(within time.Duration, what, login string, want ...string) {
	s.t.Helper()
	begun := time.Now()
	var got []string
	for time.Since(begun) < within {
		if got = s.shows(login); slices.Equal(got, want) {
			s.t.Logf("%s: %s sees %v after %.1f s", what, login, want, time.Since(begun).Seconds())
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Errorf("%s: %s sees %v after %s, want %v", what, login, got, within, want)
}

func (s *realServers) team(name, permission string, all bool) int64 {
	s.t.Helper()
	var team struct{ ID int64 }
	s.ask("POST", "/orgs/"+s.org+"/teams", map[string]any{
		"name": name, "permission": permission, "includes_all_repositories": all,
		"units_map": map[string]string{"repo.code": permission},
	}, &team)
	return team.ID
}

func (s *realServers) populate() {
	s.t.Helper()
	s.ask("POST", "/orgs", map[string]any{"username": s.org, "visibility": "private"}, nil)
	s.t.Cleanup(func() {
		var repos []struct{ Name string }
		s.ask("GET", "/orgs/"+s.org+"/repos", nil, &repos)
		for _, r := range repos {
			s.ask("DELETE", "/repos/"+s.org+"/"+r.Name, nil, nil)
		}
		s.ask("DELETE", "/orgs/"+s.org, nil, nil)
	})
	s.coreTeam, s.docTeam = s.team("core", "write", true), s.team("docs", "read", false)
	s.ask("PUT", fmt.Sprintf("/teams/%d/members/%s", s.coreTeam, s.ana), nil, nil)
	s.ask("PUT", fmt.Sprintf("/teams/%d/members/%s", s.docTeam, s.li), nil, nil)
}

// TestRealGiteaAndDrone runs the real program between real servers. Users who
// do nothing must see what changes: created and deleted repositories within
// ten seconds, what Gitea never announces within its poll.
func TestRealGiteaAndDrone(t *testing.T) {
	s := atRealServers(t)
	dir, secret := t.TempDir(), newKey()
	for name, text := range map[string]string{
		"forge-token": s.token, "hook-secret": secret,
		"hookd.yaml": fmt.Sprintf(`listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
data_dir: data
providers:
  - {name: git, kind: gitea, url: %q, token_file: forge-token, secret_files: [hook-secret], orgs: [%s], poll: {members: 3s, repos: 4s}}
targets:
  - {name: drone, kind: drone, url: %q, provider: git, users: {token_dir: %q}}
`, s.gitea, s.org, s.drone, s.tokens),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.populate()
	server := startServer(t, dir)
	defer server.kill(t)
	s.ask("POST", "/orgs/"+s.org+"/hooks", map[string]any{
		"type": "gitea", "active": true, "events": []string{"repository"},
		"config": map[string]string{"url": "http://" + server.listen + "/hooks/git", "content_type": "json", "secret": secret},
	}, nil)

	const event, poll = 10 * time.Second, 15 * time.Second
	repo := "/repos/" + s.org + "/"
	s.ask("POST", "/orgs/"+s.org+"/repos", map[string]any{"name": "app", "private": true}, nil)
	s.becomes(event, "created", s.ana, "app")
	s.becomes(event, "created", s.li)
	s.ask("PUT", fmt.Sprintf("/teams/%d/members/%s", s.coreTeam, s.zoe), nil, nil)
	s.becomes(poll, "joined", s.zoe, "app")
	s.ask("DELETE", fmt.Sprintf("/teams/%d/members/%s", s.coreTeam, s.zoe), nil, nil)
	s.becomes(poll, "left", s.zoe)
	s.ask("PUT", fmt.Sprintf("/teams/%d/repos/%s/app", s.docTeam, s.org), nil, nil)
	s.becomes(poll, "given to a team", s.li, "app")
	s.ask("PATCH", repo+"app", map[string]any{"name": "web"}, nil)
	s.becomes(poll, "renamed", s.ana, "web")
	s.becomes(poll, "renamed", s.li, "web")
	s.ask("DELETE", fmt.Sprintf("/teams/%d/repos/%s/web", s.docTeam, s.org), nil, nil)
	s.becomes(poll, "taken from a team", s.li)
	s.ask("PUT", repo+"web/collaborators/"+s.zoe, map[string]any{"permission": "read"}, nil)
	s.becomes(poll, "collaborates", s.zoe, "web")
	s.ask("DELETE", repo+"web/collaborators/"+s.zoe, nil, nil)
	s.becomes(poll, "collaborates no more", s.zoe)
	s.ask("PATCH", repo+"web", map[string]any{"private": false}, nil)
	s.becomes(poll, "publicized", s.li, "web")
	s.ask("PATCH", repo+"web", map[string]any{"private": true}, nil)
	s.becomes(poll, "privatized", s.li)
	s.ask("DELETE", repo+"web", nil, nil)
	s.becomes(event, "deleted", s.ana)
}
