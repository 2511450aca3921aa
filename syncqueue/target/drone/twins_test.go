package drone_test

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// TestSimulatedDroneAgreesWithRealDrone lets a simulated Drone and the real one
// read the same real Gitea, step by step, through what costs Drone rows. It
// wants the variables of TestContractAgainstRealDrone.
func TestSimulatedDroneAgreesWithRealDrone(t *testing.T) {
	if os.Getenv("HOOKD_E2E_DRONE_URL") == "" {
		t.Skip("HOOKD_E2E_DRONE_URL is not set")
	}
	w := newReal(t)
	twin := targettest.StartDrone(targettest.DroneOptions{ForgeURL: w.gitea})
	defer twin.Close()

	var users []providers.User
	for _, login := range []string{"ana", "li"} {
		u := w.User(t, login)
		users = append(users, u)
	}
	repo := map[string]providers.Repo{}
	for _, name := range []string{"a", "b", "c", "d"} {
		repo[name] = w.Repo(t, name)
		for _, u := range users {
			w.Grant(t, u, repo[name])
		}
	}
	for _, u := range users {
		w.LogIn(t, u)
		if err := twin.LogIn(u.Login, "twin-"+u.Login, w.forgeToken(t, u)); err != nil {
			t.Fatal(err)
		}
	}
	name := func(r, as string) {
		t.Helper()
		repo[r] = w.patch(t, repo[r], map[string]any{"name": as})
	}
	base := func(r string) string { return repo[r].Path[strings.LastIndex(repo[r].Path, "/")+1:] }

	steps := []struct {
		what string
		do   func()
	}{
		{"nothing", func() {}},
		{"archived", func() { repo["d"] = w.Archive(t, repo["d"]) }},
		{"unarchived", func() { repo["d"] = w.patch(t, repo["d"], map[string]any{"archived": false}) }},
		{"revoked from one", func() { w.Revoke(t, users[0], repo["d"]) }},
		{"renamed", func() { name("a", base("a")+"-x") }},
		{"chain", func() {
			b := base("b")
			name("b", b+"-x")
			name("c", b)
		}},
		{"settled", func() {}},
		{"swap", func() {
			a, b := base("a"), base("b")
			name("a", a+"-tmp")
			name("b", a)
			name("a", b)
		}},
		{"settled", func() {}},
	}
	for i, s := range steps {
		s.do()
		// Only the first user synchronizes at most steps: the other sees what that does to him.
		for _, u := range users[:1+i%2] {
			got := map[string]int{
				"real": w.button(t, w.drone, w.tokens[u.Login]),
				"twin": w.button(t, twin.URL, "twin-"+u.Login),
			}
			if got["real"] != http.StatusOK || got["twin"] != http.StatusOK {
				t.Fatalf("%d %s: %v", i, s.what, got)
			}
		}
		for _, u := range users {
			var rows []struct {
				Slug string `json:"slug"`
			}
			w.ci(t, http.MethodGet, "/users/"+u.Login+"/repos", nil, &rows)
			real := []string{}
			for _, r := range rows {
				real = append(real, r.Slug)
			}
			if got := twin.Shows(u.Login); !slices.Equal(got, real) {
				t.Errorf("%d %s: %s sees %q in Drone and %q in its twin", i, s.what, u.Login, real, got)
			}
		}
	}
}

// forgeToken makes a token of Gitea that acts as the user, as Drone's own does.
func (w *real) forgeToken(t *testing.T, u providers.User) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.gitea+"/api/v1/users/"+u.Login+"/tokens",
		strings.NewReader(`{"name":"twin","scopes":["read:user","read:repository","read:organization"]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(u.Login, password(u.Login))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var made struct {
		Token string `json:"sha1"`
	}
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || made.Token == "" {
		t.Fatalf("no token of %s: %d, %v", u.Login, res.StatusCode, err)
	}
	return made.Token
}

func (w *real) button(t *testing.T, root, token string) int {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, root+"/api/user/repos", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}
