package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

const (
	// relapse is how long an account that hookd deactivated and that is active
	// again is taken for what a sync wrote back. Later it is somebody's wish.
	relapse = 24 * time.Hour

	// courtesy is how many attempts of a publish may fail over somebody's
	// account. Then he loses his access first.
	courtesy = 3

	// settled is how long a decision stands without asking the forge again.
	settled = time.Minute
)

// offboards reports whether leaving means anything to a target's accounts.
func (t Target) offboards() bool {
	_, can := t.Driver.(target.Offboarder)
	return can && t.Offboard != "" && t.Offboard != target.OffboardNever
}

// A farewell is what a publish job does to an account beside the lists. The zero
// value does nothing.
type farewell struct {
	key    string
	record *storage.Departure // to be kept, unless gone
	gone   bool               // the record is: he is back
	check  bool               // the account is looked at once more after the sync
	note   string
	parks  string             // why an operator is needed
	owed   error              // why his account is not yet what it is to be
	before *syncqueue.Outcome // what the job ends with instead of a sync
}

// part decides on the account of whoever lost everything, before a sync takes
// from him what others are to own. What it is about to do is written down first:
// whoever comes back is let in again only if hookd had shut him out.
func (e *Engine) part(ctx context.Context, p *provider, t Target, l syncqueue.Lease, h storage.Holdings) (farewell, error) {
	if !t.offboards() {
		return farewell{}, nil
	}
	f, err := e.farewellTo(ctx, p, t, l, h)
	if err != nil && l.Job.Attempts > courtesy {
		return farewell{owed: err}, nil
	}
	return f, err
}

func untouched(why string) farewell {
	return farewell{note: "his account is left as it is: " + why}
}

func (e *Engine) farewellTo(ctx context.Context, p *provider, t Target, l syncqueue.Lease, h storage.Holdings) (farewell, error) {
	f := farewell{key: storage.DepartureKey(t.Name, p.Name, h.User.ID)}
	var was storage.Departure
	if err := e.load(ctx, f.key, &was); err != nil {
		return f, err
	}
	now := e.cfg.Now()
	var err error
	switch {
	case !left(h):
		return f, e.back(ctx, t, h.User, was, &f)
	case was.State == storage.Departing:
		return e.resume(ctx, p, t, h.User, was)
	case was.State == storage.Held && !l.Job.Force:
		f.parks = was.Note
		return f, nil
	case was.State == storage.Deactivated:
		f.check, f.note = now.Sub(was.At) < relapse, string(was.State)+": "+was.Note
		if !f.check {
			err = e.overruled(ctx, t, h.User, &f, was)
		}
		return f, err
	case was.State != "" && was.State != storage.Held:
		return f, nil
	}
	return e.leave(ctx, p, t, l, h.User)
}

// resume does what was decided, usually a moment ago, and perhaps by a process
// that died of it.
func (e *Engine) resume(ctx context.Context, p *provider, t Target, u providers.User, was storage.Departure) (farewell, error) {
	f := farewell{key: storage.DepartureKey(t.Name, p.Name, u.ID)}
	if e.cfg.Now().Sub(was.At) > settled {
		switch why, err := e.departed(ctx, p, u); {
		case err != nil:
			return f, err
		case why != "":
			return untouched(why), nil
		}
	}
	if err := e.seenActive(ctx, t, u, f.key); err != nil {
		return f, err
	}
	was.At = e.cfg.Now()
	return f, e.shut(ctx, t, u, &f, was, t.Offboard != target.OffboardDeactivate)
}

// leave decides on somebody of whom nothing was decided yet.
func (e *Engine) leave(ctx context.Context, p *provider, t Target, l syncqueue.Lease, u providers.User) (farewell, error) {
	f := farewell{key: storage.DepartureKey(t.Name, p.Name, u.ID)}
	why, err := e.departed(ctx, p, u)
	switch {
	case err != nil:
		return f, err
	case why != "":
		return untouched(why), nil
	}
	d := storage.Departure{Login: u.Login, At: e.cfg.Now()}
	switch many, err := e.leavers(ctx, p, t); {
	case err != nil:
		return f, err
	case many > leaversAtOnce && !l.Job.Force:
		d.State = storage.Held
		d.Note = fmt.Sprintf("held: at least %d people left at once, so no account is deactivated; release with: hookd queue retry %s", many, l.Job.ID)
		f.record, f.parks = &d, d.Note
		if e.cfg.Held != nil {
			e.cfg.Held(t.Name)
		}
		return f, nil
	}
	if err := e.shut(ctx, t, u, &f, d, true); err != nil {
		return f, err
	}
	if t.Offboard == target.OffboardDeactivate && f.record != nil && f.record.State == storage.Reported {
		f.record.State = storage.Departing
		e.intents.set(f.key, true)
		f.before = &syncqueue.Outcome{
			Result: syncqueue.ResultAgain, Next: e.cfg.Now(), Change: f.change(t),
			Note: "he left every organization: his account is about to be deactivated",
		}
	}
	return f, nil
}

// back lets in again whom hookd had shut out.
func (e *Engine) back(ctx context.Context, t Target, u providers.User, was storage.Departure, f *farewell) error {
	if was.State == "" {
		return nil
	}
	f.gone = true
	if !was.State.Ours() || e.intents.has(f.key) {
		return nil
	}
	err := t.Driver.(target.Offboarder).Reactivate(ctx, u)
	switch {
	case errors.Is(err, target.ErrNoAccount):
		return nil
	case err != nil:
		return err
	}
	// Written down before anything else may fail: whoever deactivates him from
	// now on means it.
	const note = "he is back, and his account active again"
	f.before = &syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: e.cfg.Now(), Change: f.change(t), Note: note}
	e.auditAccount(t, u, "reactivated", note)
	return nil
}

// parted ends a publish job with what became of the account.
func (e *Engine) parted(ctx context.Context, t Target, u providers.User, f farewell, o syncqueue.Outcome, err error) (syncqueue.Outcome, error) {
	if unstuck := e.stuck(ctx, t, u, &f); unstuck != nil {
		return syncqueue.Outcome{}, errors.Join(err, unstuck)
	}
	if err == nil && f.owed != nil {
		err = fmt.Errorf("his access ended, but not his account: %w", f.owed)
	}
	if err != nil {
		return o, err
	}
	if c := f.change(t); c != nil {
		o.Change = c
	}
	note := f.note
	if f.parks != "" && (o.Result == "" || o.Result == syncqueue.ResultDone || o.Result == syncqueue.ResultHidden) {
		o.Result, note = syncqueue.ResultParked, f.parks
		if o.Note != "" {
			note += " (" + o.Note + ")"
		}
		o.Note = note
		return o, nil
	}
	if note != "" {
		o.Note = strings.TrimPrefix(o.Note+"; "+note, "; ")
	}
	return o, nil
}

// change keeps the record.
func (f farewell) change(t Target) *storage.Change {
	c := &storage.Change{Provider: t.Provider}
	switch {
	case f.gone:
		c.Snapshots = map[string][]byte{f.key: nil}
	case f.record != nil:
		c.Snapshots = map[string][]byte{f.key: f.record.Snapshot()}
	default:
		return nil
	}
	return c
}

// mostNamed bounds the names in one note; the record has all of them.
const mostNamed = 50

func enumerate(what string, names []string) string {
	if len(names) == 0 {
		return what + " nothing"
	}
	text := strings.Join(names[:min(len(names), mostNamed)], ", ")
	if more := len(names) - mostNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s %d: %s", what, len(names), text)
}

func owners(of map[string]string) string {
	names := make([]string, 0, len(of))
	for slug, owner := range of {
		if owner == "" {
			owner = "nobody"
		}
		names = append(names, slug+" to "+owner)
	}
	slices.Sort(names)
	return enumerate("handed over", names)
}
