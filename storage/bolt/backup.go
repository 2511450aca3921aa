package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/storage"
)

// backupSpare is what a backup leaves free on the disk, in bytes, for the store
// to go on.
const backupSpare = 64 << 20

// Backup implements storage.Backuper. The copy is made on disk, beside the data
// file: the read transaction ends with it, and a slow reader cannot keep it
// open.
func (db *DB) Backup(ctx context.Context) (_ storage.Backup, err error) {
	if !db.copying.CompareAndSwap(false, true) {
		return nil, storage.ErrCopying
	}
	c := &backup{db: db}
	defer func() {
		if err != nil {
			_ = c.Close()
		}
	}()
	if c.file, err = os.CreateTemp(filepath.Dir(db.path), filepath.Base(db.path)+".backup-*"); err != nil {
		return nil, fmt.Errorf("bolt: backup: %w", full(err))
	}
	err = db.settled(func(v view) error {
		c.size = v.tx.Size()
		room, err := db.room(filepath.Dir(db.path))
		if err != nil {
			return err
		}
		if room-backupSpare < c.size {
			return fmt.Errorf("%w: it takes %d bytes, and there are %d", storage.ErrNoRoom, c.size, room)
		}
		_, err = v.tx.WriteTo(writerFunc(func(p []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return c.file.Write(p)
		}))
		if err != nil && ctx.Err() != nil {
			return ctx.Err() // bbolt keeps no more than its text
		}
		return err
	})
	if err == nil {
		_, err = c.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("bolt: backup: %w", full(err))
	}
	return c, nil
}

// A backup is a copy in a file of its own, which goes when it is closed.
type backup struct {
	db   *DB
	file *os.File
	size int64
}

func (c *backup) Size() int64                { return c.size }
func (c *backup) Read(p []byte) (int, error) { return c.file.Read(p) }

func (c *backup) Close() error {
	defer c.db.copying.Store(false)
	if c.file == nil {
		return nil
	}
	return errors.Join(c.file.Close(), os.Remove(c.file.Name()))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// roomIn is how many bytes may be written to the disk of a folder.
func roomIn(dir string) (int64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// CopyFile writes a consistent copy of the data file of a stopped hookd, which
// cannot start meanwhile.
func CopyFile(path string, w io.Writer) (err error) {
	s, err := Look(path)
	if err == nil {
		err = s.stopped(path)
	}
	if err != nil {
		return err
	}
	bdb, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: true})
	if err != nil {
		return refused(path, err)
	}
	defer func() { err = errors.Join(err, bdb.Close()) }()
	return bdb.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}
