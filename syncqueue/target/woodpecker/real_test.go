package woodpecker_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

// TestContractAgainstRealWoodpecker runs the contract against a Woodpecker
// beside a Gitea whose users log in to it by OAuth. It makes users, an
// organization and repositories of its own, with random names, and takes them
// away again.
//
//	HOOKD_E2E_WOODPECKER_URL          Woodpecker's web root
//	HOOKD_E2E_WOODPECKER_TOKEN_FILE   API token of a Woodpecker administrator, who is the Gitea administrator too
//	HOOKD_E2E_GITEA_URL               Gitea's web root, as Woodpecker names it to browsers
//	HOOKD_E2E_GITEA_TOKEN_FILE        API token of that Gitea administrator, all scopes
func TestContractAgainstRealWoodpecker(t *testing.T) {
	if os.Getenv("HOOKD_E2E_WOODPECKER_URL") == "" {
		t.Skip("HOOKD_E2E_WOODPECKER_URL is not set")
	}
	w := newReal(t)
	targettest.Run(t, func(*testing.T) targettest.World { return w })
}

// real is a world of real servers.
type real struct {
	wood, gitea           string
	woodToken, giteaToken string
	org, dir              string
	tokens                map[string]string // Woodpecker's, by login
	target                *woodpecker.Target
}

func newReal(t *testing.T) *real {
	t.Helper()
	w := &real{
		wood:      strings.TrimRight(os.Getenv("HOOKD_E2E_WOODPECKER_URL"), "/"),
		gitea:     strings.TrimRight(os.Getenv("HOOKD_E2E_GITEA_URL"), "/"),
		woodToken: secret(t, os.Getenv("HOOKD_E2E_WOODPECKER_TOKEN_FILE")), giteaToken: secret(t, os.Getenv("HOOKD_E2E_GITEA_TOKEN_FILE")),
		tokens: map[string]string{}, dir: t.TempDir(), org: "e2e-" + strings.ToLower(rand.Text()[:8]),
	}
	var err error
	w.target, err = woodpecker.New(woodpecker.Config{Name: "real", URL: w.wood, AdminToken: w.woodToken, TokenDir: w.dir, Guard: guard})
	if err != nil {
		t.Fatal(err)
	}
	w.forge(t, http.MethodPost, "/orgs", map[string]any{"username": w.org, "visibility": "private"}, nil)
	t.Cleanup(func() { w.forge(t, http.MethodDelete, "/orgs/"+w.org, nil, nil) })
	return w
}

func secret(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// ask sends one JSON request and wants a 2xx.
func ask(t *testing.T, method, address, authorization string, body, into any) {
	t.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	// Clean-ups run after the test's own context has ended.
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, address, in)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s, %v", method, address, res.StatusCode, b, err)
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%s %s: %v", method, address, err)
		}
	}
}

func (w *real) forge(t *testing.T, method, path string, body, into any) {
	t.Helper()
	ask(t, method, w.gitea+"/api/v1"+path, "token "+w.giteaToken, body, into)
}

func (w *real) Target() target.Target { return w.target }

func password(login string) string { return "pw-of-" + login + "-4711" }

func (w *real) User(t *testing.T, login string) providers.User {
	t.Helper()
	login += "-" + strings.ToLower(rand.Text()[:6])
	var u struct {
		ID int64 `json:"id"`
	}
	w.forge(t, http.MethodPost, "/admin/users", map[string]any{
		"username": login, "email": login + "@e2e.example", "password": password(login), "must_change_password": false,
	}, &u)
	t.Cleanup(func() { w.forge(t, http.MethodDelete, "/admin/users/"+login+"?purge=true", nil, nil) })
	return providers.User{ID: strconv.FormatInt(u.ID, 10), Login: login}
}

// Repo makes a repository that is active.
func (w *real) Repo(t *testing.T, name string) providers.Repo {
	t.Helper()
	var r struct {
		ID   int64  `json:"id"`
		Path string `json:"full_name"`
	}
	w.forge(t, http.MethodPost, "/orgs/"+w.org+"/repos", map[string]any{
		"name": name + "-" + strings.ToLower(rand.Text()[:6]), "private": true, "auto_init": true,
	}, &r)
	id := strconv.FormatInt(r.ID, 10)
	var active struct {
		ID int64 `json:"id"`
	}
	ask(t, http.MethodPost, w.wood+"/api/repos?"+url.Values{"forge_remote_id": {id}}.Encode(), "Bearer "+w.woodToken, nil, &active)
	t.Cleanup(func() {
		// Woodpecker keeps a repository that the forge deleted.
		ask(t, http.MethodDelete, w.wood+"/api/repos/"+strconv.FormatInt(active.ID, 10)+"?remove=true", "Bearer "+w.woodToken, nil, nil)
		w.forge(t, http.MethodGet, "/repositories/"+id, nil, &r) // it may have another name by now
		w.forge(t, http.MethodDelete, "/repos/"+r.Path, nil, nil)
	})
	return providers.Repo{ID: id, Path: r.Path, Visibility: providers.Private}
}

func (w *real) Grant(t *testing.T, u providers.User, r providers.Repo) {
	t.Helper()
	w.forge(t, http.MethodPut, "/repos/"+r.Path+"/collaborators/"+u.Login, map[string]any{"permission": "write"}, nil)
}

func (w *real) Revoke(t *testing.T, u providers.User, r providers.Repo) {
	t.Helper()
	w.forge(t, http.MethodDelete, "/repos/"+r.Path+"/collaborators/"+u.Login, nil, nil)
}

func (w *real) Rename(t *testing.T, r providers.Repo, name string) providers.Repo {
	t.Helper()
	name += "-" + strings.ToLower(rand.Text()[:6])
	w.forge(t, http.MethodPatch, "/repos/"+r.Path, map[string]any{"name": name}, nil)
	r.Path = w.org + "/" + name
	return r
}

func (w *real) Archive(t *testing.T, r providers.Repo) providers.Repo {
	t.Helper()
	w.forge(t, http.MethodPatch, "/repos/"+r.Path, map[string]any{"archived": true}, nil)
	r.Archived = true
	return r
}

func (w *real) Count(providers.User) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return 100, nil }
}

// csrf is what Woodpecker's pages prove themselves by.
var csrf = regexp.MustCompile(`WOODPECKER_CSRF\s*=\s*"([^"]+)"`)

func (w *real) LogIn(t *testing.T, u providers.User) {
	t.Helper()
	b := targettest.LogIn(t, w.wood+"/authorize", w.gitea, u.Login, password(u.Login))
	_, config := b.Get(w.wood + "/web-config.js")
	proof := csrf.FindStringSubmatch(config)
	if proof == nil {
		t.Fatalf("%s is not logged in to Woodpecker", u.Login)
	}
	_, token := b.Post(w.wood+"/api/user/token", nil, http.Header{"X-Csrf-Token": {proof[1]}})
	if w.tokens[u.Login] == "" {
		t.Cleanup(func() {
			ask(t, http.MethodDelete, w.wood+"/api/users/"+u.Login, "Bearer "+w.woodToken, nil, nil)
		})
	}
	w.tokens[u.Login] = token
}

func (w *real) GiveCredential(t *testing.T, u providers.User) {
	t.Helper()
	w.write(t, u, w.tokens[u.Login])
}

func (w *real) SpoilCredential(t *testing.T, u providers.User) {
	t.Helper()
	w.write(t, u, "spoilt-"+u.Login)
}

func (w *real) TakeCredential(t *testing.T, u providers.User) {
	t.Helper()
	if err := os.Remove(filepath.Join(w.dir, u.Login)); err != nil {
		t.Fatal(err)
	}
}

func (w *real) write(t *testing.T, u providers.User, token string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, u.Login), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
