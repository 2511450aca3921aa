package targettest

import (
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// DroneOptions is what a Drone is made of.
type DroneOptions struct {
	ForgeURL   string           // web root of the forge
	Forge      Forge            // its kind
	AdminToken string           // of the user "drone-admin"; "drone-admin-token" if empty
	Cookies    string           // DRONE_COOKIE_SECRET; made up if empty, as Drone does (source: cmd/drone-server/config/config.go)
	Filter     []string         // DRONE_REPOSITORY_FILTER: the namespaces that are synchronized, all if empty
	HTTP       *http.Client     // to the forge
	Now        func() time.Time // time.Now if nil
}

// Drone is a simulated Drone server on loopback. It is safe for concurrent use.
type Drone struct {
	loopback
	opt DroneOptions

	mu       sync.Mutex
	forge    int
	sessions []Session
	syncs    map[string]*syncCount // by folded login
	enabled  map[string]int        // by slug: how often a repository was activated
	ended    map[int64]int         // by user: how often an active account was deactivated
	grants   map[string]int        // the forge's side: serial of the only refresh token that is good, by folded login

	announcer announcer
	store
}

// syncCount counts the syncs of one user.
type syncCount struct{ all, running, most int }

// StartDrone starts a Drone on a free port of 127.0.0.1. Like httptest's
// servers it panics when there is none.
func StartDrone(opt DroneOptions) *Drone {
	if opt.AdminToken == "" {
		opt.AdminToken = "drone-admin-token"
	}
	if opt.Cookies == "" {
		opt.Cookies = rand.Text()
	}
	if opt.HTTP == nil {
		opt.HTTP = &http.Client{}
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	d := &Drone{
		opt:   opt,
		syncs: map[string]*syncCount{}, grants: map[string]int{}, enabled: map[string]int{}, ended: map[int64]int{}, store: newStore(),
	}
	d.start(d.handler(), droneWords{})
	now := opt.Now().Unix()
	d.createUser(droneUser{Login: "drone-admin", Admin: true, Active: true, Created: now, Updated: now, Synced: now, hash: opt.AdminToken})
	return d
}

// AdminToken is the API token of the administrator.
func (d *Drone) AdminToken() string { return d.opt.AdminToken }

// CookieSecret is what sessions are signed with.
func (d *Drone) CookieSecret() string { return d.opt.Cookies }

// LogIn is a user who opens Drone in the browser: forgeToken is what the forge
// hands to Drone, droneToken the API token that he finds on his account page.
// The first login, and one more than seven days after the last sync, starts a
// sync (source: handler/web/login.go:154); LogIn returns when it is over, but
// tells nothing of it, as Drone does.
func (d *Drone) LogIn(login, droneToken, forgeToken string) error {
	now := d.opt.Now()
	d.mu.Lock()
	u, ok := d.findLogin(login)
	switch {
	case !ok:
		// It is syncing before it begins to, and announced before the login
		// goes on (source: handler/web/login.go:74).
		u = d.createUser(droneUser{Login: login, Active: true, Syncing: true, Created: now.Unix(), Updated: now.Unix(), LastLogin: now.Unix()})
		d.mu.Unlock()
		d.announce("created", u)
		d.mu.Lock()
	case u.Machine:
		d.mu.Unlock()
		return errors.New("targettest: machine account login is forbidden")
	case !u.Active:
		d.mu.Unlock()
		return errors.New("targettest: account is not active")
	}
	u.token, u.LastLogin = forgeToken, now.Unix()
	if droneToken != "" {
		u.hash = droneToken
	}
	if u.refresh > 0 { // a new session replaces a spent one
		key := providers.Fold(login)
		d.grants[key]++
		u.refresh, u.expiry = d.grants[key], now.Add(time.Hour).Unix()
	}
	u.Syncing = time.Unix(u.Synced, 0).Add(7 * 24 * time.Hour).Before(now)
	d.updateUser(u)
	d.mu.Unlock()
	if u.Syncing {
		_ = d.sync(d.serve, u)
	}
	return nil
}

// ExpireSession lets a user's session with the forge run out: his next sync
// renews it by a refresh token that the forge takes once.
func (d *Drone) ExpireSession(login string) { d.expire(login, false) }

// SpendSession leaves a user with the spent refresh token that two syncs at
// once can leave him with (measured): all his syncs fail until he logs in.
func (d *Drone) SpendSession(login string) { d.expire(login, true) }

func (d *Drone) expire(login string, spent bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.findLogin(login)
	if !ok {
		return
	}
	key := providers.Fold(login)
	if u.refresh == 0 {
		d.grants[key]++
		u.refresh = d.grants[key]
	}
	if spent {
		d.grants[key]++
	}
	u.expiry = 1
	d.updateUser(u)
}

// LeaveSyncing leaves a user in the state that a crash during his sync leaves.
func (d *Drone) LeaveSyncing(login string, syncing bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u, ok := d.findLogin(login); ok {
		u.Syncing = syncing
		d.updateUser(u)
	}
}

// Shows lists the names of the repositories that a user sees, ordered.
func (d *Drone) Shows(login string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	slugs := []string{}
	if u, ok := d.findLogin(login); ok {
		for _, r := range d.listOf(u.ID) {
			slugs = append(slugs, r.Slug)
		}
	}
	return slugs
}

// Rows are the names of the repositories that a user sees, by the forge's ids:
// a deleted one keeps its name until another takes it.
func (d *Drone) Rows(login string) map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := map[string]string{}
	if u, ok := d.findLogin(login); ok {
		for _, r := range d.listOf(u.ID) {
			rows[r.UID] = r.Slug
		}
	}
	return rows
}

// Taken are the forge's ids of the repositories whose rows a sync deleted, because
// it met another one under the name that Drone kept for them, and that no sync
// brought back yet. The other one need not have that name in Drone then: a row
// that is there already keeps its own (source: store/batch2/batch.go:34).
func (d *Drone) Taken() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.taken))
}

// ForgeCalls counts the requests that Drone sent to the forge.
func (d *Drone) ForgeCalls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.forge
}

// Syncs counts the syncs of a user that began, first logins included.
func (d *Drone) Syncs(login string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.syncs[providers.Fold(login)]; c != nil {
		return c.all
	}
	return 0
}

// MaxParallelSyncs is the largest number of syncs of a user that ran at once.
func (d *Drone) MaxParallelSyncs(login string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.syncs[providers.Fold(login)]; c != nil {
		return c.most
	}
	return 0
}

// Logins lists Drone's users, ordered.
func (d *Drone) Logins() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, u := range d.users {
		all = append(all, u.Login)
	}
	slices.Sort(all)
	return all
}
