package target

import (
	"context"
	"errors"

	"github.com/hookd/hookd/providers"
)

// A Concealer is a target that goes on showing a repository to strangers as it
// did when it first met it, whatever becomes of it at the forge.
type Concealer interface {
	// Conceal makes the CI server show r to no stranger any more, by whatever
	// name it knows it, and proves it by asking as one, or tells why not. It is idempotent and
	// fails with ErrNoAdministrator where strangers see r and nothing can be
	// done about it; other errors mean that a retry may help.
	Conceal(ctx context.Context, r providers.Repo) (Concealed, error)

	// Exposed lists what the CI server shows to strangers, by the forge's id and
	// the name that the CI server knows. It needs an administrator.
	Exposed(ctx context.Context) ([]providers.Repo, error)
}

// Concealed is what Conceal found.
type Concealed struct {
	Unknown  bool   // the CI server has no such repository
	Closed   bool   // strangers saw it until now
	Unproven string // why nobody asked as a stranger; "" if one did
}

// ErrNoAdministrator means that only an administrator of the CI server can do
// it, and that none lent his token.
var ErrNoAdministrator = errors.New("it takes an administrator's token: set token_file")
