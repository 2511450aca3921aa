package targettest

import (
	"context"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A Scene is a forge, a CI server beside it, and the driver under test. It
// makes things true where they belong: on the forge, or in the CI server as the
// user himself would. Names that it is given need not be those that it uses: a
// scene that outlives a test tells its users and repositories apart.
//
// Its methods fail the test when they cannot do what they say.
type Scene interface {
	// Target is the driver, always the same one.
	Target() target.Target

	// User makes a user of the forge, who has no account in the CI server.
	User(t *testing.T, login string) providers.User
	// Repo makes a private repository that nobody has.
	Repo(t *testing.T, name string) providers.Repo
	// Grant gives a user a repository, and Revoke takes it from him.
	Grant(t *testing.T, u providers.User, r providers.Repo)
	Revoke(t *testing.T, u providers.User, r providers.Repo)
	// Rename gives a repository a new name, and Archive archives it; both
	// return it as it is then.
	Rename(t *testing.T, r providers.Repo, name string) providers.Repo
	Archive(t *testing.T, r providers.Repo) providers.Repo
	// Count is the forge's own count of the user's list.
	Count(u providers.User) func(context.Context) (int, error)

	// LogIn logs a user in to the CI server and waits until it is at rest.
	LogIn(t *testing.T, u providers.User)
}

// A World is a Scene whose driver acts with users' own credentials.
type World interface {
	Scene

	// GiveCredential gives the driver what it needs to act as the user, who
	// is logged in; SpoilCredential makes that invalid, and TakeCredential
	// takes it away. The driver may need the time of a look to notice.
	GiveCredential(t *testing.T, u providers.User)
	SpoilCredential(t *testing.T, u providers.User)
	TakeCredential(t *testing.T, u providers.User)
}

// An AddressBook is a Scene whose driver asks where repositories are, as
// target.Desired's Remote.
type AddressBook interface {
	Remote(ctx context.Context, id string) (providers.Repo, providers.Remote, error)
}
