package providerstest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"time"
)

// GitHubApp is an App that is installed on an organization.
type GitHubApp struct {
	ID, InstallationID int64
	PrivateKey         []byte // PEM
}

// ghApp is an installation with its present token.
type ghApp struct {
	id           int64
	installation int64
	org          *ghAccount
	bot          *ghAccount // in whose name it acts
	key          *rsa.PublicKey
	selection    string // "all" or "selected" repositories
	roles        bool   // it may read the organization's roles
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
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(org)
	if err != nil {
		return GitHubApp{}, err
	}
	app := &ghApp{id: g.next("app"), org: o, bot: &ghAccount{id: g.next("account"), login: "hookd[bot]"}, key: &key.PublicKey, selection: "selected"}
	if all {
		app.selection = "all"
	}
	id := g.next("installation")
	app.installation = id
	g.apps[id] = app
	return GitHubApp{ID: app.id, InstallationID: id, PrivateKey: pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key),
	})}, nil
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

// asApp finds the asked installation if the request is signed by its App.
func (c *ghCall) asApp() *ghApp {
	app := c.g.apps[c.id("id")]
	if app == nil {
		c.notFound()
		return nil
	}
	token := strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !app.signed(token, c.g.opt.Now()) {
		c.refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
		return nil
	}
	return app
}

// signed checks a JSON web token: RS256, issued by the App, not expired.
func (a *ghApp) signed(token string, now time.Time) bool {
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
	app := c.asApp()
	if app == nil {
		return
	}
	c.json(ghFields{
		"id": c.id("id"), "account": c.g.wireUser(app.org), "app_id": app.id, "target_id": app.org.id, "target_type": "Organization",
		"repository_selection": app.selection, "permissions": ghFields{"members": "read", "metadata": "read"},
	})
}

func (c *ghCall) accessToken() {
	app := c.asApp()
	if app == nil {
		return
	}
	app.token, app.expires = newGHToken("ghs_"), c.g.opt.Now().Add(time.Hour)
	c.status = http.StatusCreated
	c.json(ghFields{"token": app.token, "expires_at": app.expires.UTC().Format(time.RFC3339), "repository_selection": app.selection, "permissions": ghFields{"members": "read", "metadata": "read"}})
}
