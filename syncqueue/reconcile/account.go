package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue/target"
)

// intents are the accounts that this process saw active after their end was
// written down, and has not touched since. Such a one that is inactive was
// deactivated by somebody else.
type intents struct {
	mu   sync.Mutex
	open map[string]bool // by the key of the record
}

func (i *intents) set(key string, open bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.open == nil {
		i.open = map[string]bool{}
	}
	if open {
		i.open[key] = true
	} else {
		delete(i.open, key)
	}
}

func (i *intents) has(key string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.open[key]
}

// shut ends an account, or says what that would do. d is what was decided of it
// before.
func (e *Engine) shut(ctx context.Context, t Target, u providers.User, f *farewell, d storage.Departure, dry bool) error {
	f.record = nil
	how := target.Leaving{Admins: t.OffboardAdmins, Dry: dry, Owned: d.Owned}
	how.Heirs = func(ctx context.Context, id string) ([]string, error) { return e.heirs(ctx, t, id, u) }
	got, err := t.Driver.(target.Offboarder).Deactivate(ctx, u, how)
	if got.Tried || err == nil && !dry {
		defer e.intents.set(f.key, false)
	}
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
	ours := d.State.Ours() && !e.intents.has(f.key)
	switch {
	case got.Exempt != "":
		d.State, d.Note = storage.Exempt, got.Exempt
	case got.Already && !ours:
		d.State, d.Note = storage.Inactive, "his account was inactive before"
	case dry && !got.Already:
		d.State, d.Listed, d.Owned = storage.Reported, got.Listed, got.Owned
		d.Note = enumerate("he is listed", got.Listed) + "; " + enumerate("he owns", slices.Sorted(maps.Keys(got.Owned)))
	default:
		if !got.Already || d.Listed == nil { // else it was noted while he was listed
			d.Listed = got.Listed
		}
		d.State, d.Owned, d.Owners = storage.Deactivated, nil, got.Owners
		d.Note = enumerate("he was listed", d.Listed) + "; " + owners(got.Owners)
		f.check = true
	}
	f.record, f.note = &d, string(d.State)+": "+d.Note
	if d.State != storage.Reported || t.Offboard == target.OffboardReport {
		e.auditAccount(t, u, string(d.State), d.Note)
	}
	return nil
}

func (e *Engine) auditAccount(t Target, u providers.User, what, note string) {
	e.cfg.Log.Info("audit", "target", t.Name, "provider", t.Provider, "user", u.Login, "offboarding", what, "note", note)
}

// seenActive looks at an account whose end another process wrote down. If it is
// inactive, that process may have done it.
func (e *Engine) seenActive(ctx context.Context, t Target, u providers.User, key string) error {
	if e.intents.has(key) {
		return nil
	}
	got, err := t.Driver.(target.Offboarder).Deactivate(ctx, u, target.Leaving{Admins: t.OffboardAdmins, Dry: true})
	switch {
	case errors.Is(err, target.ErrNoAccount), errors.Is(err, target.ErrNoAdministrator):
		return nil // as will be found again
	case err != nil:
		return err
	}
	e.intents.set(key, !got.Already && got.Exempt == "")
	return nil
}

// overruled looks whether somebody let a user in again whom hookd deactivated
// long ago. That one's word goes from then on.
func (e *Engine) overruled(ctx context.Context, t Target, u providers.User, f *farewell, was storage.Departure) error {
	got, err := t.Driver.(target.Offboarder).Deactivate(ctx, u, target.Leaving{Admins: t.OffboardAdmins, Dry: true})
	switch {
	case errors.Is(err, target.ErrNoAccount), errors.Is(err, target.ErrNoAdministrator):
		return nil
	case err != nil:
		return err
	case got.Already || got.Exempt != "":
		return nil
	}
	was.State, was.Note, was.At = storage.Exempt, "somebody let him in again", e.cfg.Now()
	f.record, f.note = &was, string(was.State)+": "+was.Note
	e.auditAccount(t, u, string(was.State), was.Note)
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

// endedBefore reports whether hookd deactivated an account.
func (e *Engine) endedBefore(ctx context.Context, p *provider, t Target, u providers.User) (bool, error) {
	if !t.offboards() {
		return false, nil
	}
	var was storage.Departure
	err := e.load(ctx, storage.DepartureKey(t.Name, p.Name, u.ID), &was)
	return err == nil && was.State == storage.Deactivated, err
}
