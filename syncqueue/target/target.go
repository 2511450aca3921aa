// Package target is the vocabulary of CI servers: what a user is to see there,
// and what was seen to show. Its children are the drivers.
package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
)

// Desired is what a user is to see. It is explicit: a target takes away only
// what is in Absent or, when Complete, what is not in Present.
type Desired struct {
	Version  uint64
	Complete bool
	Present  []providers.Access
	Absent   []providers.Access // lost, and not yet confirmed as gone

	// Seen reports of a repository of Present whether it showed at an earlier
	// look. One that does not show any more was taken away by a sync, ours or
	// somebody else's, that nobody explained. It is nil if nothing is known.
	Seen func(id string) bool

	// Stray reports of a repository that shows whether it is known that the
	// user does not hold it, though it never was in Absent: he synced by himself
	// before hookd knew, or it came and went between two reads. It is nil while
	// too little is known. Strays are a reason to sync.
	Stray func(id, path string) bool

	// Count asks the forge for the size of the user's own list now. A target
	// calls it before anything that could take access away as a side effect;
	// Unknown is not an error. It is nil if the forge has no such call.
	Count func(ctx context.Context) (int, error)

	// Remote asks the forge where a repository is now, by its id, for targets
	// that are told of it instead of reading the forge: providers.ErrNotFound
	// if there is none. It is nil if the forge has no such call.
	Remote func(ctx context.Context, id string) (providers.Repo, providers.Remote, error)

	Force   bool // an operator released this past the guard
	Explain bool // the last look: spend what it takes to tell why something does not show
}

// Unknown is Count's answer when nobody needs to be asked.
const Unknown = -1

// Result is what the CI server shows of Desired.
type Result struct {
	Synced    bool              // the CI server was made to read the forge
	Shown     []string          // repository ids of Present that show
	Missing   []string          // of Present that do not, yet
	Hidden    map[string]string // of Present that never will -> evidence
	Gone      []string          // of Absent that do not show any more
	Remaining []string          // of Absent that still do
	Strays    []string          // that show although Stray says they should not: the forge lists them, so the caller knows too little
	Renamed   map[string]string // ids that the CI server read from the forge under a name -> that neither Desired has nor it showed before
	Before    int               // repositories of the user before, -1 if not read
	After     int               // and after
	Note      string            // what the target said, for the job's record
}

// Settled reports whether nothing is left to look at again.
func (r Result) Settled() bool { return len(r.Missing) == 0 && len(r.Remaining) == 0 }

// A Target makes a CI server follow.
type Target interface {
	// Sync makes the CI server show u what want says and reads it back. It is
	// idempotent and blocks on the network. It never runs twice at once for
	// one user: the queue sees to that. Errors beside those below mean that
	// the CI server could not be asked, and that a retry may help.
	Sync(ctx context.Context, u providers.User, want Desired) (Result, error)

	// Probe asks for the CI server's version.
	Probe(ctx context.Context) (version string, err error)
}

// Why a target cannot act for a user. These park the job until something
// outside changes.
var (
	ErrNoCredential = errors.New("no credential for this user")
	ErrRejected     = errors.New("the CI server rejects this user's credential")
	ErrNoAccount    = errors.New("this user never logged in to the CI server")
	ErrMustLogIn    = errors.New("the user must log in to the CI server once")
)

// A HeldError means that letting the CI server read the forge now would take
// away more than the guard allows and no read explains.
type HeldError struct {
	Have, Expect, Explained int
	Reason                  string
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("held by the shrink guard: the CI server shows %d repositories, the forge's list has %d, %d losses are explained: %s", e.Have, e.Expect, e.Explained, e.Reason)
}

// A Guard bounds what one sync may take away without an explanation.
type Guard struct {
	Percent  int // of what the CI server shows
	MinRepos int // lists smaller than this may shrink, but never to nothing
}

// Holds reports whether a shrink from have to expect, of which explained
// losses are known, is to be held.
func (g Guard) Holds(have, expect, explained int) bool {
	lost := have - expect - explained
	if lost <= 0 {
		return false
	}
	if expect == 0 {
		return true
	}
	return have >= g.MinRepos && lost*100 > g.Percent*have
}

// Shrinks reports whether a list of have that is now left at is much smaller:
// at least MinRepos long before, and more than Percent gone.
func (g Guard) Shrinks(have, left int) bool {
	return have >= max(g.MinRepos, 1) && (have-left)*100 > g.Percent*have
}

// Credential is the state of what a target needs to act as a user.
type Credential string

// The states, from best to worst.
const (
	CredentialOK       Credential = "ok"
	CredentialUnknown  Credential = "unknown" // there is one, but it was never used
	CredentialRejected Credential = "rejected"
	CredentialMissing  Credential = "missing"
)

// A Keyring is a target that acts with users' own credentials.
type Keyring interface {
	// Credential tells the state without asking the CI server.
	Credential(login string) Credential
	// Watch calls changed for each login whose credential appeared or was
	// replaced, until ctx is done.
	Watch(ctx context.Context, changed func(login string)) error
}

// A Linker is a target that keeps tokens which users hand over themselves.
type Linker interface {
	// Link asks the CI server whose the token is, and keeps it as that user's.
	// It is durable when it returns. ErrRejected: the CI server does not take
	// the token.
	Link(ctx context.Context, token string) (login string, err error)

	// Unlink drops what is kept of the user whose token it is, which need not be
	// the one that is kept. It is durable when it returns. ErrRejected as for
	// Link; ErrNoCredential: nothing of his is kept.
	Unlink(ctx context.Context, token string) (login string, err error)
}

// A LoginWatcher is a target whose users' credentials can be of no use until
// they log in to it.
type LoginWatcher interface {
	// MustLogIn tells so without asking the CI server; such a credential counts
	// as rejected.
	MustLogIn(login string) bool
}

// Inactive begins the evidence of what shows to nobody because the CI server
// was not told to carry it out: it ends when somebody activates the repository.
// Such a repository stays in Present.
const Inactive = "not activated"

// A Scout is a target that sees which repositories somebody activated.
type Scout interface {
	// Scout calls found for each repository, by the forge's id, that became
	// active, until ctx is done, and returns ctx's error. Those that it finds
	// at first count as new: somebody may have activated them while nobody
	// looked.
	Scout(ctx context.Context, found func(repo string)) error
}

// An Account is a user of the CI server.
type Account struct {
	Login     string
	Active    bool
	Machine   bool
	Admin     bool
	LastLogin time.Time // zero if he never logged in, or the CI server does not tell
}

// A Roster is a target that can list its users.
type Roster interface {
	Accounts(ctx context.Context) ([]Account, error)
}

// A Greeter is a target that remembers for a while who has no account. Greet
// makes it forget that of a login: he has one now.
type Greeter interface {
	Greet(login string)
}
