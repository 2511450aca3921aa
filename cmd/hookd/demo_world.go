package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// The names in a demo.
const (
	demoProvider = "git"
	demoTarget   = "drone"
	demoOrg      = "acme"
)

// A world is what surrounds hookd in a demo: an organization with two teams on
// a simulated forge, and a simulated Drone where everybody has logged in.
//
//	team core   every repository        ana, li   (mia joins later)
//	team web    what is given to it     omar
type world struct {
	forge  *providerstest.Gitea
	drone  *targettest.Drone
	secret secret
	users  []string
	tokens string // the folder with everybody's Drone token
}

func newWorld(dir string) (_ *world, err error) {
	w := &world{secret: secret(newKey()), users: []string{"ana", "li", "omar", "mia"}, tokens: filepath.Join(dir, "tokens")}
	// As on a real Gitea, a deleted repository can be read for a moment after
	// its deletion was announced.
	if w.forge, err = providerstest.StartGitea(providerstest.GiteaOptions{DeleteLag: 100 * time.Millisecond}); err != nil {
		return nil, err
	}
	w.drone = targettest.StartDrone(targettest.DroneOptions{ForgeURL: w.forge.URL(), AdminToken: newKey()})
	if err := w.populate(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	w.drone.Close()
	w.forge.Close()
}

func (w *world) populate() error {
	if err := os.MkdirAll(w.tokens, 0o700); err != nil {
		return err
	}
	var steps []func() error
	step := func(f func() error) { steps = append(steps, f) }
	for _, login := range w.users {
		step(func() error { _, err := w.forge.CreateUser(login); return err })
	}
	step(func() error { _, err := w.forge.CreateOrg(demoOrg, "public"); return err })
	step(func() error { _, err := w.forge.CreateTeam(demoOrg, "core", providers.Write, true); return err })
	step(func() error { _, err := w.forge.CreateTeam(demoOrg, "web", providers.Write, false); return err })
	step(func() error { return w.forge.AddMember(demoOrg, "core", "ana") })
	step(func() error { return w.forge.AddMember(demoOrg, "core", "li") })
	step(func() error { return w.forge.AddMember(demoOrg, "web", "omar") })
	step(func() error { return w.create("base") })
	step(func() error { return w.forge.AddTeamRepo(demoOrg, "web", demoOrg+"/base") })
	for _, login := range w.users {
		step(func() error { return w.logIn(login) })
	}
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// logIn is a user's first visit to Drone, from which he takes his token to
// hookd.
func (w *world) logIn(login string) error {
	token := newKey()
	if err := w.drone.LogIn(login, token, w.forge.Token(login)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.tokens, login), []byte(token+"\n"), 0o600)
}

func (w *world) create(name string) error {
	_, err := w.forge.CreateRepo(providerstest.GiteaRepo{Owner: demoOrg, Name: name, Private: true})
	return err
}

// connect gives the organization a webhook to hookd.
func (w *world) connect(addr string) error {
	_, err := w.forge.AddHook(demoOrg, "http://"+addr+"/hooks/"+demoProvider, string(w.secret))
	return err
}

// config is the configuration that a person would write for this world, but
// for polls every second: a demo has no patience.
func (w *world) config(dir, adminListen string) *config {
	c := defaults()
	c.Listen, c.AdminListen, c.DataDir = "127.0.0.1:0", adminListen, filepath.Join(dir, "data")
	c.Providers = []*providerConfig{{
		Name: demoProvider, Kind: "gitea", URL: w.forge.URL(), Token: secret(w.forge.AdminToken()),
		Secret: w.secret, Orgs: []string{demoOrg}, Poll: pollConfig{Members: time.Second, Repos: time.Second},
	}}
	c.Targets = []*targetConfig{{
		Name: demoTarget, Kind: "drone", URL: w.drone.URL, Token: secret(w.drone.AdminToken()),
		Mode: "api", TokenDir: w.tokens,
	}}
	return c
}

func newKey() string {
	var b [20]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// filled waits until hookd has read, by itself, what there was before it.
func (d *demo) filled(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		rows, _, err := d.server.store.Users(ctx, storage.UserQuery{Provider: demoProvider}, "", 500)
		if err != nil {
			return false, err
		}
		filled := map[string]bool{}
		for _, r := range rows {
			filled[r.User.Login] = r.Repos > 0 && r.Targets[demoTarget].Version == r.Version
		}
		return filled["ana"] && filled["li"] && filled["omar"], nil
	})
}

// confirmed waits until hookd itself knows of every change the CI server
// shows: the evidence that it was hookd who made it so.
func (d *demo) confirmed(ctx context.Context, t *tracker) error {
	return until(ctx, func() (bool, error) {
		for _, c := range t.latest() {
			ok, err := d.knows(ctx, c)
			if err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	})
}

func (d *demo) knows(ctx context.Context, c change) (bool, error) {
	u, err := d.server.store.UserByLogin(ctx, demoProvider, c.user)
	if err != nil {
		return false, err
	}
	h, err := d.server.store.Holdings(ctx, demoProvider, u.ID)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(h.Cells, func(x storage.Cell) bool { return x.Repo.Path == c.repo && x.Permission > providers.None })
	if c.gone {
		return i < 0 && !h.Behind(demoTarget), nil
	}
	return i >= 0 && !h.Cells[i].Shown[demoTarget].IsZero(), nil
}

// until asks ok every 20 ms until it says so.
func until(ctx context.Context, ok func() (bool, error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		done, err := ok()
		if err != nil {
			return fmt.Errorf("looking at hookd: %w", err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
