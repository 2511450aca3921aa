package providers

import (
	"errors"
	"net/http"
)

// A Hook reads one provider's webhook dialect. It does no I/O, keeps no state
// and is safe for concurrent use.
type Hook interface {
	// Verify checks the signature over the raw bytes against every live
	// secret, without an early exit, and returns the index of the one that
	// matched. The only error is ErrSignature, whatever was wrong.
	Verify(h http.Header, body []byte) (secret int, err error)

	// GUID returns the forge's delivery id, "" if the headers have none.
	GUID(h http.Header) string

	// Parse reads what routing needs from a verified delivery whose body is
	// valid JSON: the intake has checked that, and once is enough. The error is
	// an *Ignored (with an Event that carries at least the Name) when nobody's
	// list can change, or wraps ErrMalformed.
	Parse(d Delivery) (Event, error)

	// Describe tells what changed from the typed payload, for the journal and
	// for people. It is called in a worker, never before the answer.
	Describe(d Delivery) (Details, error)
}

// ErrSignature means that a delivery is not authentic.
var ErrSignature = errors.New("signature or token does not match")

// ErrMalformed means that an authentic delivery cannot be read.
var ErrMalformed = errors.New("malformed payload")

// Ignored is Parse's answer for an authentic delivery that changes nobody's
// list of repositories. The reason is shown on the forge's delivery page.
type Ignored struct {
	Reason string
	Ping   bool // the forge only tested the connection
}

func (i *Ignored) Error() string { return "ignored: " + i.Reason }
