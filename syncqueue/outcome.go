package syncqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// A Result is how a run of a job ended.
type Result string

// The results of a run. The first five are an Outcome's; Retried and Buried
// are what the pool makes of an error; Dropped and Lost are nobody's success.
const (
	ResultDone       Result = "done"
	ResultHidden     Result = "hidden"     // known never to show, with evidence
	ResultSuperseded Result = "superseded" // a newer hint overtook it
	ResultParked     Result = "parked"     // waits for something outside to change
	ResultAgain      Result = "again"      // went well but is not visible yet: look again at Next
	ResultRetried    Result = "retried"
	ResultBuried     Result = "buried"
	ResultDropped    Result = "dropped"
	ResultLost       Result = "lost" // the lease was gone: nothing was changed
)

// Results are all results, in the order of this file.
var Results = []Result{ResultDone, ResultHidden, ResultSuperseded, ResultParked, ResultAgain, ResultRetried, ResultBuried, ResultDropped, ResultLost}

// An Outcome is what a handler found; Complete commits all of it or nothing.
type Outcome struct {
	Result Result // zero is ResultDone
	Note   string // the reason, in words, with evidence

	// Next: with ResultAgain when to look again; with ResultDone the job
	// recurs at that time instead of ending.
	Next time.Time

	Change  *storage.Change
	Confirm *storage.Confirm

	// Publish names the targets that are told of every user whose holdings
	// Change alters: one publish job each, pushed in the same transaction.
	Publish []string

	// Repos names the targets that are told of every repository that Change
	// meets for the first time, or finds with another visibility, likewise.
	Repos []string

	Follow  []Job                        // further jobs
	Details map[string]providers.Details // by delivery id, for the journal

	Plan     *Plan     // of a plan: what is left of it
	Takeover *Takeover // of a repo job that begins or joins a plan
}

// A Handler does a job's work: it reads the world and returns a value. It may
// run twice for one job and must honour ctx. Its error says what happens next:
// Permanent buries, After waits until a time, any other backs off.
type Handler interface {
	Handle(ctx context.Context, l Lease) (Outcome, error)
}

// ErrReleased as the cause of a Retry gives the attempt back: we are shutting
// down, the job did nothing wrong.
var ErrReleased = errors.New("syncqueue: released at shutdown")

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks an error that no retry will mend.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

// IsPermanent reports whether err was marked by Permanent.
func IsPermanent(err error) bool {
	var p permanentError
	return errors.As(err, &p)
}

type afterError struct {
	error
	at time.Time
}

func (e afterError) Unwrap() error { return e.error }

// After marks an error that is worth a retry, but not before t.
func After(t time.Time, err error) error {
	if err == nil {
		return nil
	}
	return afterError{err, t}
}

// NotBefore returns the time given to After, and whether there was one.
func NotBefore(err error) (time.Time, bool) {
	var a afterError
	if errors.As(err, &a) {
		return a.at, true
	}
	return time.Time{}, false
}

type postponedError struct{ error }

func (e postponedError) Unwrap() error { return e.error }

// Postponed marks an error that is not the job's: a budget that is out says
// nothing about the work. Retry keeps it as the last error, and gives the
// attempt back.
func Postponed(err error) error { return postponedError{err} }

// IsPostponed reports whether err was marked by Postponed.
func IsPostponed(err error) bool {
	var p postponedError
	return errors.As(err, &p)
}

// A PanicError is a handler's panic, turned into an attempt that failed.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
