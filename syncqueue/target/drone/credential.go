package drone

import (
	"context"
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
// Drone.
func (t *Target) Credential(login string) target.Credential { return t.source.Credential(login) }

// Watch calls changed for each login whose credential appeared or was replaced,
// until ctx is done, and returns ctx's error. Those it finds at first count as
// new: they may have come while nobody watched.
func (t *Target) Watch(ctx context.Context, changed func(login string)) error {
	return t.source.Watch(ctx, changed)
}
