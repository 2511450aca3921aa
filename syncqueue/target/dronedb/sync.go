package dronedb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// batch is how many repositories one transaction grants at most, so that a
// user's first fill does not keep Drone waiting.
const batch = 100

// Sync makes Drone's database show u what want says. It asks the forge for what
// Drone has no right row of, at most once a minute for each repository, and for
// his count before anything is taken from him.
func (t *Target) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	var res target.Result
	err := t.observed(func() (err error) {
		res, err = t.sync(ctx, u.Login, want)
		return err
	})
	if err != nil {
		return target.Result{Before: -1, After: -1}, fmt.Errorf("dronedb: sync of %q: %w", u.Login, err)
	}
	return res, nil
}

func (t *Target) sync(ctx context.Context, login string, want target.Desired) (target.Result, error) {
	db, err := t.ready(ctx, false)
	if err != nil {
		return target.Result{}, err
	}
	who, before, err := db.look(ctx, login)
	if err != nil {
		return target.Result{}, err
	}
	p := planFor(want, before)
	if p.empty() {
		return judge(want, before, before), nil
	}
	if err := t.guard(ctx, want, p, before); err != nil {
		return target.Result{}, err
	}
	wrote, note, err := t.write(ctx, db, who.id, want, p)
	if err != nil {
		return target.Result{}, err
	}
	_, after, err := db.look(ctx, login)
	if err != nil {
		return target.Result{}, err
	}
	res := judge(want, before, after)
	res.Synced, res.Note = wrote, note
	return res, nil
}

// look finds the user and what Drone has of him.
func (d *database) look(ctx context.Context, login string) (account, map[string]row, error) {
	// What PostgreSQL takes for no text is nobody's login.
	if login == "" || strings.ContainsRune(login, 0) || !utf8.ValidString(login) {
		return account{}, nil, target.ErrNoAccount
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	who, err := d.account(ctx, login)
	if err != nil {
		return who, nil, err
	}
	have, err := d.list(ctx, who.id)
	return who, have, err
}

// guard asks for the forge's own count before anything is taken: an operator
// decides when that says that more is gone than anybody explained, or nothing is
// taken when it cannot be had. Granting takes nothing away here, other than a
// sync of Drone's own, and is not guarded.
func (t *Target) guard(ctx context.Context, want target.Desired, p plan, have map[string]row) error {
	if len(p.take) == 0 || want.Count == nil {
		return nil
	}
	n, err := want.Count(ctx)
	if err != nil {
		return fmt.Errorf("asking the forge for the size of the list: %w", err)
	}
	explained := 0
	for _, id := range p.take {
		if have[id].listed {
			explained++
		}
	}
	if n != target.Unknown && !want.Force && t.cfg.Guard.Holds(shown(have), n, explained) {
		return &target.HeldError{Have: shown(have), Expect: n, Explained: explained, Reason: fmt.Sprintf("the forge counts %d of %d", n, shown(have))}
	}
	return nil
}

// write carries out a plan. What it takes goes first, whatever becomes of the
// rest. It tells whether there was anything to write, and why some of it was left
// for another look.
func (t *Target) write(ctx context.Context, db *database, user int64, want target.Desired, p plan) (wrote bool, note string, err error) {
	if len(p.take) > 0 {
		if err := t.apply(ctx, db, change{user: user, take: p.take}); err != nil {
			return false, "", err
		}
		wrote = true
	}
	var unsure error
	for start := 0; start < len(p.grant); start += batch {
		some := p.grant[start:min(start+batch, len(p.grant))]
		for try := 1; ; try++ {
			r, err := t.resolve(ctx, db, want, some)
			if err != nil {
				return false, "", err
			}
			if unsure == nil {
				unsure = r.unsure
			}
			if note == "" {
				note = r.note
			}
			c := change{user: user, grant: r.grant, records: r.records}
			if err = t.apply(ctx, db, c); errors.Is(err, errRaced) && try < tries {
				continue
			}
			if err != nil {
				return false, "", err
			}
			wrote = wrote || !c.empty()
			break
		}
	}
	return wrote, note, unsure
}
