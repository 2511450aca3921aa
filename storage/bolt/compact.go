package bolt

import (
	"errors"
	"fmt"
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
	f, err := os.CreateTemp(filepath.Dir(db.path), filepath.Base(db.path)+".compact-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if err := f.Close(); err != nil {
		return err
	}
	to, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = bbolt.Compact(to, db.bolt, maxCopy)
	if err = errors.Join(err, to.Sync(), to.Close()); err != nil {
		return full(err)
	}
	if err := os.Rename(f.Name(), db.path); err != nil {
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
