package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// health is what was last heard from a forge or CI server.
type health struct {
	mu      sync.Mutex
	version string
	at      time.Time
	err     error
}

func (h *health) set(version string, err error, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.version = version
	}
	h.err, h.at = err, now
}

func (h *health) get() (version string, at time.Time, problem string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		problem = h.err.Error()
	}
	return h.version, h.at, problem, h.err == nil && !h.at.IsZero()
}

// A forgeParty is a provider as it was built.
type forgeParty struct {
	cfg   *providerConfig
	forge providers.Forge
	hook  *liveHook
	token *liveToken
	orgs  *providers.OrgSet
	// secrets counts the live webhook secrets.
	secrets atomic.Int32
	// hookSpec is what our webhooks have to be, nil where nobody says what
	// hookd's address is.
	hookSpec atomic.Pointer[providers.WebhookSpec]
	hooks    hookHealth
	health
}

// keeper looks after the provider's webhooks; nil if nobody can.
func (p *forgeParty) keeper() *hookKeeper {
	want := p.hookSpec.Load()
	admin, ok := p.forge.(providers.HookAdmin)
	if want == nil || !ok {
		return nil
	}
	return &hookKeeper{p.cfg, p.forge, admin, *want}
}

// knowHooks takes over which webhooks a configuration wants.
func (p *forgeParty) knowHooks(cfg *providerConfig, public string) {
	if public == "" || cfg.Token == "" && !cfg.App.set() {
		p.hookSpec.Store(nil)
		return
	}
	want := webhookSpec(cfg, public)
	p.hookSpec.Store(&want)
}

func (p *forgeParty) source() handlers.Source {
	return handlers.Source{Name: p.cfg.Name, Kind: p.cfg.Kind, Hook: p.hook, Orgs: p.orgs, Forms: p.cfg.Kind == "github"}
}

// A targetParty is a target as it was built.
type targetParty struct {
	cfg    *targetConfig
	driver target.Target
	token  *liveToken

	activator target.Activator // nil if the driver is it, or nobody
	// events reads what the CI server announces; nil while no secret is given.
	events atomic.Pointer[handlers.AnnouncementHook]
	health

	roster sync.Mutex
	// accounts are the people the CI server knows, by folded login: nil as
	// long as it could not be asked.
	accounts map[string]target.Account
}

// knows reports whether the CI server has an active account of this login.
// While that cannot be asked, everybody counts as known: a missing credential
// is better shown too often than never.
func (t *targetParty) knows(login string) bool {
	t.roster.Lock()
	defer t.roster.Unlock()
	if t.accounts == nil {
		return true
	}
	a, ok := t.accounts[providers.Fold(login)]
	return ok && a.Active && !a.Machine
}

// update takes a fresh list of accounts and returns those that were not there,
// or not active, or had not logged in since, before.
func (t *targetParty) update(accounts []target.Account) []target.Account {
	t.roster.Lock()
	defer t.roster.Unlock()
	var arrived []target.Account
	next := make(map[string]target.Account, len(accounts))
	for _, a := range accounts {
		login := providers.Fold(a.Login)
		next[login] = a
		before := t.accounts[login]
		if a.Active && !a.Machine && (!before.Active || a.LastLogin.After(before.LastLogin)) {
			arrived = append(arrived, a)
		}
	}
	t.accounts = next
	return arrived
}

// listen takes over by which secret the CI server announces its users.
func (t *targetParty) listen(cfg *targetConfig) error {
	if cfg.Events == "" {
		t.events.Store(nil)
		return nil
	}
	hook, err := newEvents(cfg)
	if err == nil {
		t.events.Store(&hook)
	}
	return err
}

// people lists the logins of active people; ok is false if they are not known.
func (t *targetParty) people() (logins []string, ok bool) {
	t.roster.Lock()
	defer t.roster.Unlock()
	for _, a := range t.accounts {
		if a.Active && !a.Machine {
			logins = append(logins, a.Login)
		}
	}
	return logins, t.accounts != nil
}

// credential is the state of a user's credential, "" if the CI server does not
// know the user.
func (t *targetParty) credential(login string) target.Credential {
	k, ok := t.driver.(target.Keyring)
	if !ok || !t.knows(login) {
		return ""
	}
	return k.Credential(login)
}

// mustLogIn reports whether a user's credential is of no use until he logs in.
func (t *targetParty) mustLogIn(login string) bool {
	w, ok := t.driver.(target.LoginWatcher)
	return ok && t.knows(login) && w.MustLogIn(login)
}

// standing is how the CI server is and what hookd has of a user for it.
func (t *targetParty) standing(login string) why.Standing {
	_, at, problem, ok := t.get()
	s := why.Standing{Account: t.knows(login), Healthy: ok, Checked: at, Problem: problem}
	if _, s.Personal = t.driver.(target.Keyring); s.Personal {
		s.Credential, s.MustLogIn = string(t.credential(login)), t.mustLogIn(login)
	}
	return s
}

// requests counts what a driver sent since the start.
func requests(driver any) uint64 {
	if c, ok := driver.(interface{ Requests() uint64 }); ok {
		return c.Requests()
	}
	return 0
}
