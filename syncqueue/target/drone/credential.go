package drone

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/keys"
)

// A credential lets one request act as somebody.
type credential interface {
	// authorize adds what proves it to a request, and returns that, so that an
	// answer which echoes it can be cleaned.
	authorize(req *http.Request) (secret string, err error)
}

// A personal credential is a user's. It is told what Drone says of it.
type personal interface {
	credential
	accept() // it is his
	reject() // it is not, or refused: not to be tried again until it changes
	doubt()  // refused, which may be a fault of Drone
}

// A source has the credentials of users. It is safe for concurrent use.
type source interface {
	target.Keyring
	// find returns a user's credential of now. It fails with
	// target.ErrNoCredential, or with target.ErrRejected if Drone refused
	// every one that there is.
	find(login string) (personal, error)
	// meet tells what the administrator sees of the user, before his credential
	// is used, and returns why it must not be.
	meet(who account) error
}

// bearer is an API token.
type bearer string

func (b bearer) authorize(req *http.Request) (string, error) {
	req.Header.Set("Authorization", "Bearer "+string(b))
	return string(b), nil
}

// tokens are users' own API tokens.
type tokens struct{ keys.Ring }

func (s tokens) find(login string) (personal, error) {
	token, err := s.Token(login)
	if err != nil {
		return nil, err
	}
	return own{bearer: bearer(token), login: login, ring: s.Ring}, nil
}

// meet has no objection: whoever gave the token away knows whose it is.
func (s tokens) meet(account) error { return nil }

// own is a user's own token.
type own struct {
	bearer
	login string
	ring  keys.Ring
}

func (o own) accept() { o.ring.Accept(o.login, string(o.bearer)) }
func (o own) reject() { o.ring.Reject(o.login, string(o.bearer)) }
func (o own) doubt()  { o.ring.Doubt(o.login, string(o.bearer)) }

// An actor is the user that a sync is about, with what lets Drone be asked in
// his name.
type actor struct {
	login   string
	as      personal // nil if missing is not
	missing error    // why there is none
}

// act finds what lets hookd act as a user.
func (t *Target) act(login string) *actor {
	a := &actor{login: login}
	a.as, a.missing = t.source.find(login)
	return a
}

// meet hands on what the administrator sees of the actor. Afterwards there may
// be nothing left to act with.
func (t *Target) meet(a *actor, who account) {
	if a.missing != nil {
		return
	}
	if err := t.source.meet(who); err != nil {
		a.as, a.missing = nil, fmt.Errorf("%w: %w", target.ErrNoCredential, err)
	}
}

// Credential tells the state of what lets hookd act as a user, without asking
// Drone. A good one of a user who must log in is of no use: it counts as
// rejected.
func (t *Target) Credential(login string) target.Credential {
	if t.MustLogIn(login) {
		return target.CredentialRejected
	}
	return t.source.Credential(login)
}

// MustLogIn tells whether a user's credential is of no use until he logs in to
// Drone.
func (t *Target) MustLogIn(login string) bool {
	c := t.source.Credential(login)
	return (c == target.CredentialOK || c == target.CredentialUnknown) && t.logins.wanted(login)
}

// Watch calls changed for each login whose credential appeared or was replaced,
// until ctx is done, and returns ctx's error. Those it finds at first count as
// new: they may have come while nobody watched.
func (t *Target) Watch(ctx context.Context, changed func(login string)) error {
	return t.source.Watch(ctx, changed)
}

// open makes the source of credentials.
func (t *Target) open() error {
	c := t.cfg
	if c.SessionSecret != "" {
		switch {
		case c.TokenDir != "" || c.Vault != nil:
			return errors.New("a session secret stands alone: with it nobody needs a token")
		case c.AdminToken == "":
			return errors.New("a session secret needs an administrator's token, by which administrators are told apart")
		case !c.SessionRemote && !Loopback(c.URL):
			return errors.New("a session secret is for a Drone on this machine or in the same pod")
		}
		t.source = newSessions(c)
		return nil
	}
	var rings keys.Chain
	if c.TokenDir != "" {
		rings = append(rings, keys.NewDir(c.TokenDir, c.Now, c.Log))
	}
	if c.Vault != nil {
		t.kept = keys.NewKept(c.Vault, c.Now, c.Log)
		rings = append(rings, t.kept)
	}
	switch {
	case len(rings) == 0:
		return errors.New("users: no source of credentials: Drone synchronizes a user only in his own name")
	case c.Provision && (c.Vault == nil || c.AdminToken == ""):
		return errors.New("making accounts needs an administrator's token, and a place to keep the users' tokens in")
	}
	t.source = tokens{rings}
	return nil
}

// Rekey replaces the session secret. A target without one has no use for it.
func (t *Target) Rekey(secret string) {
	if s, ok := t.source.(*sessions); ok && secret != "" {
		s.rekey(secret)
	}
}
