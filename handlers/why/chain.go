package why

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// chain is the links from the forge to the CI servers.
func (f facts) chain() []Link {
	var out []Link
	if f.renamed {
		out = append(out, Link{Link: "name", State: Yes, Says: fmt.Sprintf("%s and %s are %s and %s now", f.asked.User, f.asked.Repo, f.user.Login, f.repo.Path)})
	}
	out = append(out, f.forge(), f.event())
	out = append(out, f.jobs()...)
	out = append(out, f.catalogue())
	for _, t := range f.targets {
		out = append(out, f.credential(t), f.server(t))
		if l, ok := t.activity(); ok {
			out = append(out, l)
		}
		if l, ok := f.strangers(t); ok {
			out = append(out, l)
		}
	}
	return out
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// forge is what the forge was last seen to say.
func (f facts) forge() Link {
	l := Link{Link: "forge", State: No}
	seen := f.holdings.Checked
	if f.cell != nil && f.cell.Changed.After(seen) {
		seen = f.cell.Changed
	}
	l.At = at(seen)
	switch {
	case f.gone:
		l.Says = f.provider + " knows no such repository any more"
	case f.held():
		l.State, l.Says = Yes, fmt.Sprintf("%s grants %s", f.provider, f.cell.Permission)
	case f.cell == nil && !f.holdings.Complete:
		l.State, l.Says = Open, "the whole list of "+f.user.Login+" was not read yet"
	default:
		l.Says = f.provider + " does not grant it"
	}
	if f.holdings.Complete {
		l.Says += fmt.Sprintf("; the whole list of %s was last read at %s", f.user.Login, stamp(f.holdings.Checked))
	}
	return l
}

// event is how hookd came to know.
func (f facts) event() Link {
	l := Link{Link: "event", State: Open, Says: "nothing told of it"}
	if f.cell == nil {
		return l
	}
	l.State, l.Says, l.At = Yes, f.found(), at(f.cell.Changed)
	if isDelivery(f.cell.Cause) {
		l.Delivery = f.cell.Cause
		l.At = at(f.cell.Asked)
	}
	if f.delivery != nil {
		l.At = at(f.delivery.Delivery.Received)
	}
	return l
}

// found says in words what led to the cell's last change. Only a delivery's id
// stands there as such: whatever else found it, no webhook had announced it.
func (f facts) found() string {
	when, saw := stamp(f.cell.Changed), ""
	if f.cell.Why != "" {
		saw = ": " + f.cell.Why
	}
	cause := f.cell.Cause
	operator, byOperator := strings.CutPrefix(cause, "operator ")
	switch {
	case f.delivery != nil:
		d := f.delivery
		s := fmt.Sprintf("%s, delivered at %s", d.Event.Name, stamp(d.Delivery.Received))
		if d.Event.Sender.Login != "" {
			s += ", by " + d.Event.Sender.Login
		}
		return s + saw
	case isDelivery(cause):
		return "announced by a delivery that is not kept any more" + saw
	case cause == syncqueue.ByFill:
		return "found by the first fill at " + when + saw
	case cause == "sweep":
		return "found by reconcile at " + when + saw + "; no webhook announced it"
	case cause == "poll":
		by, rest, ok := strings.Cut(f.cell.Why, ": ")
		if !ok {
			return "found by a poll at " + when + saw + "; no webhook announced it"
		}
		return rest + ", found by " + by + " at " + when + "; no webhook announced it"
	case byOperator:
		return "found at " + when + ", when operator " + operator + " asked" + saw + "; no webhook announced it"
	}
	return "found at " + when + " (" + cause + ")" + saw + "; no webhook announced it"
}

// jobs are those that asked the forge, and those still to ask it.
func (f facts) jobs() []Link {
	var out []Link
	if j := f.looked; j != nil && j.State == syncqueue.Done {
		out = append(out, Link{Link: "job", State: Yes, Says: fmt.Sprintf("a %s job asked the forge: %s", j.Kind, withNote(*j)), At: at(j.Finished), Job: j.ID})
	}
	for _, j := range f.unanswered {
		l := Link{Link: "job", Job: j.ID}
		switch j.State {
		case syncqueue.Dead:
			l.State, l.At, l.Says = No, at(j.Finished), fmt.Sprintf("a %s job that was to ask the forge was given up: %s", j.Kind, reason(j))
		case syncqueue.Parked:
			l.State, l.Says = No, fmt.Sprintf("a %s job that asks the forge is parked: %s", j.Kind, reason(j))
		default:
			l.State, l.At, l.Says = Wait, at(j.NotBefore), fmt.Sprintf("a %s job that asks the forge is %s", j.Kind, f.progress(j))
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		l := Link{Link: "job", State: Yes, Says: "none is left to ask the forge"}
		if f.cell == nil {
			l.State = Open
		}
		out = append(out, l)
	}
	return out
}

func withNote(j syncqueue.Job) string {
	if j.Note == "" {
		return string(j.Outcome)
	}
	return j.Note
}

func (f facts) catalogue() Link {
	l := Link{Link: "catalogue", State: No}
	c := f.cell
	if c == nil {
		l.Says, l.At = "nothing is held", at(f.holdings.Checked)
		return l
	}
	l.At = at(c.Changed)
	switch {
	case c.Permission == providers.None:
		l.Says = fmt.Sprintf("nothing is held since %s, %s before", stamp(c.Changed), c.Was)
	case c.Was == c.Permission:
		l.State, l.Says = Yes, fmt.Sprintf("%s is held; its repository changed at %s", c.Permission, stamp(c.Changed))
	default:
		l.State, l.Says = Yes, fmt.Sprintf("%s is held since %s, %s before", c.Permission, stamp(c.Changed), c.Was)
	}
	return l
}

func (f facts) credential(t targetFacts) Link {
	l := Link{Link: "credential", Target: t.name, State: Yes}
	switch {
	case !t.Personal:
		l.Says = t.name + " needs no credential of his"
	case !t.Account:
		l.State, l.Says = No, fmt.Sprintf("%s has no active account of %s", t.name, f.user.Login)
	case t.Credential == "ok":
		l.Says = "hookd has a credential, and " + t.name + " takes it"
	case t.MustLogIn:
		l.State, l.Says = No, fmt.Sprintf("%s must log in to %s: he never did, or his session with the forge is spent", f.user.Login, t.name)
	case t.Credential == "rejected":
		l.State, l.Says = No, t.name+" rejects the credential"
	case t.Credential == "missing":
		l.State, l.Says = No, "hookd has no credential of "+f.user.Login+" for "+t.name
	default:
		l.State, l.Says = Open, "hookd has a credential, which was not used yet"
	}
	return l
}

// server is what the CI server was last seen to show.
func (f facts) server(t targetFacts) Link {
	l := Link{Link: "server", Target: t.name, State: No, At: at(t.published.At)}
	if t.job != nil {
		l.Job = t.job.ID
	}
	var shown, gone time.Time
	if f.cell != nil {
		shown, gone = f.cell.Shown[t.name], f.cell.Gone[t.name]
	}
	switch {
	case f.held() && !shown.IsZero():
		l.State, l.Says, l.At = Yes, "it shows since "+stamp(shown), at(shown)
	case f.held():
		r, why, _ := f.unshown(t)
		l.Says = why
		if r == Pending {
			l.State = Wait
		}
	case !gone.IsZero():
		l.Says, l.At = "it does not show since "+stamp(gone), at(gone)
	case !shown.IsZero():
		l.State, l.Says, l.At = Open, "it was last seen to show since "+stamp(shown), at(shown)
	default:
		l.Says = "it was never seen to show"
	}
	if !t.Healthy && !t.Checked.IsZero() {
		l.Says += fmt.Sprintf("; %s did not answer at %s: %s", t.name, stamp(t.Checked), t.Problem)
	}
	return l
}
