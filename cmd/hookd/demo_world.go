package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// The names in a demo.
const (
	demoProvider = "git"
	demoOrg      = "acme"
)

// A world is what surrounds hookd in a demo: an organization with two teams on
// a simulated forge, and a simulated CI server where everybody has logged in.
//
//	team core   every repository        ana, li   (mia joins later)
//	team web    what is given to it     omar
type world struct {
	forge   *demoForge
	ci      *demoCI
	drone   *targettest.Drone // the same, if it is a Drone
	public  string            // hookd's address, which its webhook sends to
	secrets []secret          // of webhooks, as hookd knows them
	poll    time.Duration     // how often hookd looks for what no webhook tells
	core    []string          // who is in team core at the start
	viewers []string          // who sees something at the start
	dir     string
	tokens  string // the folder with everybody's token of the CI server
}

func newWorld(kind, ci, dir string) (_ *world, err error) {
	w := &world{secrets: []secret{secret(newKey())}, poll: time.Second, core: []string{"ana", "li"}, dir: dir, tokens: filepath.Join(dir, "tokens")}
	if w.forge, err = demoForges[kind](); err != nil {
		return nil, err
	}
	w.ci = demoServers[ci](w)
	if err := w.populate(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	w.ci.Close()
	w.forge.Close()
}

func (w *world) populate() error {
	if err := os.MkdirAll(w.tokens, 0o700); err != nil {
		return err
	}
	_, err := w.forge.CreateOrg(demoOrg, "public")
	if err != nil {
		return err
	}
	if _, err = w.forge.CreateTeam(demoOrg, "core", providers.Write, true); err != nil {
		return err
	}
	if _, err = w.forge.CreateTeam(demoOrg, "web", providers.Write, false); err != nil {
		return err
	}
	if err := w.create("base"); err != nil {
		return err
	}
	if err := w.forge.AddTeamRepo(demoOrg, "web", demoOrg+"/base"); err != nil {
		return err
	}
	for login, team := range map[string]string{"ana": "core", "li": "core", "omar": "web", "mia": ""} {
		if err := w.settle(team, login); err != nil {
			return err
		}
	}
	return nil
}

// settle creates a user in a team, or in none, who logs in to the CI server.
func (w *world) settle(team, login string) error {
	if _, err := w.forge.CreateUser(login); err != nil {
		return err
	}
	if team != "" {
		if err := w.forge.AddMember(demoOrg, team, login); err != nil {
			return err
		}
		w.viewers = append(w.viewers, login)
	}
	return w.logIn(login)
}

// logIn is a user's first visit to the CI server, from which he takes his token
// to hookd.
func (w *world) logIn(login string) error {
	token := newKey()
	if err := w.ci.LogIn(login, token, w.forge.Token(login)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.tokens, login), []byte(token+"\n"), 0o600)
}

// create makes a repository that the CI server carries out.
func (w *world) create(name string) error {
	r, err := w.forge.create(demoOrg, name)
	if err == nil && w.ci.activate != nil {
		w.ci.activate(r)
	}
	return err
}

// connect gives the organization a webhook to hookd.
func (w *world) connect(addr string) error {
	w.public = "http://" + addr
	_, err := w.forge.AddHook(demoOrg, providers.HookURL(w.public, demoProvider), string(w.secrets[0]))
	return err
}

// setSecret changes the webhook's secret through the forge's API, as `hookd
// hooks install` does. What was announced before keeps its signature.
func (w *world) setSecret(ctx context.Context, s secret) error {
	f, err := newForge(&providerConfig{Kind: w.forge.kind, URL: w.forge.URL(), Token: secret(w.forge.AdminToken())}, nil, nil, nil)
	if err != nil {
		return err
	}
	org, err := f.Org(ctx, demoOrg)
	if err != nil {
		return err
	}
	admin := f.(providers.HookAdmin)
	places, err := admin.WebhookPlaces(ctx, []providers.Org{org}, false)
	if err != nil {
		return err
	}
	place := places[slices.IndexFunc(places, func(p providers.WebhookPlace) bool { return !p.Whole() })]
	found, err := admin.Webhooks(ctx, place)
	if err != nil {
		return err
	}
	want := providers.WebhookSpec{Public: w.public, Provider: demoProvider, Secret: string(s), Other: true}
	for _, step := range place.Plan(found, want) {
		if _, err := step.Apply(ctx, admin, place, want); err != nil {
			return err
		}
	}
	return nil
}

// The file of the configuration that save writes.
const worldConfig = "hookd.yaml"

// save writes the configuration that a person would write for this world, with
// its secrets in files, but for frequent polls: a demo has no patience. The
// paths in it begin with prefix.
func (w *world) save(prefix string) error {
	files := map[string]string{
		"forge-token":        w.forge.AdminToken() + "\n",
		w.ci.kind + "-token": w.ci.AdminToken() + "\n",
	}
	at := func(name string) string { return fmt.Sprintf("%q", filepath.Join(prefix, name)) }
	var secrets []string
	for i, s := range w.secrets {
		name := "hook-secret"
		if i > 0 {
			name = fmt.Sprintf("hook-secret-%d", i+1)
		}
		files[name] = string(s) + "\n"
		secrets = append(secrets, at(name))
	}
	files[worldConfig] = fmt.Sprintf(`listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
data_dir: %s
providers:
  - name: %s
    kind: %s
    url: %s
    token_file: %s
    secret_files: [%s]
    orgs: [%s]
    poll: {members: %s, repos: %[8]s}
targets:
  - name: %[9]s
    kind: %[9]s
    url: %[10]s
    token_file: %[11]s
    users: {token_dir: %[12]s}
`, at("data"), demoProvider, w.forge.kind, w.forge.URL(), at("forge-token"), strings.Join(secrets, ", "), demoOrg, w.poll,
		w.ci.kind, w.ci.url, at(w.ci.kind+"-token"), at("tokens"))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func newKey() string {
	var b [20]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
