package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// A desk tells the admin API of the providers and targets. It implements
// handlers.Desk.
type desk struct {
	store   store
	forges  []*forgeParty
	targets []*targetParty
	logs    func(provider string) []reconcile.LogState // how reading the delivery logs goes
	// reconcile bounds every user's staleness.
	reconcile time.Duration
}

var _ handlers.Desk = (*desk)(nil)

func (d *desk) forge(name string) *forgeParty {
	for _, p := range d.forges {
		if p.cfg.Name == name {
			return p
		}
	}
	return nil
}

// HasProvider tells whether a provider is configured.
func (d *desk) HasProvider(name string) bool { return d.forge(name) != nil }

// FindUser looks in the catalogue, then asks the forge.
func (d *desk) FindUser(ctx context.Context, provider, login string) (providers.User, error) {
	p := d.forge(provider)
	if p == nil {
		return providers.User{}, fmt.Errorf("provider %q: %w", provider, providers.ErrNotFound)
	}
	u, err := d.store.UserByLogin(ctx, provider, login)
	if errors.Is(err, storage.ErrUnknown) {
		// In the path of a request dots alone would climb out of it.
		if strings.Trim(login, ".") == "" {
			return providers.User{}, fmt.Errorf("user %q: %w", login, providers.ErrNotFound)
		}
		return p.forge.User(ctx, login)
	}
	return u, err
}

// TargetsOf names the targets that follow a provider.
func (d *desk) TargetsOf(provider string) []string {
	var names []string
	for _, t := range d.targets {
		if t.cfg.Provider == provider {
			names = append(names, t.cfg.Name)
		}
	}
	return names
}

// Credential is the worst state over the targets that know the user.
func (d *desk) Credential(provider, login string) string {
	worst := target.Credential("")
	for _, t := range d.targets {
		if t.cfg.Provider == provider {
			if c := t.credential(login); badness(c) > badness(worst) {
				worst = c
			}
		}
	}
	return string(worst)
}

// MustLogIn names the targets that a user has to log in to before hookd can act
// for him there.
func (d *desk) MustLogIn(provider, login string) []string {
	var names []string
	for _, t := range d.targets {
		if t.cfg.Provider == provider && t.mustLogIn(login) {
			names = append(names, t.cfg.Name)
		}
	}
	return names
}

// Standing tells how a target is and what it has of a user.
func (d *desk) Standing(target, login string) why.Standing {
	for _, t := range d.targets {
		if t.cfg.Name == target {
			return t.standing(login)
		}
	}
	return why.Standing{}
}

func badness(c target.Credential) int {
	switch c {
	case target.CredentialOK:
		return 1
	case target.CredentialUnknown:
		return 2
	case target.CredentialRejected:
		return 3
	case target.CredentialMissing:
		return 4
	}
	return 0
}

// Providers describes the providers without asking them.
func (d *desk) Providers(ctx context.Context) []handlers.ProviderStatus {
	out := make([]handlers.ProviderStatus, len(d.forges))
	for i, p := range d.forges {
		version, at, problem, ok := p.get()
		out[i] = handlers.ProviderStatus{
			Name: p.cfg.Name, Kind: p.cfg.Kind, URL: p.cfg.URL, Orgs: p.cfg.Orgs,
			Version: version, Healthy: ok, CheckedAt: at, Error: problem,
			Secrets: int(p.secrets.Load()), Requests: requests(p.forge), Rate: p.rate(), Hook: p.hooks.get(),
		}
		if r := out[i].Rate; r != nil {
			out[i].Remaining = r.Remaining
		}
		last, _, err := d.store.Deliveries(ctx, syncqueue.DeliveryQuery{Provider: p.cfg.Name}, "", 1)
		if err == nil && len(last) > 0 {
			out[i].LastEvent = last[0].Delivery.Received
		}
		for _, l := range d.logs(p.cfg.Name) {
			out[i].DeliveryLogs = append(out[i].DeliveryLogs, handlers.LogState(l))
		}
	}
	return out
}

// Coverage says how hookd hears of each provider's changes.
func (d *desk) Coverage(ctx context.Context) ([]handlers.ProviderCoverage, error) {
	out := make([]handlers.ProviderCoverage, len(d.forges))
	for i, p := range d.forges {
		c, seen, err := syncqueue.Coverage(ctx, d.store, p.cfg.Name, coverage(p.cfg.Kind))
		if err != nil {
			return nil, err
		}
		out[i] = handlers.ProviderCoverage{
			Provider: p.cfg.Name, Kind: p.cfg.Kind, Coverage: c, Seen: seen,
			Members: p.cfg.Poll.Members, Repos: p.cfg.Poll.Repos, Reconcile: d.reconcile,
		}
	}
	return out, nil
}

// Targets describes the targets without asking them.
func (d *desk) Targets(ctx context.Context) []handlers.TargetStatus {
	users := d.users(ctx)
	out := make([]handlers.TargetStatus, len(d.targets))
	for i, t := range d.targets {
		version, at, problem, ok := t.get()
		out[i] = handlers.TargetStatus{
			Name: t.cfg.Name, Kind: t.cfg.Kind, URL: t.cfg.URL, Provider: t.cfg.Provider, Mode: t.cfg.Mode,
			Version: version, Healthy: ok, CheckedAt: at, Error: problem,
			Requests: requests(t.driver), Credentials: users[t.cfg.Name],
		}
	}
	return out
}

// users counts, for each target, the people it knows by the state of their
// credential.
func (d *desk) users(ctx context.Context) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, t := range d.targets {
		states := map[string]int{}
		out[t.cfg.Name] = states
		logins, ok := t.people()
		if !ok {
			logins = d.logins(ctx, t.cfg.Provider)
		}
		for _, login := range logins {
			if c := t.credential(login); c != "" {
				states[string(c)]++
			}
		}
	}
	return out
}

// logins lists the users of the catalogue.
func (d *desk) logins(ctx context.Context, provider string) []string {
	var logins []string
	for cursor := ""; ; {
		rows, next, err := d.store.Users(ctx, storage.UserQuery{Provider: provider}, cursor, 500)
		if err != nil {
			return logins
		}
		for _, u := range rows {
			logins = append(logins, u.User.Login)
		}
		if cursor = next; next == "" {
			return logins
		}
	}
}
