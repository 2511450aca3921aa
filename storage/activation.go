package storage

import (
	"encoding/json"
	"time"
)

// An Activation is what a target's policy came to about a new repository. That
// is decided once: whatever somebody makes of it later is his own wish.
type Activation struct {
	State ActivationState `json:"state"`
	Rule  int             `json:"rule,omitempty"` // of the policy, from 1; 0 if none matched
	As    string          `json:"as,omitempty"`   // who activated it
	Note  string          `json:"note,omitempty"` // in words, with evidence
	At    time.Time       `json:"at"`
}

// ActivationState is what became of a new repository.
type ActivationState string

// The states.
const (
	Activated     ActivationState = "activated"
	ActiveAlready ActivationState = "active already" // somebody else was first: nothing was changed
	WouldActivate ActivationState = "would activate" // a dry run
	LeftAlone     ActivationState = "left alone"     // no rule matched, or one says so
)

// ActivationKey is the key of the snapshot that keeps it.
func ActivationKey(target, provider, repo string) string {
	return "activation/" + target + "/" + provider + "/" + repo
}

// ReadActivation reads such a snapshot.
func ReadActivation(snapshot []byte) (a Activation, err error) {
	err = json.Unmarshal(snapshot, &a)
	return a, err
}

// Snapshot writes one.
func (a Activation) Snapshot() []byte {
	b, _ := json.Marshal(a) // texts, a number and a time: it cannot fail
	return b
}
