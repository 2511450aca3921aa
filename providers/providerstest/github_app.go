package providerstest

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"time"
)

// GitHubApp is an App and one of its installations.
type GitHubApp struct {
	ID, InstallationID int64
	PrivateKey         []byte // PEM
}

// ghAppKey is an App itself.
type ghAppKey struct {
	id  int64
	bot *ghAccount // in whose name it acts
	key *rsa.PublicKey
}

// ghApp is an installation of an App with its present token. The limits count
// for each installation by itself, so each spends in the name of an account of
// its own.
type ghApp struct {
	*ghAppKey
	installation int64
	org          *ghAccount
	spends       *ghAccount
	selection    string           // "all" or "selected" repositories
	selected     map[*ghRepo]bool // nil for those that are there, whatever the selection is called
	suspended    time.Time
	roles        bool // it may read the organization's roles
	token        string
	expires      time.Time
}

// InstallApp installs a new App on an organization, with rights to read its
// repositories and members; all of them, or said to be on selected ones.
func (g *GitHub) InstallApp(org string, all bool) (GitHubApp, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return GitHubApp{}, err
	}
	app, err := g.install(nil, &key.PublicKey, org, all)
	if err != nil {
		return GitHubApp{}, err
	}
	return GitHubApp{ID: app.id, InstallationID: app.installation, PrivateKey: pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key),
	})}, nil
}

// InstallAppToo installs an App that is installed somewhere on another
// organization. The App's webhook hears "installation created".
func (g *GitHub) InstallAppToo(app GitHubApp, org string, all bool) (GitHubApp, error) {
	g.mu.RLock()
	first := g.apps[app.InstallationID]
	g.mu.RUnlock()
	if first == nil {
		return GitHubApp{}, unknown("installation", nodeID("", app.InstallationID))
	}
	second, err := g.install(first.ghAppKey, nil, org, all)
	if err != nil {
		return GitHubApp{}, err
	}
	return GitHubApp{ID: app.ID, InstallationID: second.installation, PrivateKey: app.PrivateKey}, nil
}

func (g *GitHub) install(app *ghAppKey, key *rsa.PublicKey, org string, all bool) (*ghApp, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(org)
	if err != nil {
		return nil, err
	}
	if app == nil {
		app = &ghAppKey{id: g.next("app"), bot: &ghAccount{id: g.next("account"), login: "hookd[bot]"}, key: key}
	}
	g.appKeys[app.id] = app
	i := &ghApp{ghAppKey: app, installation: g.next("installation"), org: o, selection: "selected"}
	i.spends = &ghAccount{id: app.bot.id, login: app.bot.login}
	if all {
		i.selection = "all"
	}
	g.apps[i.installation] = i
	return i, nil
}

// SuspendApp suspends an installation, or ends that: GitHub refuses its tokens
// and gives out no other.
func (g *GitHub) SuspendApp(installation int64, suspended bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	app := g.apps[installation]
	if app == nil {
		return unknown("installation", nodeID("", installation))
	}
	app.suspended = time.Time{}
	if suspended {
		app.suspended = g.opt.Now()
	}
	g.version++
	return nil
}

// SelectRepos lets an installation see the named repositories of its
// organization only, or all again if none is named.
func (g *GitHub) SelectRepos(installation int64, paths ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	app := g.apps[installation]
	if app == nil {
		return unknown("installation", nodeID("", installation))
	}
	app.selection, app.selected = "all", nil
	for _, path := range paths {
		r, err := g.repo(path)
		if err != nil {
			return err
		}
		if app.selected == nil {
			app.selection, app.selected = "selected", map[*ghRepo]bool{}
		}
		app.selected[r] = true
	}
	g.version++
	return nil
}

// shows reports whether the installation was given a repository.
func (a *ghApp) shows(r *ghRepo) bool {
	return a.org == r.owner && (a.selected == nil || a.selected[r])
}

// AddAppHook gives the App of an installation its webhook, which hears all that
// happens where it is installed, and pings it.
func (g *GitHub) AddAppHook(installation int64, target, secret string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	app := g.apps[installation]
	if app == nil {
		return unknown("installation", nodeID("", installation))
	}
	g.addHook(app.org, target, secret, []string{"*"}).app = app
	return nil
}

// UninstallApp takes an installation away; its tokens end.
func (g *GitHub) UninstallApp(installation int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.apps, installation)
}

// jwt is the token that a request of an App itself carries.
func (c *ghCall) jwt() string { return strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ") }

// asApp finds the asked installation if the request is signed by its App.
func (c *ghCall) asApp() *ghApp {
	app := c.g.apps[c.id("id")]
	if app == nil {
		c.notFound()
		return nil
	}
	if !app.signed(c.jwt(), c.g.opt.Now()) {
		c.refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
		return nil
	}
	return app
}

// ownInstallations are those of the App that signed the request, by id. The App
// is there without any, too.
func (c *ghCall) ownInstallations() (own []*ghApp, signed bool) {
	for _, key := range c.g.appKeys {
		signed = signed || key.signed(c.jwt(), c.g.opt.Now())
	}
	if !signed {
		c.refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
		return nil, false
	}
	for _, app := range c.g.apps {
		if app.signed(c.jwt(), c.g.opt.Now()) {
			own = append(own, app)
		}
	}
	slices.SortFunc(own, func(a, b *ghApp) int { return cmp.Compare(a.installation, b.installation) })
	return own, true
}

func (c *ghCall) installations() {
	if own, signed := c.ownInstallations(); signed {
		ghList(c, own, func(a *ghApp) any { return c.wireInstallation(a) })
	}
}

// repoInstallation finds the installation that shows a repository.
func (c *ghCall) repoInstallation() {
	own, signed := c.ownInstallations()
	if !signed {
		return
	}
	r := c.g.repos[c.id("id")]
	for _, app := range own {
		if r != nil && app.shows(r) {
			c.json(c.wireInstallation(app))
			return
		}
	}
	c.notFound()
}

// signed checks a JSON web token: RS256, issued by the App, not expired.
func (a *ghAppKey) signed(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || rsa.VerifyPKCS1v15(a.key, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	var claims struct {
		Issuer  json.RawMessage `json:"iss"`
		Expires int64           `json:"exp"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return false
	}
	return strings.Trim(string(claims.Issuer), `"`) == string(mustJSON(a.id)) && now.Before(time.Unix(claims.Expires, 0))
}

func (c *ghCall) installation() {
	if app := c.asApp(); app != nil {
		c.json(c.wireInstallation(app))
	}
}

func (c *ghCall) wireInstallation(app *ghApp) ghFields {
	w := ghFields{
		"id": app.installation, "account": c.g.wireUser(app.org), "app_id": app.id, "target_id": app.org.id, "target_type": "Organization",
		"repository_selection": app.selection, "permissions": ghFields{"members": "read", "metadata": "read"},
		"suspended_at": nil, "suspended_by": nil,
	}
	if !app.suspended.IsZero() {
		w["suspended_at"], w["suspended_by"] = app.suspended.UTC().Format(time.RFC3339), c.g.wireUser(c.g.admin())
	}
	return w
}

// ghSuspended is what the tokens of a suspended installation are answered.
const ghSuspended = "This installation has been suspended"

func (c *ghCall) accessToken() {
	app := c.asApp()
	if app == nil {
		return
	}
	if !app.suspended.IsZero() {
		c.refuse(http.StatusForbidden, ghSuspended)
		return
	}
	app.token, app.expires = newGHToken("ghs_"), c.g.opt.Now().Add(time.Hour)
	c.status = http.StatusCreated
	c.json(ghFields{"token": app.token, "expires_at": app.expires.UTC().Format(time.RFC3339), "repository_selection": app.selection, "permissions": ghFields{"members": "read", "metadata": "read"}})
}
