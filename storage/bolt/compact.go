package bolt

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// mostlyFree is the size in bytes below which a file is never compacted.
const mostlyFree = 64 << 20

// maxCopy bounds a transaction of a compaction, in bytes.
const maxCopy = 16 << 20

// tidy removes what a process that died left beside the data file, and compacts
// the file if most of it is free: it never shrinks while it is in use. The
// returned database is the one to go on with; that there is no room for a copy
// is no reason not to start.
func (db *DB) tidy() error {
	for _, kind := range []string{".new-*", ".compact-*", ".backup-*"} {
		left, err := filepath.Glob(globEscape(db.path) + kind)
		if err != nil {
			return fmt.Errorf("bolt: %w", err)
		}
		for _, name := range left {
			_ = os.Remove(name)
		}
	}
	used, free, err := usage(db.bolt)
	if err != nil || used+free < mostlyFree || free < used {
		return err
	}
	if err := db.compact(); err != nil {
		db.log.Warn("the data file is mostly free, but was not compacted", "free_bytes", free, "err", err)
		return nil
	}
	db.log.Info("compacted the data file", "used_bytes", used, "freed_bytes", free)
	return nil
}

// usage counts the bytes of pages in use and of free pages.
func usage(bdb *bbolt.DB) (used, free int64, err error) {
	tx, err := bdb.Begin(true) // only the end of a write transaction counts free pages
	if err != nil {
		return 0, 0, err
	}
	size := tx.Size()
	if err := tx.Rollback(); err != nil {
		return 0, 0, err
	}
	free = int64(bdb.Stats().FreePageN) * int64(bdb.Info().PageSize)
	return size - free, free, nil
}

// compact copies what is in use to a new file, which takes the place of the old
// one at once: a crash leaves one of the two.
func (db *DB) compact() error {
	name, err := compacted(db.bolt, db.path)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(name) }()
	if err := os.Rename(name, db.path); err != nil {
		return err
	}
	if err := syncDir(db.path); err != nil {
		return err
	}
	noSync := db.bolt.NoSync
	if err := db.bolt.Close(); err != nil {
		return err
	}
	db.bolt, err = openFile(db.path, noSync)
	return err
}

// compacted writes what is in use to a file beside path, syncs that and returns
// its name.
func compacted(from *bbolt.DB, path string) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".compact-*")
	if err != nil {
		return "", full(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := f.Close(); err != nil {
		return "", err
	}
	to, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return "", full(err)
	}
	err = bbolt.Compact(to, from, maxCopy)
	return f.Name(), full(errors.Join(err, to.Sync(), to.Close()))
}

// Compact compacts the data file of a stopped hookd, and returns its size in
// bytes before and after. The old file stays in its place until the new one was
// read as a whole, found to hold the same, and synced.
func Compact(path string) (before, after int64, err error) {
	was, err := Check(path)
	switch {
	case err != nil:
		return 0, 0, err
	case len(was.Faults) > 0:
		return 0, 0, damaged(path, was.Faults[0])
	}
	from, err := openFile(path, false)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	name, err := compacted(from, path)
	if err != nil {
		return 0, 0, fmt.Errorf("bolt: compacting %s: %w", path, err)
	}
	defer func() { _ = os.Remove(name) }()
	is, err := Check(name)
	switch {
	case err != nil:
		return 0, 0, err
	case len(is.Faults) > 0 || !maps.Equal(is.Buckets, was.Buckets):
		return 0, 0, fmt.Errorf("bolt: compacting %s: the new file does not hold what the old one does, which stays", path)
	}
	if err := os.Rename(name, path); err != nil {
		return 0, 0, fmt.Errorf("bolt: compacting %s: %w", path, err)
	}
	return was.Size, is.Size, syncDir(path)
}

// globEscape makes a path mean itself in a pattern.
func globEscape(path string) string {
	var b []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[', '\\':
			b = append(b, '\\')
		}
		b = append(b, path[i])
	}
	return string(b)
}
