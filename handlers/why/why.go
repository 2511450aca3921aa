// Package why explains why a user sees a repository in a CI server, or does
// not: the chain from the forge over the event, the job, the catalogue and the
// credential to the CI server, each link with what it rests on and when that
// was so, and a verdict for each target.
//
// It reads only what hookd knows already and asks no forge. Facts are gathered
// first (facts.go); what they mean is decided by pure functions (judge.go,
// chain.go).
package why

import (
	"context"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Sources are what an explanation is made of.
type Sources struct {
	Catalogue storage.Catalogue
	Journal   syncqueue.Journal
	Console   syncqueue.Console
	Desk      Desk
	Now       func() time.Time
}

// Desk is what has to be known of the targets.
type Desk interface {
	// TargetsOf names the targets that follow a provider.
	TargetsOf(provider string) []string
	// Standing tells, without asking anybody, how a target is and what it has
	// of a user.
	Standing(target, login string) Standing
}

// Standing is how a target is, and what it has of one user.
type Standing struct {
	Personal   bool   // it acts with the credential of each user
	MustLogIn  bool   // which is of no use until he logs in there
	Account    bool   // the CI server has an active account of his, or could not be asked for its accounts
	Credential string // as in the API: ok, missing, rejected, unknown; "" without an account
	Healthy    bool   // it answered when it was last looked at
	Checked    time.Time
	Problem    string // of that look
}

// A Question names a user by login and a repository by path, as they are or
// were called, in any case, or by their ids.
type Question struct{ Provider, User, Repo string }

// An Answer is the verdicts and what they rest on.
type Answer struct {
	Provider string    `json:"provider"`
	User     User      `json:"user"`
	Repo     Repo      `json:"repo"`
	Verdict  string    `json:"verdict"`
	Fix      string    `json:"fix,omitempty"` // what can be done about it, "" if nothing is to be
	Targets  []Verdict `json:"targets"`
	Chain    []Link    `json:"chain"`
}

// User is whom the question was about.
type User struct {
	ID    string `json:"id"`
	Login string `json:"login"`
}

// Repo is what it was about.
type Repo struct {
	ID   string `json:"id"`
	Path string `json:"repo"`
}

// A Result is a verdict in one word.
type Result string

// The results.
const (
	Visible      Result = "visible"       // it shows
	Hidden       Result = "hidden"        // granted, and known never to show
	Pending      Result = "pending"       // granted, and about to show
	NoCredential Result = "no_credential" // granted; hookd has nothing to act with
	Parked       Result = "parked"        // granted; waits for something outside
	Held         Result = "held"          // granted; the shrink guard waits for an operator
	Dead         Result = "dead"          // granted; given up
	Leaving      Result = "leaving"       // lost, and may still show
	Removed      Result = "removed"       // lost, and does not show
	NotGranted   Result = "not_granted"   // the forge does not grant it
	Unread       Result = "unread"        // nobody knows yet whether the forge grants it
	Deleted      Result = "deleted"       // there is no such repository any more
)

// A Verdict is what one target comes to.
type Verdict struct {
	Target string     `json:"target"`
	Result Result     `json:"result"`
	Sees   *bool      `json:"sees"`            // null if it is not known
	Since  *time.Time `json:"since,omitempty"` // when that began
	Says   string     `json:"says"`
	Fix    string     `json:"fix,omitempty"`
}

// State is whether a link of the chain holds.
type State string

// The states.
const (
	Yes  State = "yes"
	No   State = "no"
	Wait State = "wait"
	Open State = "unknown"
)

// A Link is one link of the chain: forge, event, job, catalogue, and for each
// target credential, server and, where its policy has to do with the repository,
// activation, and strangers while they may see what they should not. Name comes
// first where somebody goes by another name now.
type Link struct {
	Link     string     `json:"link"`
	Target   string     `json:"target,omitempty"`
	State    State      `json:"state"`
	Says     string     `json:"says"`
	At       *time.Time `json:"at,omitempty"` // when that was so
	Delivery string     `json:"delivery,omitempty"`
	Job      string     `json:"job,omitempty"`
}

// Ask answers a question. The error is an *UnknownError if the catalogue knows
// no such user or repository.
func Ask(ctx context.Context, s Sources, q Question) (Answer, error) {
	f, err := gather(ctx, s, q)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{
		Provider: q.Provider, User: User{f.user.ID, f.user.Login}, Repo: Repo{f.repo.ID, f.repo.Path},
		Targets: []Verdict{}, Chain: f.chain(),
	}
	for _, t := range f.targets {
		a.Targets = append(a.Targets, f.judge(t))
	}
	a.Verdict, a.Fix = f.sum(a.Targets)
	return a, nil
}
