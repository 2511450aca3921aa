package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/syncqueue"
)

// marker is appended to the data file's path. The file of that name holds the
// store's identity: bbolt would take a data file that vanished, or that has no
// bytes any more, for a new store, and hookd would begin anew in silence.
const marker = ".id"

// inspect refuses what must not even be opened, and returns the identity that
// the marker tells, "" if there is none. If there never was a store it makes
// an empty one.
func inspect(path string) (marked string, err error) {
	text, err := os.ReadFile(path + marker)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("bolt: reading the marker: %w", err)
	}
	marked, _, _ = strings.Cut(string(text), "\n")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && marked != "":
		return "", fmt.Errorf("bolt: %s is gone, but %s says that it was there: restore a backup of it, or remove the marker to begin anew", path, path+marker)
	case errors.Is(err, fs.ErrNotExist):
		return "", create(path)
	case err != nil:
		return "", fmt.Errorf("bolt: opening %s: %w", path, err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("bolt: %s is no regular file", path)
	case info.Size() == 0:
		return "", fmt.Errorf("bolt: %s is empty: restore a backup of it, or remove it and %s to begin anew", path, path+marker)
	case info.Mode().Perm()&0o200 == 0:
		return "", fmt.Errorf("bolt: %s is read-only: make it writable for the user that runs hookd", path)
	}
	return marked, nil
}

// create makes an empty store. It is made under another name first: a process
// that dies here must not leave half a store behind, and one that begins at the
// same time must not lose its own.
func create(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("bolt: creating %s: %w", path, full(err))
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := f.Close(); err != nil {
		return fmt.Errorf("bolt: creating %s: %w", path, err)
	}
	bdb, err := openFile(f.Name(), false)
	if err != nil {
		return err
	}
	err = bdb.Update(func(tx *bbolt.Tx) error {
		for t := range tables {
			if _, err := tx.CreateBucket([]byte(t.String())); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte(tMeta.String()))
		id := []byte(syncqueue.NewID(time.Now()))
		state, err := sealJSON(metaState, state{})
		return errors.Join(err,
			meta.Put(metaSchema, seal(metaSchema, []byte{schema})),
			meta.Put(metaID, seal(metaID, id)),
			meta.Put(metaState, state))
	})
	if err = errors.Join(err, bdb.Close()); err != nil {
		return fmt.Errorf("bolt: creating %s: %w", path, full(err))
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		// Some file systems have no links.
		if err := os.Rename(f.Name(), path); err != nil {
			return fmt.Errorf("bolt: creating %s: %w", path, err)
		}
	}
	return syncDir(path)
}

// check makes sure that the open file is hookd's, of a known schema, and the one
// that the marker tells of.
func (db *DB) check(marked string) error {
	var id string
	var younger []table
	err := db.view(func(v view) error {
		if v.bucket(tMeta) == nil {
			return fmt.Errorf("bolt: %s is a bbolt file, but not hookd's", db.path)
		}
		version, err := unseal(tMeta, metaSchema, v.value(tMeta, metaSchema))
		if err != nil {
			return err
		}
		if len(version) != 1 || version[0] < 1 || version[0] > schema {
			return fmt.Errorf("bolt: %s has schema %v, this hookd knows %d: run the hookd that wrote it", db.path, version, schema)
		}
		id, err = v.store()
		for t := range tables {
			switch {
			case v.bucket(t) != nil:
			case t.later():
				younger = append(younger, t)
			default:
				return damaged(db.path, "the bucket "+t.String()+" is missing")
			}
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case marked == "":
		return errors.Join(mark(db.path, id), db.grow(younger))
	case marked != id:
		return fmt.Errorf("bolt: %s is store %s, but %s tells of store %s: put the right file there, or remove the marker if this is the one you want", db.path, id, db.path+marker, marked)
	}
	return db.grow(younger)
}

// grow makes tables that are younger than the file.
func (db *DB) grow(younger []table) error {
	if len(younger) == 0 {
		return nil
	}
	return full(db.bolt.Update(func(tx *bbolt.Tx) error {
		for _, t := range younger {
			if _, err := tx.CreateBucket([]byte(t.String())); err != nil {
				return fmt.Errorf("bolt: making the bucket %s: %w", t, err)
			}
		}
		return nil
	}))
}

// mark writes the marker.
func mark(path, id string) error {
	text := id + "\nThis file belongs to " + filepath.Base(path) + ". While it is here, hookd does not start without that.\n"
	tmp := path + marker + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("bolt: writing the marker: %w", full(err))
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path+marker)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return fmt.Errorf("bolt: writing the marker: %w", full(err))
	}
	return syncDir(path)
}

// syncDir makes the names in the folder of path durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("bolt: syncing the data folder: %w", err)
	}
	return nil
}
