package dronedb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A resolution is what may be granted, and how rows have to be for it.
type resolution struct {
	grant   []string          // ids
	records map[string]record // by id: to be written, or moved out of the way
	note    string            // why something was left for another look
	unsure  error             // the forge could not be asked; the rest is not concerned
}

// lookups is how many questions are asked of the forge at once for one user.
const lookups = 4

// resolve finds out how the rows of repositories have to be: none of those that
// are right already; where the forge says they are, of those that are new or
// renamed; and of whoever still holds one of their names, where he is now.
func (t *Target) resolve(ctx context.Context, db *database, want target.Desired, some []providers.Access) (resolution, error) {
	r := resolver{t: t, db: db, want: want, records: map[string]record{}, blocked: map[string]bool{}}
	if err := r.fetch(ctx, some); err != nil {
		return resolution{}, err
	}
	for {
		changed, err := r.round(ctx)
		if err != nil {
			return resolution{}, err
		}
		if !changed {
			break
		}
	}
	out := resolution{records: r.records, note: r.note, unsure: r.unsure}
	for _, a := range some {
		if !r.blocked[a.Repo.ID] {
			out.grant = append(out.grant, a.Repo.ID)
		}
	}
	return out, nil
}

type resolver struct {
	t       *Target
	db      *database
	want    target.Desired
	records map[string]record
	blocked map[string]bool // ids whose rows stay as they are until another look
	note    string
	unsure  error
}

// block leaves a repository for another look.
func (r *resolver) block(id, format string, args ...any) {
	r.blocked[id] = true
	delete(r.records, id)
	if r.note == "" {
		r.note = fmt.Sprintf(format, args...)
	}
}

// fetch asks for those that have no row, or one under another name.
func (r *resolver) fetch(ctx context.Context, some []providers.Access) error {
	path := map[string]string{}
	for _, a := range some {
		path[a.Repo.ID] = a.Repo.Path
	}
	rows, err := r.read(ctx, slices.Sorted(maps.Keys(path)), nil)
	if err != nil {
		return err
	}
	for _, x := range rows {
		if path[x.uid] == "" || path[x.uid] == x.slug {
			delete(path, x.uid)
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan struct{}, lookups)
	for id, name := range path {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			rec, err := r.ask(ctx, id, func(rec record) bool { return name == "" || rec.slug == name })
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, providers.ErrNotFound):
				r.block(id, "the forge does not know %s any more", name)
			case err != nil:
				r.block(id, "the forge could not be asked for %s", name)
				if r.unsure == nil {
					r.unsure = fmt.Errorf("asking the forge for the addresses of %s: %w", name, err)
				}
			case rec.never:
				r.block(id, "%s is not for Drone any more", rec.slug)
			default:
				r.records[id] = rec
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

var errNoRemote = errors.New("this forge has no call for it")

func (r *resolver) ask(ctx context.Context, id string, fits func(record) bool) (record, error) {
	if r.want.Remote == nil {
		return record{}, errNoRemote
	}
	return r.t.remotes.get(ctx, id, r.want.Remote, fits)
}

func (r *resolver) read(ctx context.Context, uids, slugs []string) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	rows, err := r.db.find(ctx, r.db, uids, slugs, false)
	return rows, r.db.failed(err)
}

// round looks who holds the names that are wanted, and adds where those have to
// go. It reports whether anything changed: whoever moves may meet another one.
// Each round adds or blocks a repository, so that there is a last one.
func (r *resolver) round(ctx context.Context) (changed bool, err error) {
	wanted := map[string]string{} // name -> id
	for _, id := range slices.Sorted(maps.Keys(r.records)) {
		rec := r.records[id]
		if other, twice := wanted[rec.slug]; twice {
			// One of two answers is older than a rename. Whose is not known.
			r.t.remotes.forget(id, other)
			r.block(id, "two repositories are said to be %s", rec.slug)
			r.block(other, "")
			return true, nil
		}
		wanted[rec.slug] = id
	}
	holders, err := r.read(ctx, nil, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return false, err
	}
	for _, h := range holders {
		id := wanted[h.slug]
		if h.uid == id {
			continue
		}
		if _, known := r.records[h.uid]; known { // and goes elsewhere, or it were there twice
			continue
		}
		changed = true
		if r.blocked[h.uid] {
			r.block(id, "its name %s is still another's", h.slug)
			continue
		}
		rec, err := r.ask(ctx, h.uid, func(rec record) bool { return rec.slug != h.slug })
		switch {
		case errors.Is(err, providers.ErrNotFound):
			r.records[h.uid] = setAside(h)
		case err != nil:
			r.blocked[h.uid] = true
			r.block(id, "the forge does not say what became of the former %s", h.slug)
		case rec.slug == h.slug:
			r.blocked[h.uid] = true
			r.block(id, "the forge says that another repository is %s", h.slug)
		default:
			r.records[h.uid] = rec
		}
	}
	return changed, nil
}
