package providers

import (
	"errors"
	"fmt"
	"time"
)

// The classes of a forge's failure. Only ErrNotFound is a statement about what
// is true; every other error leaves what is known as it was.
var (
	// ErrNotFound: the forge, in its own words, knows no such thing.
	ErrNotFound = errors.New("not found")
	// ErrUnauthorized: the token is refused. It concerns the token, nobody's access.
	ErrUnauthorized = errors.New("token refused")
	// ErrForbidden: the token may not ask this. It concerns the token, nobody's access.
	ErrForbidden = errors.New("forbidden to this token")
	// ErrWithheld: the forge shows hookd nothing of an account for now, as where
	// an App is suspended or installed no longer. It concerns hookd, nobody's
	// access.
	ErrWithheld = errors.New("withheld from hookd")
	// ErrLimited: a rate limit; see *Limited for when to ask again.
	ErrLimited = errors.New("rate limited")
	// ErrUnavailable: the forge did not answer, or with a 5xx.
	ErrUnavailable = errors.New("unavailable")
	// ErrNonsense: an answer that cannot be the forge's: HTML with status 200,
	// broken JSON, a looping or foreign page link, a count that disagrees.
	ErrNonsense = errors.New("nonsense answer")
	// ErrRejected: the forge declines to do what it was asked, and says why.
	ErrRejected = errors.New("rejected by the forge")
)

// A ForgeError says which call failed, with which class and status.
type ForgeError struct {
	Op     string    // what was asked, without secrets: "GET /orgs/acme/teams"
	Status int       // 0 if there was no answer
	Class  error     // one of the classes above
	Err    error     // the cause, may be nil
	After  time.Time // ErrLimited, ErrWithheld: not before this time, zero if not told
}

func (e *ForgeError) Error() string {
	s := fmt.Sprintf("%s: %v", e.Op, e.Class)
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap lets errors.Is find the class and the cause.
func (e *ForgeError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}
