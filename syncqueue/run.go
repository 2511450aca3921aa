package syncqueue

import (
	"errors"
	"strings"
	"time"
)

// The functions of this file are the arrows of the package comment's drawing
// that lead into a lease, out of it, or are drawn by an operator. They are pure,
// so that every engine takes the same ones. Those that end a lease serve what
// was pushed meanwhile.

// expired is the last error of a job whose worker never reported back.
const expired = "the lease ran out: its worker never reported back"

// maxCrashes is how often in a row a job may take its worker with it, and with
// the worker the process: more than any restart for other reasons would meet.
const maxCrashes = 16

// Poisonous reports whether j, as it was leased, has ended its worker so often
// that it is not to run again.
func Poisonous(j Job) bool { return j.LastError == expired && j.Attempts > maxCrashes }

// maxText bounds, in bytes, the errors and notes that a job keeps.
const maxText = 4 << 10

// Fresh returns a pushed job that coalesces with no other, as it is filed.
func Fresh(j Job, now time.Time) Job {
	j.ID, j.Created, j.State = NewID(now), now, Ready
	j.Attempts, j.Looks, j.Failing, j.LastError = 0, 0, time.Time{}, ""
	j.Outcome, j.Finished, j.Note, j.Again = "", time.Time{}, "", nil
	return j
}

// Following returns a job that the run of parent led to: unless it has causes
// of its own, it has the parent's.
func Following(j, parent Job) Job {
	if len(j.Causes) == 0 {
		j.Causes, j.Since = parent.Causes, earliest(j.Since, parent.Since)
	}
	return j
}

// Reason says why j runs, for the cells it changes: the id of the newest
// delivery among its causes, or who asked last, and what that one saw.
func Reason(j Job) (cause, why string) {
	found := Cause{By: string(j.Kind)}
	for _, c := range j.Causes {
		switch {
		case c.Delivery == "" && found.Delivery == "":
			found = c
		case c.Delivery != "" && (found.Delivery == "" || !c.At.Before(found.At)):
			found = c
		}
	}
	if found.Delivery != "" {
		return found.Delivery, found.Why
	}
	return found.By, found.Why
}

// Begin returns the ready job j as it is leased. The attempt is counted here,
// so that a job that kills its worker does not run for ever.
func Begin(j Job) Job {
	j.State = Leased
	j.Attempts++
	return j
}

// End returns the leased job j after the run that found o, and whether what was
// pushed meanwhile makes it run again. A run that rested on a cached read which
// a later read had overtaken (outrun) is done over without the cache.
func End(j Job, o Outcome, outrun bool, now time.Time) (Job, bool) {
	pushed, runs := j.Again != nil, j.Attempts+j.Looks
	j.Attempts, j.Failing, j.LastError = 0, time.Time{}, ""
	j.Deadline, j.Fresh, j.Outcome, j.Finished = time.Time{}, false, "", time.Time{}
	j.Note = clip(o.Note)
	if o.Plan != nil && !outrun {
		j.Plan = o.Plan
	}
	switch {
	case outrun:
		j.State, j.NotBefore, j.Fresh = Ready, now, true
		return Absorb(j), true
	case o.Result == ResultAgain:
		j.State, j.NotBefore = Ready, o.Next
		j.Looks++
		return Absorb(j), pushed
	case o.Result == ResultParked:
		j.State, j.Outcome, j.Attempts = Parked, ResultParked, runs
		return Absorb(j), pushed
	}
	recurs := !o.Next.IsZero() && (o.Result == ResultDone || o.Result == "")
	if next, ok := Rearm(j); ok {
		if recurs {
			next.NotBefore = earliest(next.NotBefore, o.Next)
		}
		return next, true
	}
	j.Looks = 0
	if recurs {
		j.State, j.NotBefore, j.Lane = Ready, o.Next, j.Kind.lane(j.Lane)
		j.Hint, j.Force, j.Since, j.Causes = Hint{}, false, time.Time{}, nil
		return j, false
	}
	// What ended shows how many runs it took, looks included.
	j.State, j.Outcome, j.Finished, j.Attempts = Done, o.Result, now, runs
	if j.Outcome == "" {
		j.Outcome = ResultDone
	}
	return j, false
}

// Retried returns the leased job j after a failed run: due at a time, with the
// causes it had. A cause that wraps ErrReleased is nobody's failure, and one
// that is Postponed not the job's.
func Retried(j Job, at time.Time, cause error, now time.Time) Job {
	j.State, j.NotBefore, j.Deadline = Ready, at, time.Time{}
	if errors.Is(cause, ErrReleased) || IsPostponed(cause) {
		j.Attempts = max(0, j.Attempts-1)
		if IsPostponed(cause) {
			j.LastError = clip(cause.Error())
		}
		return Absorb(j)
	}
	return Absorb(failed(j, cause, now))
}

// Buried returns the leased job j as a dead letter, or awake if it was pushed
// meanwhile.
func Buried(j Job, cause error, now time.Time) Job {
	j = failed(j, cause, now)
	j.State, j.Outcome, j.Finished = Dead, ResultBuried, now
	return Absorb(j)
}

// Expired returns the leased job j whose lease ran out or whose process died.
// It is due as it was, and the attempt stays counted.
func Expired(j Job, now time.Time) Job {
	j.State = Ready
	return Absorb(failed(j, errors.New(expired), now))
}

// Awake returns a waiting, parked or dead job as due now, its failures
// forgotten.
func Awake(j Job, now time.Time) Job {
	j.State, j.NotBefore, j.Deadline = Ready, now, time.Time{}
	j.Attempts, j.Looks, j.Failing = 0, 0, time.Time{}
	j.Outcome, j.Finished, j.Note = "", time.Time{}, ""
	return j
}

// Revived is Awake on an operator's word: past the shrink guard, and before
// what nobody asked for.
func Revived(j Job, now time.Time) Job {
	j = Awake(j, now)
	j.Force = true
	j.Lane = min(j.Lane, LaneAddition)
	return j
}

// Ended returns a job that an operator dropped.
func Ended(j Job, now time.Time) Job {
	j.State, j.Outcome, j.Finished = Done, ResultDropped, now
	return j
}

// lane is where a recurring job of kind k waits for its next turn, whoever
// hurried the last one.
func (k Kind) lane(l Lane) Lane {
	switch k {
	case KindPoll:
		return LanePoll
	case KindSweep:
		return LaneReconcile
	}
	return l
}

func failed(j Job, cause error, now time.Time) Job {
	j.LastError = ""
	if cause != nil {
		j.LastError = clip(cause.Error())
	}
	if j.Failing.IsZero() {
		j.Failing = now
	}
	return j
}

func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// MaxSetBack is how far a clock may be set back without anybody minding.
const MaxSetBack = time.Minute

// SetBack returns by how much the clock was set back between two looks at it,
// zero if it was not. What waits for a time has to be moved along with it by
// Earlier, or a clock that was a day ahead makes everything wait for a day.
func SetBack(last, now time.Time) time.Duration {
	if d := last.Sub(now); !last.IsZero() && d > MaxSetBack {
		return d
	}
	return 0
}

// Earlier returns the job with the times it waits for moved back.
func Earlier(j Job, d time.Duration) Job {
	back := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(-d)
	}
	j.NotBefore, j.Deadline = back(j.NotBefore), back(j.Deadline)
	if j.Again != nil {
		a := *j.Again
		a.NotBefore, a.Deadline = back(a.NotBefore), back(a.Deadline)
		j.Again = &a
	}
	return j
}
