package targettest

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// WoodpeckerOptions is what a Woodpecker is made of.
type WoodpeckerOptions struct {
	ForgeURL   string           // web root of the forge
	Forge      Forge            // its kind
	AdminToken string           // of the user "woodpecker-admin"; "woodpecker-admin-token" if empty
	HTTP       *http.Client     // to the forge
	Now        func() time.Time // time.Now if nil
}

// Woodpecker is a simulated Woodpecker server on loopback. It is safe for
// concurrent use.
type Woodpecker struct {
	loopback
	opt WoodpeckerOptions

	mu        sync.Mutex
	forge     int
	refreshes map[string]int // by folded login
	woodStore
}

// StartWoodpecker starts a Woodpecker on a free port of 127.0.0.1. Like
// httptest's servers it panics when there is none.
func StartWoodpecker(opt WoodpeckerOptions) *Woodpecker {
	if opt.AdminToken == "" {
		opt.AdminToken = "woodpecker-admin-token"
	}
	if opt.HTTP == nil {
		opt.HTTP = &http.Client{}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	p := &Woodpecker{opt: opt, refreshes: map[string]int{}, woodStore: newWoodStore()}
	p.start(p.handler(), woodWords{})
	p.createUser(woodUser{Login: "woodpecker-admin", RemoteID: "0", Admin: true, hash: opt.AdminToken})
	return p
}

// AdminToken is the API token of the administrator.
func (p *Woodpecker) AdminToken() string { return p.opt.AdminToken }

// LogIn is a user who opens Woodpecker in the browser: forgeToken is what the
// forge hands to Woodpecker, token the API token that he finds on his account
// page. Each login renames the account to what the forge calls him and refreshes
// his permissions (source: server/api/login.go).
func (p *Woodpecker) LogIn(login, token, forgeToken string) error {
	who, err := p.self(p.serve, forgeToken)
	if err != nil {
		return err
	}
	p.mu.Lock()
	u, ok := p.findUser(func(u woodUser) bool { return u.RemoteID == who.id || u.Login == login })
	if !ok {
		u = p.createUser(woodUser{})
	}
	u.RemoteID, u.Login, u.token = who.id, who.login, forgeToken
	if token != "" {
		u.hash = token
	}
	p.users[u.ID] = u
	p.mu.Unlock()
	return p.refresh(p.serve, u)
}

// SpendSession makes the forge refuse what it handed to Woodpecker for a user,
// until he logs in again.
func (p *Woodpecker) SpendSession(login string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, ok := p.findLogin(login); ok {
		u.token = "spent"
		p.users[u.ID] = u
	}
}

// Activate adds a repository, as whoever administers it on the forge does.
func (p *Woodpecker) Activate(login, remoteID string) error {
	p.mu.Lock()
	u, _ := p.findLogin(login)
	p.mu.Unlock()
	_, err := p.activate(p.serve, u, remoteID)
	return err
}

// Adopt makes a repository active without asking the forge, as it is after
// somebody who left since had added it. visibility is "private" if empty.
func (p *Woodpecker) Adopt(remoteID, path, visibility string) {
	if visibility == "" {
		visibility = "private"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.findRepo(remoteID)
	if !ok {
		r.ID = p.id()
	}
	r.ForgeID, r.RemoteID, r.Path, r.Visibility, r.Active = woodForge, remoteID, path, visibility, true
	p.repos[r.ID] = r
}

// Deactivate switches a repository off; rows of permissions stay (source:
// server/api/repo.go, DeleteRepo; measured).
func (p *Woodpecker) Deactivate(remoteID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.findRepo(remoteID); ok {
		r.Active = false
		p.repos[r.ID] = r
	}
}

// Age makes every row of permissions as old as d, as time would.
func (p *Woodpecker) Age(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, perm := range p.perms {
		perm.Synced -= int64(d.Seconds())
		p.perms[k] = perm
	}
}

// Shows lists the names in a user's list, ordered.
func (p *Woodpecker) Shows(login string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	if u, ok := p.findLogin(login); ok {
		for _, r := range p.listOf(u.ID) {
			names = append(names, r.Path)
		}
	}
	return names
}

// Opens lists the names of the repositories on which a user has a row, ordered.
func (p *Woodpecker) Opens(login string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := []string{}
	u, _ := p.findLogin(login)
	for k, perm := range p.perms {
		if k.user == u.ID && perm.Pull {
			names = append(names, p.repos[k.repo].Path)
		}
	}
	slices.Sort(names)
	return names
}

// ForgeCalls counts the requests that Woodpecker sent to the forge.
func (p *Woodpecker) ForgeCalls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forge
}

// Refreshes counts the refreshes of a user that began, logins included.
func (p *Woodpecker) Refreshes(login string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refreshes[providers.Fold(login)]
}

func text(n int64) string { return strconv.FormatInt(n, 10) }
