package providers

import (
	"context"
	"time"
)

// An Identifier tells whom the forge takes hookd for. It is found by type
// assertion; its errors are those of a Forge.
type Identifier interface {
	Identify(ctx context.Context) (Identity, error)
}

// An Identity is what a forge tells of hookd's token.
type Identity struct {
	Login   string
	Admin   bool      // administers the whole forge
	Scopes  []string  // nil if they are not told
	Expires time.Time // zero if it does not, or that is not told

	// Lacks is what hookd would need of the token to do all its work, in the
	// forge's words: scopes and roles.
	Lacks []string
}
