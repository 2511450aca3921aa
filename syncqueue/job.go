package syncqueue

import (
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// Kind is what a job does.
type Kind string

// The kinds of job.
const (
	KindRepo    Kind = "repo"    // who has this repository in his list?
	KindMember  Kind = "member"  // what does this user hold in what Within reaches?
	KindUser    Kind = "user"    // what does this user hold?
	KindScope   Kind = "scope"   // an organization in one pass
	KindPoll    Kind = "poll"    // compare an organization with its snapshot
	KindSweep   Kind = "sweep"   // find users not looked at for long
	KindPublish Kind = "publish" // tell a target what a user holds, and read it back
)

// Kinds are all kinds, in the order of this file.
var Kinds = []Kind{KindRepo, KindMember, KindUser, KindScope, KindPoll, KindSweep, KindPublish}

// A State is where a job is in its life.
type State string

// The states. Waiting is stored as Ready and told apart by NotBefore.
const (
	Ready   State = "ready"
	Waiting State = "waiting"
	Leased  State = "leased"
	Parked  State = "parked"
	Done    State = "done"
	Dead    State = "dead"
)

// States are all states, in the order of this file.
var States = []State{Ready, Waiting, Leased, Parked, Done, Dead}

// A Lane orders jobs before their due time does: lower goes first.
type Lane uint8

// The lanes.
const (
	LaneRemoval   Lane = iota // somebody lost access
	LaneAddition              // somebody gained it, or an operator asks
	LanePoll                  // a poll looks or found something
	LaneReconcile             // first fill, sweep

	Lanes = LaneReconcile + 1 // how many there are
)

// A Key is the name under which jobs coalesce. Its parts are joined by "/" and
// never hold labels that may change: "member/git/7/org/5".
type Key string

// MakeKey joins parts, each of which must be free of "/" but the last.
func MakeKey(parts ...string) Key { return Key(strings.Join(parts, "/")) }

// A Cause is why a job exists: a delivery, or what else asked.
type Cause struct {
	Delivery string    `json:"delivery,omitempty"` // a delivery's id
	By       string    `json:"by,omitempty"`       // "poll", "sweep", "fill", "replay", "target", "operator NAME"
	Event    string    `json:"event,omitempty"`
	Why      string    `json:"why,omitempty"` // what a poll saw, in words
	At       time.Time `json:"at"`            // when the delivery was received, or when it was asked
}

// Hint is what the causes claim and the handler has to verify.
type Hint struct {
	Gone bool   `json:"gone,omitempty"` // the subject is said to be deleted, or the membership ended
	New  bool   `json:"new,omitempty"`  // the subject is said to be new: one 404 proves nothing yet
	From string `json:"from,omitempty"` // the former path

	Narrowed bool `json:"narrowed,omitempty"` // fewer people than before may see the repository
}

// MaxCauses bounds the causes a job keeps; the newest stay.
const MaxCauses = 32

// A Job is one unit of work.
type Job struct {
	ID       string            `json:"id"` // a ULID
	Kind     Kind              `json:"kind"`
	Key      Key               `json:"key"`
	Provider string            `json:"provider"`
	Target   string            `json:"target,omitempty"`
	Org      string            `json:"org,omitempty"` // id of the organization it works for: fairness
	Subject  providers.Subject `json:"subject"`
	Within   providers.Subject `json:"within,omitzero"` // member jobs
	Hint     Hint              `json:"hint,omitzero"`
	Plan     *Plan             `json:"plan,omitempty"` // scope jobs that stand for a storm
	Lane     Lane              `json:"lane"`

	State     State     `json:"state"`
	Attempts  int       `json:"attempts"`          // leases since it last ended well; of a job that ended, how many runs it took
	Looks     int       `json:"looks,omitempty"`   // times it looked and did not see yet
	NotBefore time.Time `json:"not_before"`        // due
	Deadline  time.Time `json:"deadline,omitzero"` // debouncing may not move NotBefore past it
	Failing   time.Time `json:"failing,omitzero"`  // since when every attempt failed
	Fresh     bool      `json:"fresh,omitempty"`   // no cached reads
	Force     bool      `json:"force,omitempty"`   // an operator released it past the shrink guard
	Gentle    bool      `json:"gentle,omitempty"`  // its push only makes a job where there is none
	LastError string    `json:"last_error"`        // of the last attempt, "" if it went well
	Outcome   Result    `json:"outcome,omitempty"` // how it ended
	Note      string    `json:"note,omitempty"`    // in words, with evidence
	Created   time.Time `json:"created_at"`
	Finished  time.Time `json:"finished_at,omitzero"`

	Since  time.Time `json:"since,omitzero"` // when the oldest delivery among all its causes was received
	Causes []Cause   `json:"causes,omitempty"`
	Again  *Again    `json:"again,omitempty"` // pushed while leased
}

// Again is what was pushed onto a leased job: its next run.
type Again struct {
	Hint      Hint      `json:"hint,omitzero"`
	Plan      *Plan     `json:"plan,omitempty"`
	Lane      Lane      `json:"lane"`
	NotBefore time.Time `json:"not_before"`
	Deadline  time.Time `json:"deadline,omitzero"`
	Fresh     bool      `json:"fresh,omitempty"`
	Force     bool      `json:"force,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Causes    []Cause   `json:"causes,omitempty"`
}

// StateAt is the job's state with waiting told apart from ready.
func (j Job) StateAt(now time.Time) State {
	if j.State == Ready && j.NotBefore.After(now) {
		return Waiting
	}
	return j.State
}

// ByFill is the cause of an organization's first fill.
const ByFill = "fill"

// CausedBy reports whether by is among who asked for the job.
func (j Job) CausedBy(by string) bool {
	for _, c := range j.Causes {
		if c.By == by {
			return true
		}
	}
	return false
}

// Announced reports whether a delivery is among the job's causes.
func (j Job) Announced() bool { return !j.Since.IsZero() }
