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
	// account. Then he loses his access without further ado.
	courtesy = 3
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
		return untouched(err.Error()), nil
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
	switch {
	case !left(h):
		return f, e.back(ctx, t, h.User, was, &f)
	case was.State == storage.Departing: // decided a moment ago
	case was.State == storage.Held && !l.Job.Force:
		f.parks = was.Note
		return f, nil
	case was.State == storage.Deactivated:
		f.check, f.note = now.Sub(was.At) < relapse, string(was.State)+": "+was.Note
		return f, nil
	case was.State != "" && was.State != storage.Held:
		return f, nil
	default:
		return e.leave(ctx, p, t, l, h.User)
	}
	was.At = now
	return f, e.shut(ctx, t, h.User, &f, was, t.Offboard != target.OffboardDeactivate)
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
		f.before = &syncqueue.Outcome{
			Result: syncqueue.ResultAgain, Next: e.cfg.Now(), Change: f.change(t),
			Note: "he left every organization: his account is about to be deactivated",
		}
	}
	return f, nil
}

// shut ends an account, or says what that would do.
func (e *Engine) shut(ctx context.Context, t Target, u providers.User, f *farewell, d storage.Departure, dry bool) error {
	f.record = nil
	heirs := func(ctx context.Context, id string) ([]string, error) { return e.heirs(ctx, t, id, u) }
	got, err := t.Driver.(target.Offboarder).Deactivate(ctx, u, target.Leaving{Admins: t.OffboardAdmins, Dry: dry, Heirs: heirs})
	switch {
	case errors.Is(err, target.ErrNoAccount):
		f.gone = d.State != ""
		return nil
	case errors.Is(err, target.ErrNoAdministrator):
		f.note = untouched(err.Error()).note
		return nil
	case err != nil:
		return err
	}
	switch {
	case got.Exempt != "":
		d.State, d.Note = storage.Exempt, got.Exempt
	case got.Already && !d.State.Ours():
		d.State, d.Note = storage.Inactive, "his account was inactive before"
	case dry:
		d.State, d.Listed = storage.Reported, got.Listed
		d.Note = enumerate("he is listed", got.Listed) + "; " + enumerate("he owns", got.Owned)
	default:
		d.State, d.Listed, d.Owners = storage.Deactivated, got.Listed, got.Owners
		d.Note = enumerate("he was listed", got.Listed) + "; " + owners(got.Owners)
		f.check = true
	}
	f.record, f.note = &d, string(d.State)+": "+d.Note
	if d.State != storage.Reported || t.Offboard == target.OffboardReport {
		e.cfg.Log.Info("audit", "target", t.Name, "provider", t.Provider, "user", u.Login, "offboarding", string(d.State), "note", d.Note)
	}
	return nil
}

// heirs are who else administers a repository as far as is known.
func (e *Engine) heirs(ctx context.Context, t Target, id string, leaver providers.User) ([]string, error) {
	col, err := e.cfg.Store.Repo(ctx, t.Provider, id)
	if errors.Is(err, storage.ErrUnknown) {
		return nil, nil
	}
	var logins []string
	for _, h := range col.Holders {
		if h.User.ID != leaver.ID && h.Cell.Permission == providers.Admin {
			logins = append(logins, h.User.Login)
		}
	}
	return logins, err
}

// back lets in again whom hookd had shut out.
func (e *Engine) back(ctx context.Context, t Target, u providers.User, was storage.Departure, f *farewell) error {
	if was.State == "" {
		return nil
	}
	f.gone = true
	if !was.State.Ours() {
		return nil
	}
	err := t.Driver.(target.Offboarder).Reactivate(ctx, u)
	switch {
	case errors.Is(err, target.ErrNoAccount):
		return nil
	case err != nil:
		return err
	}
	f.note = "he is back, and his account active again"
	e.cfg.Log.Info("audit", "target", t.Name, "provider", t.Provider, "user", u.Login, "offboarding", "reactivated")
	return nil
}

// stuck looks at an account once more after the sync, and ends it anew if a sync
// that began before has written back that it is active.
func (e *Engine) stuck(ctx context.Context, t Target, u providers.User, f *farewell) error {
	if !f.check {
		return nil
	}
	for range 3 {
		got, err := t.Driver.(target.Offboarder).Deactivate(ctx, u, target.Leaving{Admins: t.OffboardAdmins})
		switch {
		case errors.Is(err, target.ErrNoAccount):
			return nil
		case err != nil:
			return fmt.Errorf("looking whether his account stays inactive: %w", err)
		case got.Already || got.Exempt != "":
			return nil
		}
		e.cfg.Log.Warn("an account that was deactivated was active again, and is deactivated anew", "target", t.Name, "user", u.Login)
	}
	return errors.New("his account does not stay inactive")
}

// parted ends a publish job with what became of the account.
func (e *Engine) parted(ctx context.Context, t Target, u providers.User, f farewell, o syncqueue.Outcome, err error) (syncqueue.Outcome, error) {
	if unstuck := e.stuck(ctx, t, u, &f); unstuck != nil {
		return syncqueue.Outcome{}, errors.Join(err, unstuck)
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

// relapsed reports whether an account is active although hookd deactivated it a
// while ago.
func (e *Engine) relapsed(ctx context.Context, p *provider, t Target, u providers.User) (bool, error) {
	if !t.offboards() {
		return false, nil
	}
	var was storage.Departure
	err := e.load(ctx, storage.DepartureKey(t.Name, p.Name, u.ID), &was)
	return err == nil && was.State == storage.Deactivated && e.cfg.Now().Sub(was.At) < relapse, err
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
