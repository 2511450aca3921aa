package storage

import (
	"encoding/json"
	"time"
)

// A Departure is what became of the account that somebody who left every
// configured organization has in a CI server.
type Departure struct {
	State DepartureState `json:"state"`
	Login string         `json:"login"`
	Note  string         `json:"note,omitempty"` // in words, with evidence
	At    time.Time      `json:"at"`

	Listed []string          `json:"listed,omitempty"` // repositories the CI server listed for him before
	Owned  map[string]string `json:"owned,omitempty"`  // those that were his when it was decided, by path, with the forge's ids
	Owners map[string]string `json:"owners,omitempty"` // of those that were his: who owns them since, "" for nobody
}

// DepartureState is how far it came.
type DepartureState string

// The states.
const (
	Departing   DepartureState = "departing"   // decided, and written down before it is done
	Deactivated DepartureState = "deactivated" // by hookd, which undoes it when he comes back
	Inactive    DepartureState = "inactive"    // somebody else did it before: hookd undoes nothing
	Reported    DepartureState = "would deactivate"
	Exempt      DepartureState = "exempt"
	Held        DepartureState = "held" // too many at once: an operator has to say that it is meant
)

// Ours reports whether hookd ended the account, or was about to.
func (s DepartureState) Ours() bool { return s == Departing || s == Deactivated }

// DepartureKey is the key of the snapshot that keeps it.
func DepartureKey(target, provider, user string) string {
	return "departure/" + target + "/" + provider + "/" + user
}

// Snapshot writes it.
func (d Departure) Snapshot() []byte {
	b, _ := json.Marshal(d) // texts and a time: it cannot fail
	return b
}

// ReadDeparture reads such a snapshot.
func ReadDeparture(snapshot []byte) (d Departure, err error) {
	err = json.Unmarshal(snapshot, &d)
	return d, err
}
