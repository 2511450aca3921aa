package syncqueue

import "time"

// Merge returns old with the push of new coalesced into it. Old is any job of
// the same key that is not done; the returned job has the state in which an
// engine has to file it. It loses no edge: after every push a run of the
// handler starts that started after the push. A gentle push asks for no more
// than that there is a job.
func Merge(old, new Job) Job {
	// The labels of the newer push are the likelier ones.
	if new.Subject.Name != "" {
		old.Subject.Name = new.Subject.Name
	}
	if new.Org != "" {
		old.Org = new.Org
	}
	if new.Gentle {
		return old
	}
	switch old.State {
	case Leased:
		a := Again{
			Hint: new.Hint, Plan: new.Plan, Lane: new.Lane, NotBefore: new.NotBefore, Deadline: new.Deadline,
			Fresh: new.Fresh, Force: new.Force, Since: new.Since, Causes: new.Causes,
		}
		if old.Again != nil {
			a = old.Again.with(a)
		}
		old.Again = &a
		return old
	case Parked, Dead:
		old.State = Ready
		old.Attempts, old.Looks, old.Failing = 0, 0, time.Time{}
		old.NotBefore, old.Deadline = new.NotBefore, new.Deadline
		old.Outcome, old.Finished, old.Note = "", time.Time{}, ""
		old.Lane = new.Lane
	default:
		backingOff := old.Attempts > 0 || !old.Failing.IsZero()
		if !backingOff {
			old.NotBefore = slide(old.NotBefore, old.Deadline, new.NotBefore, old.Looks > 0)
		}
		old.Looks = 0
		old.Lane = min(old.Lane, new.Lane)
	}
	old.Deadline = earliest(old.Deadline, new.Deadline)
	old.Hint = old.Hint.with(new.Hint)
	old.Plan = old.Plan.with(new.Plan)
	old.Fresh = old.Fresh || new.Fresh
	old.Force = old.Force || new.Force
	old.Since = earliest(old.Since, new.Since)
	old.Causes = appendCauses(old.Causes, new.Causes)
	return old
}

// Rearm returns the job for its next run when it was pushed while leased, and
// whether it was. The causes of the run that ended are dropped: they were
// served.
func Rearm(j Job) (Job, bool) {
	if j.Again == nil {
		return j, false
	}
	a := *j.Again
	j.Again = nil
	j.State = Ready
	j.Attempts, j.Looks, j.Failing, j.LastError = 0, 0, time.Time{}, ""
	j.Hint, j.Plan, j.Lane, j.NotBefore, j.Deadline = a.Hint, a.Plan, a.Lane, a.NotBefore, a.Deadline
	j.Fresh, j.Force, j.Since, j.Causes = a.Fresh, a.Force, a.Since, a.Causes
	return j, true
}

// Absorb returns a job whose run is over but did not end it with what was
// pushed meanwhile, as if it had been pushed now: the next run serves both. It
// wakes a job that parked or died, hurries one that only waits to look again,
// and leaves one that backs off its due time.
func Absorb(j Job) Job {
	if j.Again == nil {
		return j
	}
	a := *j.Again
	j.Again = nil
	return Merge(j, Job{
		Hint: a.Hint, Plan: a.Plan, Lane: a.Lane, NotBefore: a.NotBefore, Deadline: a.Deadline,
		Fresh: a.Fresh, Force: a.Force, Since: a.Since, Causes: a.Causes,
	})
}

func (a Again) with(b Again) Again {
	if b.NotBefore.Before(a.NotBefore) {
		a.NotBefore = b.NotBefore
	} else {
		a.NotBefore = slide(a.NotBefore, a.Deadline, b.NotBefore, false)
	}
	a.Deadline = earliest(a.Deadline, b.Deadline)
	a.Hint = a.Hint.with(b.Hint)
	a.Plan = a.Plan.with(b.Plan)
	a.Lane = min(a.Lane, b.Lane)
	a.Fresh, a.Force = a.Fresh || b.Fresh, a.Force || b.Force
	a.Since = earliest(a.Since, b.Since)
	a.Causes = appendCauses(a.Causes, b.Causes)
	return a
}

func (h Hint) with(g Hint) Hint {
	h.Gone = h.Gone || g.Gone
	h.New = h.New || g.New
	h.Narrowed = h.Narrowed || g.Narrowed
	if h.From == "" {
		h.From = g.From
	}
	return h
}

// slide debounces: a later push moves the due time, but never past the
// deadline of the first; an earlier one wins. A job that only waits to look
// again takes the new time as it is.
func slide(due, deadline, next time.Time, looking bool) time.Time {
	if looking || next.Before(due) {
		return next
	}
	if deadline.IsZero() {
		return due
	}
	if next.After(deadline) {
		return deadline
	}
	return next
}

func earliest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Before(b):
		return a
	}
	return b
}

func appendCauses(a, b []Cause) []Cause {
	out := append([]Cause(nil), a...)
	for _, c := range b {
		dup := false
		for _, have := range out {
			dup = dup || c.Same(have)
		}
		if !dup {
			out = append(out, c)
		}
	}
	if len(out) > MaxCauses {
		out = out[len(out)-MaxCauses:]
	}
	return out
}

// Same reports whether c and d are one cause. It compares instants, not how they
// are written: a job that was stored has its times in another location.
func (c Cause) Same(d Cause) bool {
	return c.Delivery == d.Delivery && c.By == d.By && c.Event == d.Event && c.Why == d.Why && c.At.Equal(d.At)
}
