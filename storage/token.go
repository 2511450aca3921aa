package storage

import "time"

// A Token is a user's own token for a CI server, kept by hookd.
type Token struct {
	Login  string
	Text   string // the token itself
	Origin Origin
	Since  time.Time
}

// Origin tells where a token came from.
type Origin string

// The origins.
const (
	Linked       Origin = "linked"       // the user handed it over
	Provisioned  Origin = "provisioned"  // hookd made it up with the user's account
	Provisioning Origin = "provisioning" // as before, but whether the CI server took it is not known yet
)

// A Vault keeps users' tokens for one CI server. Logins are compared
// case-folded; a user has one token. It is safe for concurrent use.
type Vault interface {
	// Token returns what is kept of a user.
	Token(login string) (Token, bool)
	// Logins lists who has a token, ordered.
	Logins() []string
	// Keep replaces what is kept of t.Login. It blocks on the disk: when it
	// returns nil, the token is there after a crash too, and else the old one.
	Keep(t Token) error
	// Drop takes a user's token away, as durably.
	Drop(login string) error
}
