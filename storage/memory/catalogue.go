package memory

import (
	"cmp"
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// Holdings implements storage.Catalogue.
func (db *DB) Holdings(_ context.Context, provider, userID string) (storage.Holdings, error) {
	unlock, err := db.open()
	if err != nil {
		return storage.Holdings{}, err
	}
	defer unlock()
	u := db.users[id{provider, userID}]
	if u == nil {
		return storage.Holdings{}, storage.ErrUnknown
	}
	h := storage.Holdings{
		User: u.User, Version: u.version, Complete: u.complete,
		Floor: u.floor, Checked: u.checked, Targets: maps.Clone(u.targets),
	}
	for at, c := range db.cells.ofUser[id{provider, userID}] {
		x := cloneCell(*c)
		x.Repo = db.repos[at.byRepo()].Repo
		h.Cells = append(h.Cells, x)
	}
	slices.SortFunc(h.Cells, func(a, b storage.Cell) int { return cmp.Compare(a.Repo.ID, b.Repo.ID) })
	return h, nil
}

// UserByLogin implements storage.Catalogue.
func (db *DB) UserByLogin(_ context.Context, provider, login string) (providers.User, error) {
	unlock, err := db.open()
	if err != nil {
		return providers.User{}, err
	}
	defer unlock()
	var best *user
	for at, u := range db.users {
		if at.provider == provider && providers.Fold(u.Login) == providers.Fold(login) && (best == nil || u.claim > best.claim) {
			best = u
		}
	}
	if best == nil {
		return providers.User{}, storage.ErrUnknown
	}
	return best.User, nil
}

// Repo implements storage.Catalogue.
func (db *DB) Repo(_ context.Context, provider, repoID string) (storage.Column, error) {
	unlock, err := db.open()
	if err != nil {
		return storage.Column{}, err
	}
	defer unlock()
	return db.column(provider, db.repos[id{provider, repoID}])
}

// RepoByPath implements storage.Catalogue.
func (db *DB) RepoByPath(_ context.Context, provider, path string) (storage.Column, error) {
	unlock, err := db.open()
	if err != nil {
		return storage.Column{}, err
	}
	defer unlock()
	var best *repo
	for at, r := range db.repos {
		if at.provider == provider && providers.Fold(r.Path) == providers.Fold(path) && (best == nil || r.claim > best.claim) {
			best = r
		}
	}
	return db.column(provider, best)
}

// Former implements storage.Catalogue.
func (db *DB) Former(_ context.Context, provider string, kind providers.SubjectKind, name string) (string, error) {
	unlock, err := db.open()
	if err != nil {
		return "", err
	}
	defer unlock()
	best, newest := "", uint64(0)
	for a, claim := range db.former {
		if a.provider == provider && a.kind == kind && a.name == providers.Fold(name) && (best == "" || claim > newest) {
			best, newest = a.id, claim
		}
	}
	if best == "" {
		return "", storage.ErrUnknown
	}
	return best, nil
}

func (db *DB) column(provider string, r *repo) (storage.Column, error) {
	if r == nil {
		return storage.Column{}, storage.ErrUnknown
	}
	c := storage.Column{Repo: r.Repo, Gone: r.gone > 0, Floor: r.floor, Born: r.born, Seen: r.seen}
	for at, cell := range db.cells.ofRepo[id{provider, r.ID}] {
		c.Holders = append(c.Holders, storage.Holder{User: db.users[at.byUser()].User, Cell: cloneCell(*cell)})
	}
	slices.SortFunc(c.Holders, func(a, b storage.Holder) int { return cmp.Compare(a.User.ID, b.User.ID) })
	return c, nil
}

// Users implements storage.Catalogue.
func (db *DB) Users(_ context.Context, q storage.UserQuery, cursor string, limit int) ([]storage.UserRow, string, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	held := map[id]int{}
	for at, c := range db.cells.all() {
		if c.Permission > providers.None {
			held[id{at.provider, at.user}]++
		}
	}
	rows := map[string]storage.UserRow{}
	for at, u := range db.users {
		if q.Provider != "" && at.provider != q.Provider ||
			!q.CheckedBefore.IsZero() && !u.checked.Before(q.CheckedBefore) ||
			q.Behind != "" && u.targets[q.Behind].Version >= u.version {
			continue
		}
		rows[ordinal(at.provider, u.Login, u.ID)] = storage.UserRow{
			Provider: at.provider, User: u.User, Repos: held[at], Version: u.version,
			Complete: u.complete, Checked: u.checked, Targets: maps.Clone(u.targets),
		}
	}
	return page(rows, cursor, limit)
}

// Repos implements storage.Catalogue.
func (db *DB) Repos(_ context.Context, q storage.RepoQuery, cursor string, limit int) ([]storage.RepoRow, string, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	holders := map[id]int{}
	for at, c := range db.cells.all() {
		if c.Permission > providers.None {
			holders[id{at.provider, at.repo}]++
		}
	}
	rows := map[string]storage.RepoRow{}
	for at, r := range db.repos {
		if r.gone > 0 || q.Provider != "" && at.provider != q.Provider ||
			q.Org != "" && q.Org != r.Org.ID && providers.Fold(q.Org) != providers.Fold(r.Org.Name) {
			continue
		}
		rows[ordinal(at.provider, r.Path, r.ID)] = storage.RepoRow{
			Provider: at.provider, Repo: r.Repo, Users: holders[at], Seen: r.seen,
		}
	}
	return page(rows, cursor, limit)
}

// Snapshot implements storage.Catalogue.
func (db *DB) Snapshot(_ context.Context, key string) ([]byte, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	v, ok := db.snapshots[key]
	if !ok {
		return nil, storage.ErrUnknown
	}
	return slices.Clone(v), nil
}

// Visible implements storage.Visibles.
func (db *DB) Visible(_ context.Context, since time.Time) ([]storage.Visible, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var out []storage.Visible
	for _, v := range db.visible {
		if !v.At.Before(since) {
			out = append(out, v)
		}
	}
	return out, nil
}

// ordinal is a row's place in a listing.
func ordinal(provider, label, id string) string {
	return provider + "\x00" + providers.Fold(label) + "\x00" + id
}

// page returns up to limit rows after the cursor, in the order of their keys.
func page[R any](rows map[string]R, cursor string, limit int) (out []R, next string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, "", storage.ErrCursor
	}
	keys := slices.Sorted(maps.Keys(rows))
	i, found := slices.BinarySearchFunc(keys, string(after), strings.Compare)
	if found {
		i++
	}
	for ; i < len(keys); i++ {
		if len(out) == limit {
			return out, base64.RawURLEncoding.EncodeToString([]byte(keys[i-1])), nil
		}
		out = append(out, rows[keys[i]])
	}
	return out, "", nil
}
