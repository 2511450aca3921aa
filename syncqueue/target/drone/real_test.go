package drone_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// TestContractAgainstRealDrone runs the contract against a Drone beside a Gitea
// whose users log in to it by OAuth. It makes users, an organization and
// repositories of its own, with random names, and takes them away again.
//
//	HOOKD_E2E_DRONE_URL          Drone's web root
//	HOOKD_E2E_DRONE_TOKEN_FILE   API token of a Drone administrator
//	HOOKD_E2E_GITEA_URL          Gitea's web root, as Drone names it to browsers
//	HOOKD_E2E_GITEA_TOKEN_FILE   API token of a Gitea administrator, all scopes
func TestContractAgainstRealDrone(t *testing.T) {
	if os.Getenv("HOOKD_E2E_DRONE_URL") == "" {
		t.Skip("HOOKD_E2E_DRONE_URL is not set")
	}
	w := newReal(t)
	targettest.Run(t, func(*testing.T) targettest.World { return w })
}

// TestSessionsAgainstRealDrone does the same by Drone's cookie secret.
//
//	HOOKD_E2E_DRONE_COOKIE_SECRET_FILE   DRONE_COOKIE_SECRET of that Drone
func TestSessionsAgainstRealDrone(t *testing.T) {
	if os.Getenv("HOOKD_E2E_DRONE_COOKIE_SECRET_FILE") == "" {
		t.Skip("HOOKD_E2E_DRONE_COOKIE_SECRET_FILE is not set")
	}
	w := newReal(t, func(c *drone.Config) {
		c.TokenDir, c.SessionSecret = "", secret(t, "HOOKD_E2E_DRONE_COOKIE_SECRET_FILE")
	})
	targettest.RunShowing(t, func(*testing.T) targettest.Scene { return sessionWorld{w} })
}

// TestAccountsMadeInRealDroneSyncAfterTheFirstLogin makes an account, lets its
// user log in, and syncs him by the token that hookd made up.
func TestAccountsMadeInRealDroneSyncAfterTheFirstLogin(t *testing.T) {
	if os.Getenv("HOOKD_E2E_DRONE_URL") == "" {
		t.Skip("HOOKD_E2E_DRONE_URL is not set")
	}
	w := newReal(t, func(c *drone.Config) { c.TokenDir, c.Vault, c.Provision = "", newVault(t), true })
	u, one := w.User(t, "pia"), w.Repo(t, "one")
	w.Grant(t, u, one)
	want := target.Desired{Present: of(one), Count: w.Count(u)}
	for range 2 {
		if _, err := w.target.Sync(t.Context(), u, want); !errors.Is(err, target.ErrMustLogIn) {
			t.Fatalf("got %v", err)
		}
	}
	w.LogIn(t, u)
	two := w.Repo(t, "two")
	w.Grant(t, u, two)
	res, err := w.target.Sync(t.Context(), u, target.Desired{Present: of(one, two), Count: w.Count(u)})
	if err != nil || !res.Synced || !res.Settled() || res.Before != 1 {
		t.Errorf("got %+v, %v: his first login read one repository, and the sync another", res, err)
	}
}

// real is a world of real servers.
type real struct {
	drone, gitea           string
	droneToken, giteaToken string
	run, org, dir          string
	tokens                 map[string]string // Drone's, by login
	target                 *drone.Target
}

func newReal(t *testing.T, edit ...func(*drone.Config)) *real {
	t.Helper()
	w := &real{
		drone:      strings.TrimRight(os.Getenv("HOOKD_E2E_DRONE_URL"), "/"),
		gitea:      strings.TrimRight(os.Getenv("HOOKD_E2E_GITEA_URL"), "/"),
		droneToken: secret(t, "HOOKD_E2E_DRONE_TOKEN_FILE"), giteaToken: secret(t, "HOOKD_E2E_GITEA_TOKEN_FILE"),
		run: strings.ToLower(rand.Text()[:8]), dir: t.TempDir(), tokens: map[string]string{},
	}
	w.org = "e2e-" + w.run
	var err error
	cfg := drone.Config{Name: "real", URL: w.drone, AdminToken: w.droneToken, TokenDir: w.dir, Guard: guard}
	for _, e := range edit {
		e(&cfg)
	}
	w.target, err = drone.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.forge(t, http.MethodPost, "/orgs", map[string]any{"username": w.org, "visibility": "private"}, nil)
	t.Cleanup(func() { w.forge(t, http.MethodDelete, "/orgs/"+w.org, nil, nil) })
	return w
}

func secret(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(os.Getenv(name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
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

func (w *real) ci(t *testing.T, method, path string, body, into any) {
	t.Helper()
	ask(t, method, w.drone+"/api"+path, "Bearer "+w.droneToken, body, into)
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

type giteaRepo struct {
	ID       int64  `json:"id"`
	Path     string `json:"full_name"`
	Archived bool   `json:"archived"`
}

func (r giteaRepo) repo() providers.Repo {
	return providers.Repo{ID: strconv.FormatInt(r.ID, 10), Path: r.Path, Archived: r.Archived, Visibility: providers.Private}
}

func (w *real) Repo(t *testing.T, name string) providers.Repo {
	t.Helper()
	var r giteaRepo
	w.forge(t, http.MethodPost, "/orgs/"+w.org+"/repos", map[string]any{"name": name + "-" + strings.ToLower(rand.Text()[:6]), "private": true}, &r)
	t.Cleanup(func() {
		var now giteaRepo
		w.forge(t, http.MethodGet, fmt.Sprintf("/repositories/%d", r.ID), nil, &now)
		w.forge(t, http.MethodDelete, "/repos/"+now.Path, nil, nil)
	})
	return r.repo()
}

func (w *real) Grant(t *testing.T, u providers.User, r providers.Repo) {
	t.Helper()
	w.forge(t, http.MethodPut, "/repos/"+r.Path+"/collaborators/"+u.Login, map[string]any{"permission": "read"}, nil)
}

func (w *real) Revoke(t *testing.T, u providers.User, r providers.Repo) {
	t.Helper()
	w.forge(t, http.MethodDelete, "/repos/"+r.Path+"/collaborators/"+u.Login, nil, nil)
}

func (w *real) Rename(t *testing.T, r providers.Repo, name string) providers.Repo {
	t.Helper()
	return w.patch(t, r, map[string]any{"name": name + "-" + strings.ToLower(rand.Text()[:6])})
}

func (w *real) Archive(t *testing.T, r providers.Repo) providers.Repo {
	t.Helper()
	return w.patch(t, r, map[string]any{"archived": true})
}

func (w *real) patch(t *testing.T, r providers.Repo, body any) providers.Repo {
	t.Helper()
	var now giteaRepo
	w.forge(t, http.MethodPatch, "/repos/"+r.Path, body, &now)
	return now.repo()
}

func (w *real) Count(u providers.User) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.gitea+"/api/v1/user/repos?limit=1", nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "token "+w.giteaToken)
		req.Header.Set("Sudo", u.Login)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		return strconv.Atoi(res.Header.Get("X-Total-Count"))
	}
}

func (w *real) LogIn(t *testing.T, u providers.User) {
	t.Helper()
	b := targettest.LogIn(t, w.drone+"/login", w.gitea, u.Login, password(u.Login))
	_, page := b.Post(w.drone+"/api/user/token", url.Values{}, nil)
	var token struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(page), &token); err != nil || token.Token == "" {
		t.Fatalf("no token for %s: %v", u.Login, err)
	}
	w.tokens[u.Login] = token.Token
	t.Cleanup(func() { w.ci(t, http.MethodDelete, "/users/"+u.Login, nil, nil) })
	for range 100 {
		var a struct {
			Syncing bool  `json:"syncing"`
			Synced  int64 `json:"synced"`
		}
		if w.ci(t, http.MethodGet, "/users/"+u.Login, nil, &a); !a.Syncing && a.Synced > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the first sync of %s never ends", u.Login)
}

func (w *real) GiveCredential(t *testing.T, u providers.User) {
	t.Helper()
	put(t, filepath.Join(w.dir, u.Login), w.tokens[u.Login]+"\n")
}

func (w *real) SpoilCredential(t *testing.T, u providers.User) {
	t.Helper()
	put(t, filepath.Join(w.dir, u.Login), "spoilt-"+u.Login+"\n")
}

func (w *real) TakeCredential(t *testing.T, u providers.User) {
	t.Helper()
	if err := os.Remove(filepath.Join(w.dir, u.Login)); err != nil {
		t.Fatal(err)
	}
}
