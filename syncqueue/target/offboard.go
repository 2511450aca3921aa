package target

import (
	"context"

	"github.com/hookd/hookd/providers"
)

// Offboarding is what becomes of the account of somebody who left every
// configured organization.
type Offboarding string

// The ways; the empty one is OffboardNever.
const (
	OffboardNever      Offboarding = "never"
	OffboardReport     Offboarding = "report"     // say what would be done
	OffboardDeactivate Offboarding = "deactivate" // he cannot log in any more, and others own what was his
)

// An Offboarder is a target whose administrator can deactivate accounts.
type Offboarder interface {
	// Deactivate ends a user's account for as long as he is away, and reads that
	// back. A CI server hands over what he owns among the repositories that it
	// lists for him, so it comes before the sync that takes them. It waits for a
	// sync of his own that is running, and is idempotent. With dry it only looks.
	// Errors beside ErrNoAccount and ErrNoAdministrator mean that a retry may
	// help.
	Deactivate(ctx context.Context, u providers.User, o Leaving) (Departure, error)

	// Reactivate undoes it. Rights of administration do not come back.
	Reactivate(ctx context.Context, u providers.User) error
}

// Leaving is how somebody is deactivated.
type Leaving struct {
	Admins []string // logins of administrators who may be, if they leave
	Dry    bool

	// Owned is what was his when it was decided that he leaves, by path, with the
	// forge's ids. Whose it is now is told even if he was deactivated by a call
	// that nobody lived to hear the end of.
	Owned map[string]string

	// Heirs names who may own a repository, by its id, after him. It may be nil.
	Heirs func(ctx context.Context, id string) (logins []string, err error)
}

// A Departure is what Deactivate found and did. Beside an error only Tried says
// anything.
type Departure struct {
	Exempt  string            // why his account is left alone, "" if it is not
	Already bool              // it was inactive before
	Tried   bool              // the CI server may have ended it for us
	Listed  []string          // the repositories that the CI server listed for him before
	Owned   map[string]string // those among them that were his, by path, with the forge's ids
	Owners  map[string]string // who owns those and Leaving.Owned now, "" for nobody
}
