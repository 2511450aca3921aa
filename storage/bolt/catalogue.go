package bolt

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// Holdings implements storage.Catalogue.
func (db *DB) Holdings(_ context.Context, provider, userID string) (h storage.Holdings, err error) {
	err = db.view(func(v view) error {
		u, err := v.user(provider, userID)
		if err != nil {
			return err
		}
		h = storage.Holdings{
			User: u.User, Version: u.Version, Complete: u.Complete,
			Floor: u.Floor, Checked: u.Checked, Targets: u.Targets,
		}
		return v.cellsOf(provider, userID, func(repo string, c *cellRecord) error {
			r, err := v.repo(provider, repo)
			h.Cells = append(h.Cells, c.cell(r.Repo))
			return err
		})
	})
	if err != nil {
		return storage.Holdings{}, err
	}
	return h, nil
}

func (v view) user(provider, id string) (u userRecord, err error) {
	ok, err := v.get(tUsers, userKey(provider, id), &u)
	if err == nil && !ok {
		err = storage.ErrUnknown
	}
	return u, err
}

func (v view) repo(provider, id string) (r repoRecord, err error) {
	ok, err := v.get(tRepos, repoKey(provider, id), &r)
	if err == nil && !ok {
		err = storage.ErrUnknown
	}
	return r, err
}

// UserByLogin implements storage.Catalogue.
func (db *DB) UserByLogin(_ context.Context, provider, login string) (out providers.User, err error) {
	err = db.view(func(v view) error {
		_, err := v.claimant(tLogins, provider, login, func(id string) (bool, error) {
			u, err := v.user(provider, id)
			ok := providers.Fold(u.User.Login) == providers.Fold(login)
			if ok {
				out = u.User
			}
			return ok, err
		})
		return err
	})
	return out, err
}

// Repo implements storage.Catalogue.
func (db *DB) Repo(_ context.Context, provider, repoID string) (c storage.Column, err error) {
	err = db.view(func(v view) error {
		c, err = v.column(provider, repoID)
		return err
	})
	return c, err
}

// RepoByPath implements storage.Catalogue.
func (db *DB) RepoByPath(_ context.Context, provider, path string) (c storage.Column, err error) {
	err = db.view(func(v view) error {
		id, err := v.claimant(tPaths, provider, path, func(id string) (bool, error) {
			r, err := v.repo(provider, id)
			return providers.Fold(r.Repo.Path) == providers.Fold(path), err
		})
		if err != nil {
			return err
		}
		c, err = v.column(provider, id)
		return err
	})
	return c, err
}

func (v view) column(provider, repoID string) (storage.Column, error) {
	r, err := v.repo(provider, repoID)
	if err != nil {
		return storage.Column{}, err
	}
	c := storage.Column{Repo: r.Repo, Gone: r.Gone > 0, Floor: r.Floor, Born: r.Born, Seen: r.Seen}
	users, err := v.holdersOf(provider, repoID)
	if err != nil {
		return storage.Column{}, err
	}
	for _, id := range users {
		u, err := v.user(provider, id)
		if err != nil {
			return storage.Column{}, err
		}
		var cell cellRecord
		if _, err := v.get(tCells, cellKey(provider, id, repoID), &cell); err != nil {
			return storage.Column{}, err
		}
		c.Holders = append(c.Holders, storage.Holder{User: u.User, Cell: cell.cell(providers.Repo{})})
	}
	return c, nil
}

// Users implements storage.Catalogue.
func (db *DB) Users(ctx context.Context, q storage.UserQuery, cursor string, limit int) (rows []storage.UserRow, next string, err error) {
	next, err = db.list(ctx, tLogins, q.Provider, cursor, limit, func(v view, provider, id string) (bool, error) {
		u, err := v.user(provider, id)
		if err != nil {
			return false, err
		}
		if !q.CheckedBefore.IsZero() && !u.Checked.Before(q.CheckedBefore) ||
			q.Behind != "" && u.Targets[q.Behind].Version >= u.Version {
			return false, nil
		}
		if len(rows) < limit {
			rows = append(rows, storage.UserRow{
				Provider: provider, User: u.User, Repos: u.Held, Version: u.Version,
				Complete: u.Complete, Checked: u.Checked, Targets: u.Targets,
			})
		}
		return true, nil
	})
	return rows, next, err
}

// Repos implements storage.Catalogue.
func (db *DB) Repos(ctx context.Context, q storage.RepoQuery, cursor string, limit int) (rows []storage.RepoRow, next string, err error) {
	next, err = db.list(ctx, tPaths, q.Provider, cursor, limit, func(v view, provider, id string) (bool, error) {
		r, err := v.repo(provider, id)
		if err != nil {
			return false, err
		}
		if r.Gone > 0 || q.Org != "" && q.Org != r.Repo.Org.ID && providers.Fold(q.Org) != providers.Fold(r.Repo.Org.Name) {
			return false, nil
		}
		if len(rows) < limit {
			rows = append(rows, storage.RepoRow{Provider: provider, Repo: r.Repo, Users: r.Holders, Seen: r.Seen})
		}
		return true, nil
	})
	return rows, next, err
}

// list walks an index of names upwards from after a cursor and counts what fn
// takes, until it took one more than limit: the next page begins after the one
// before that.
func (db *DB) list(ctx context.Context, in table, provider, cursor string, limit int, fn func(v view, provider, id string) (bool, error)) (next string, err error) {
	from, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", storage.ErrCursor
	}
	var prefix []byte
	if provider != "" {
		prefix = join(provider)
	}
	if len(from) == 0 {
		from = prefix
	} else {
		from = append(from, 0)
	}
	taken := 0
	var last []byte
	for rest := true; rest; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		err := db.view(func(v view) error {
			rest = false
			c := v.bucket(in).Cursor()
			n := 0
			for k, _ := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				if n++; n > maxScan {
					from, rest = bytes.Clone(k), true
					return nil
				}
				parts, ok := texts(k, 3)
				if !ok {
					return &DamagedError{Bucket: in.String(), Key: bytes.Clone(k), Reason: "it is no name"}
				}
				took, err := fn(v, parts[0], parts[2])
				if err != nil && !errors.Is(err, storage.ErrUnknown) {
					return err
				}
				if !took {
					continue
				}
				if taken++; taken > limit {
					next = base64.RawURLEncoding.EncodeToString(last)
					return nil
				}
				last = bytes.Clone(k)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return next, nil
}

// Snapshot implements storage.Catalogue.
func (db *DB) Snapshot(_ context.Context, key string) (out []byte, err error) {
	err = db.view(func(v view) error {
		record := v.value(tSnapshots, []byte(key))
		if record == nil {
			return storage.ErrUnknown
		}
		data, err := unseal(tSnapshots, []byte(key), record)
		out = bytes.Clone(data)
		return err
	})
	return out, err
}

// Visible implements storage.Visibles.
func (db *DB) Visible(ctx context.Context, since time.Time) (out []storage.Visible, err error) {
	from := appendTime(nil, since)
	for rest := true; rest; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := db.view(func(v view) error {
			rest = false
			c := v.bucket(tVisible).Cursor()
			n := 0
			for k, record := c.Seek(from); k != nil; k, record = c.Next() {
				if n++; n > maxScan {
					from, rest = bytes.Clone(k), true
					return nil
				}
				var x storage.Visible
				if err := unsealJSON(tVisible, k, record, &x); err != nil {
					return err
				}
				out = append(out, x)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
