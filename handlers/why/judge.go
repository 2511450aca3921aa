package why

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// judge decides what one target comes to.
func (f facts) judge(t targetFacts) Verdict {
	v := Verdict{Target: t.name}
	yes, no := true, false
	who, what := f.user.Login, f.repo.Path
	if f.held() {
		if since, ok := f.cell.Shown[t.name]; ok {
			v.Result, v.Sees, v.Since = Visible, &yes, &since
			v.Says = fmt.Sprintf("%s sees %s in %s since %s", who, what, t.name, stamp(since))
			return v
		}
		v.Sees = &no
		var why string
		v.Result, why, v.Fix = f.unshown(t)
		v.Says = fmt.Sprintf("%s does not see %s in %s: %s", who, what, t.name, why)
		return v
	}
	lost := f.lost()
	switch {
	case f.gone:
		v.Result, v.Sees = Deleted, &no
	case f.cell != nil && f.cell.Was > providers.None:
		v.Result, v.Sees = Removed, &no
	case f.cell == nil && !f.holdings.Complete:
		v.Result = Unread
	default:
		v.Result, v.Sees = NotGranted, &no
	}
	v.Fix = f.ask(v.Result)
	v.Says = fmt.Sprintf("%s does not see %s in %s: %s", who, what, t.name, lost)
	if f.cell == nil || f.cell.Version <= t.published.Version || f.cell.Version == 0 {
		return v
	}
	if since, ok := f.cell.Gone[t.name]; ok {
		v.Since = &since
		return v
	}
	// The target has not been seen to follow.
	_, why, fix := f.unshown(t)
	v.Result, v.Sees, v.Fix = Leaving, nil, fix
	v.Says = fmt.Sprintf("%s may still see %s in %s, although: %s; %s", who, what, t.name, lost, why)
	return v
}

// unshown says why a target does not show yet what the catalogue holds, and
// what can be done.
func (f facts) unshown(t targetFacts) (r Result, why, fix string) {
	if evidence := f.cell.Hidden[t.name]; evidence != "" {
		return Hidden, "expected hidden: " + evidence, ""
	}
	j := t.job
	retry := ""
	if stuck(j) {
		retry = "hookd queue retry " + j.ID
	}
	switch {
	case j != nil && j.State == syncqueue.Parked && strings.HasPrefix(j.Note, "held:"):
		return Held, "the publish job is " + j.Note, retry
	case j != nil && j.State == syncqueue.Dead:
		return Dead, "the publish job was given up: " + reason(*j), retry
	case t.Personal && !t.Account:
		return Parked, fmt.Sprintf("%s has no account in %s", f.user.Login, t.name), fmt.Sprintf("%s logs in to %s once", f.user.Login, t.name)
	case t.Personal && t.Credential == "missing":
		return NoCredential, "no credential for " + t.name, fmt.Sprintf("give hookd a token of %s for %s; what waits then goes out by itself", f.user.Login, t.name)
	case t.Personal && t.MustLogIn:
		return NoCredential, fmt.Sprintf("%s cannot read the forge for %s until he logs in there", t.name, f.user.Login), fmt.Sprintf("%s logs in to %s once", f.user.Login, t.name)
	case t.Personal && t.Credential == "rejected":
		return NoCredential, t.name + " rejects the credential", fmt.Sprintf("%s logs in to %s once; if that is not enough, give hookd a new token of his", f.user.Login, t.name)
	case j == nil && t.behind:
		return Pending, "no publish job is queued; the next sweep finds that", f.sync()
	case j == nil:
		return Pending, "it was published, but not seen to show", f.sync()
	case j.State == syncqueue.Parked:
		return Parked, "the publish job is parked: " + reason(*j), retry
	}
	why = "the publish job is " + f.progress(*j)
	if f.paused {
		return Pending, why + ", and the queue is paused", "hookd queue resume"
	}
	return Pending, why, ""
}

// lost says why the catalogue does not hold it.
func (f facts) lost() string {
	switch {
	case f.gone && f.cell != nil:
		return "the repository was deleted: " + f.found()
	case f.gone:
		return "the repository was deleted"
	case f.cell != nil && f.cell.Was > providers.None:
		return "removed: " + f.found()
	case f.cell != nil:
		return "the forge does not grant it: " + f.found()
	case f.holdings.Complete:
		return fmt.Sprintf("the forge does not grant it: it was not in the list of %s, read at %s", f.user.Login, stamp(f.holdings.Checked))
	}
	return "the whole list of " + f.user.Login + " was not read yet, and nothing else told of it"
}

// ask is the line to have the forge asked once more, where that may help.
func (f facts) ask(r Result) string {
	for _, j := range f.unanswered {
		if stuck(&j) {
			return "hookd queue retry " + j.ID
		}
	}
	if r == Unread || f.paused {
		if f.paused {
			return "hookd queue resume"
		}
		return f.sync()
	}
	return ""
}

func (f facts) sync() string { return "hookd sync " + f.provider + "/" + plain(f.user.Login) }

// progress says how far a job that is neither stuck nor done has come.
func (f facts) progress(j syncqueue.Job) string {
	s := string(j.State)
	switch j.State {
	case syncqueue.Ready:
		s = "due"
	case syncqueue.Leased:
		s = "running"
	case syncqueue.Waiting:
		s = "due at " + stamp(j.NotBefore)
	}
	if r := reason(j); r != "" {
		s += " again: " + r
	}
	return s
}

// sum is the verdicts in one line, with the first thing to do.
func (f facts) sum(targets []Verdict) (verdict, fix string) {
	says := make([]string, 0, len(targets))
	for _, v := range targets {
		says = append(says, v.Says)
		if fix == "" {
			fix = v.Fix
		}
	}
	if len(says) > 0 {
		return strings.Join(says, "; "), fix
	}
	if f.held() {
		return fmt.Sprintf("%s holds %s on %s, but no target follows %s", f.user.Login, f.cell.Permission, f.repo.Path, f.provider), ""
	}
	return fmt.Sprintf("%s does not hold %s: %s", f.user.Login, f.repo.Path, f.lost()), ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
