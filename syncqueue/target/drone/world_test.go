package drone_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

var guard = target.Guard{Percent: 50, MinRepos: 20}

// sim is a world of a small forge and a simulated Drone.
type sim struct {
	forge  *forge
	drone  *targettest.Drone
	dir    string
	target *drone.Target
}

func newSim(t testing.TB, edit ...func(*drone.Config)) *sim {
	t.Helper()
	f := newForge(t)
	d := targettest.StartDrone(targettest.DroneOptions{ForgeURL: f.URL})
	t.Cleanup(d.Close)
	s := &sim{forge: f, drone: d, dir: t.TempDir()}
	s.target = s.with(t, edit...)
	return s
}

// with returns another driver of the same Drone.
func (s *sim) with(t testing.TB, edit ...func(*drone.Config)) *drone.Target {
	t.Helper()
	cfg := drone.Config{
		Name: "drone", URL: s.drone.URL, AdminToken: s.drone.AdminToken(), TokenDir: s.dir, Guard: guard,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	tg, err := drone.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// droneToken is the user's API token of Drone.
func droneToken(login string) string { return "drone-token-of-" + login }

// join logs a user in and gives the driver his token.
func (s *sim) join(t testing.TB, login string) providers.User {
	t.Helper()
	if err := s.drone.LogIn(login, droneToken(login), forgeToken(login)); err != nil {
		t.Fatal(err)
	}
	s.write(t, login, droneToken(login)+"\n")
	return providers.User{ID: "u-" + login, Login: login}
}

func (s *sim) write(t testing.TB, name, content string) {
	t.Helper()
	put(t, filepath.Join(s.dir, name), content)
}

func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func of(repos ...providers.Repo) []providers.Access {
	var out []providers.Access
	for _, r := range repos {
		out = append(out, providers.Access{Repo: r, Permission: providers.Read})
	}
	return out
}

// simWorld lets the contract drive a sim.
type simWorld struct{ *sim }

func (w simWorld) Target() target.Target { return w.target }

func (w simWorld) User(_ *testing.T, login string) providers.User {
	return providers.User{ID: "u-" + login, Login: login}
}

func (w simWorld) Repo(_ *testing.T, name string) providers.Repo { return w.forge.add("acme/" + name) }

func (w simWorld) Grant(_ *testing.T, u providers.User, r providers.Repo) {
	w.forge.set(u.Login, r.ID, true)
}

func (w simWorld) Revoke(_ *testing.T, u providers.User, r providers.Repo) {
	w.forge.set(u.Login, r.ID, false)
}

func (w simWorld) Rename(_ *testing.T, r providers.Repo, name string) providers.Repo {
	return w.forge.change(r.ID, func(r *providers.Repo) { r.Path = r.Path[:strings.LastIndex(r.Path, "/")+1] + name })
}

func (w simWorld) Archive(_ *testing.T, r providers.Repo) providers.Repo {
	return w.forge.change(r.ID, func(r *providers.Repo) { r.Archived = true })
}

func (w simWorld) Count(u providers.User) func(context.Context) (int, error) {
	return w.forge.count(u.Login)
}

func (w simWorld) LogIn(t *testing.T, u providers.User) {
	if err := w.drone.LogIn(u.Login, droneToken(u.Login), forgeToken(u.Login)); err != nil {
		t.Fatal(err)
	}
}

func (w simWorld) GiveCredential(t *testing.T, u providers.User) {
	w.write(t, u.Login, droneToken(u.Login)+"\n")
}

func (w simWorld) SpoilCredential(t *testing.T, u providers.User) { w.write(t, u.Login, "spoilt\n") }

func (w simWorld) TakeCredential(t *testing.T, u providers.User) {
	if err := os.Remove(filepath.Join(w.dir, u.Login)); err != nil {
		t.Fatal(err)
	}
}

func TestContractAgainstSimulatedDrone(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World { return simWorld{newSim(t)} })
}

func TestContractWithoutAdministrator(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World {
		return noRoster{simWorld{newSim(t, func(c *drone.Config) { c.AdminToken = "" })}}
	})
}

// noRoster hides what only an administrator can tell.
type noRoster struct{ simWorld }

func (w noRoster) Target() target.Target {
	return struct {
		target.Target
		target.Keyring
	}{w.target, w.target}
}

func logTo(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
