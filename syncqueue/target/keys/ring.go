package keys

import "github.com/hookd/hookd/syncqueue/target"

// A Ring has users' own tokens, and remembers what the CI server said of each.
// It is safe for concurrent use.
type Ring interface {
	target.Keyring

	// Token returns a user's token of now. It fails with target.ErrNoCredential,
	// or with target.ErrRejected if every one that there is was refused.
	Token(login string) (string, error)

	// Accept remembers that the CI server knows the token as this user's.
	Accept(login, token string)
	// Reject remembers that the CI server refuses the token, or calls it
	// somebody else's: it is not tried again until it changes.
	Reject(login, token string)
	// Doubt remembers a refusal that may be a fault of the CI server: it is
	// believed for ten minutes.
	Doubt(login, token string)
}

var _ Ring = (*Dir)(nil)
