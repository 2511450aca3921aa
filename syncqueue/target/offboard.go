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

	// Heirs names who may own a repository, by its id, after him. It may be nil.
	Heirs func(ctx context.Context, id string) (logins []string, err error)
}

// A Departure is what Deactivate found and did.
type Departure struct {
	Exempt  string            // why his account is left alone, "" if it is not
	Already bool              // it was inactive before
	Listed  []string          // the repositories that the CI server listed for him before
	Owned   []string          // those among them that were his
	Owners  map[string]string // who owns those now, "" for nobody
}
