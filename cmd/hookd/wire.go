package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/vault"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/command"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/dronedb"
	"github.com/hookd/hookd/syncqueue/target/webhook"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

// The functions of this file are the only place that names drivers. A kind
// that is not here was refused by the configuration's check.

// newHook returns the reader of a provider's deliveries.
func newHook(p *providerConfig) (providers.Hook, error) {
	keys := make([][]byte, len(p.Hooks))
	for i, s := range p.Hooks {
		keys[i] = []byte(string(s))
	}
	secrets, err := providers.NewSecrets(keys...)
	if err != nil {
		return nil, err
	}
	switch p.Kind {
	case "gitea", "forgejo":
		return gitea.NewHook(secrets), nil
	case "github":
		return github.NewHook(secrets), nil
	case "gitlab":
		return gitlab.NewHook(secrets, time.Now)
	}
	return nil, fmt.Errorf("provider %s: kind %q is not served", p.Name, p.Kind)
}

// newForge returns the client of a provider's API. Requests go through base;
// observe is told of each answer's status and may be nil.
func newForge(p *providerConfig, orgs *providers.OrgSet, base http.RoundTripper, observe func(code int)) (providers.Forge, error) {
	client := &http.Client{Timeout: time.Minute, Transport: base}
	switch p.Kind {
	case "gitea", "forgejo":
		return gitea.New(gitea.Config{URL: p.URL, Token: string(p.Token), Observe: observe, HTTP: client})
	case "github":
		c := github.Config{URL: p.URL, Token: string(p.Token), Observe: observe, HTTP: client}
		if p.App.set() {
			c.App = &github.AppConfig{ID: p.App.id, InstallationID: p.App.installation, PrivateKey: []byte(string(p.App.key))}
		}
		return github.New(c)
	case "gitlab":
		return gitlab.New(gitlab.Config{URL: p.URL, Token: string(p.Token), Orgs: orgs, Observe: observe, HTTP: client})
	}
	return nil, fmt.Errorf("provider %s: kind %q is not served", p.Name, p.Kind)
}

// coverage is what a kind of forge declares about how its changes are heard
// of.
func coverage(kind string) []providers.Coverage {
	switch kind {
	case "gitea", "forgejo":
		return gitea.Coverage()
	case "github":
		return github.Coverage()
	case "gitlab":
		return gitlab.Coverage()
	}
	return nil
}

// newTarget returns the driver of a CI server. kept are the tokens that hookd
// keeps for it, nil if it keeps none.
func newTarget(t *targetConfig, kept storage.Vault, guard target.Guard, base http.RoundTripper, observe func(code int), log *slog.Logger) (target.Target, error) {
	switch t.Kind {
	case "drone":
		if t.Mode == "database" {
			stranger, err := newStranger(t, base)
			if err != nil {
				return nil, err
			}
			return dronedb.New(dronedb.Config{
				Name: t.Name, URL: string(t.Database), Stranger: stranger, Observe: observe, Guard: guard, Now: time.Now, Log: log,
			})
		}
		return drone.New(drone.Config{
			Name: t.Name, URL: t.URL, AdminToken: string(t.Token), TokenDir: t.TokenDir,
			Vault: kept, Provision: t.Provision,
			SessionSecret: string(t.Session), SessionRemote: t.SessionRemote, SessionAdmins: t.SessionAdmins,
			HTTP: &http.Client{Transport: base}, Observe: observe, Guard: guard, Now: time.Now, Log: log,
		})
	case "woodpecker":
		return woodpecker.New(woodpecker.Config{
			Name: t.Name, URL: t.URL, AdminToken: string(t.Token), TokenDir: t.TokenDir,
			HTTP: &http.Client{Transport: base}, Observe: observe, Guard: guard, Now: time.Now, Log: log,
		})
	case "http":
		allow := make([]netip.Prefix, len(t.Allow))
		for i, network := range t.Allow {
			allow[i] = netip.MustParsePrefix(network)
		}
		return webhook.New(webhook.Config{
			Name: t.Name, Provider: t.Provider, URL: t.URL, Secret: string(t.Secret), Allow: allow,
			Timeout: t.Timeout, Observe: observe, Now: time.Now,
		})
	case "command":
		return command.New(command.Config{
			Name: t.Name, Provider: t.Provider, Command: t.Command, Dir: t.Dir, Env: t.Env,
			Timeout: t.Timeout, Observe: observe, Now: time.Now,
		})
	}
	return nil, fmt.Errorf("target %s: kind %q is not served", t.Name, t.Kind)
}

// newStranger returns what asks a Drone whose database is written what it shows
// to everybody; nil if its address is not known.
func newStranger(t *targetConfig, base http.RoundTripper) (drone.Stranger, error) {
	if t.URL == "" {
		return nil, nil
	}
	return drone.NewStranger(drone.Config{Name: t.Name, URL: t.URL, HTTP: &http.Client{Transport: base}})
}

// newEvents returns the reader of what a target's CI server announces.
func newEvents(t *targetConfig) (handlers.AnnouncementHook, error) {
	secrets, err := providers.NewSecrets([]byte(string(t.Events)))
	if err != nil {
		return nil, err
	}
	return drone.NewEvents(secrets, time.Now), nil
}

// newActivator returns what activates repositories on a target whose driver does
// not; nil if that does.
func newActivator(t *targetConfig, base http.RoundTripper, observe func(code int), log *slog.Logger) (target.Activator, error) {
	if t.Kind != "drone" || t.Mode != "database" || len(t.Activate.Rules) == 0 {
		return nil, nil
	}
	return drone.NewActivator(drone.Config{
		Name: t.Name, URL: t.URL, AdminToken: string(t.Token), HTTP: &http.Client{Transport: base}, Observe: observe, Now: time.Now, Log: log,
	})
}

// rekey gives a driver the secret that its target has now.
func rekey(driver target.Target, t *targetConfig) error {
	switch d := driver.(type) {
	case *webhook.Target:
		return d.Rekey(string(t.Secret))
	case *dronedb.Target:
		return d.Rekey(string(t.Database))
	case *drone.Target:
		d.Rekey(string(t.Session))
	}
	return nil
}

// keeps opens the tokens that hookd keeps for a target, nil if it keeps none.
// Beside the server, which alone may write them, they are only looked at.
func (c *config) keeps(t *targetConfig, serves bool) (storage.Vault, error) {
	if t.KeyFile == "" {
		return nil, nil
	}
	sealing, err := vault.ParseKeys(t.key)
	if err != nil {
		return nil, fmt.Errorf("target %s: users.key_file: %w", t.Name, err)
	}
	open := vault.Peek
	if serves {
		open = vault.Open
	}
	kept, err := open(filepath.Join(c.DataDir, "tokens-"+t.Name+".json"), t.Name, sealing)
	if err != nil {
		return nil, fmt.Errorf("target %s: users.key_file: %w", t.Name, err)
	}
	return kept, nil
}

// sealingKey says what is wrong with a file of keys that seal tokens.
func sealingKey(text []byte) error {
	_, err := vault.ParseKeys(text)
	return err
}

// onThisMachine reports whether a URL names this machine.
func onThisMachine(address string) bool { return drone.Loopback(address) }

// databaseAddress says what is wrong with the address of Drone's database.
func databaseAddress(s secret) error { return dronedb.Check(string(s)) }

// signingKey says what is wrong with the secret of a target of kind http.
func signingKey(s secret) error {
	_, err := webhook.ParseSecret(string(s))
	return err
}

// newTargetTransport is newTransport for a CI server, which answers a sync when
// it has read a user's whole list from the forge.
func newTargetTransport() *http.Transport {
	t := newTransport()
	t.ResponseHeaderTimeout = 5 * time.Minute
	return t
}

// newTransport returns connections of their own for one forge or CI server, so
// that one that hangs takes none from the others.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	t.ResponseHeaderTimeout = time.Minute
	return t
}
