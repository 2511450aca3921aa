package bolt

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/storage"
)

// Retention is how long what nothing depends on any more is kept.
type Retention = storage.Retention

// Options are what an engine needs from outside; the zero value works.
type Options struct {
	Now       func() time.Time // time.Now if nil
	Log       *slog.Logger     // discards if nil
	Retention Retention
	// MaxBytes bounds the live bytes of deliveries and jobs, zero not at all.
	// Over it Maintain drops bodies and then deliveries whose work is done,
	// oldest first; what is still to be done makes Push answer
	// storage.ErrFull. The catalogue does not count, and the file may be
	// larger: it never shrinks while it is open.
	MaxBytes int64
	// NoSync does not wait for the disk. It is for benchmarks and for controls
	// of tests: a store that is opened so promises nothing.
	NoSync bool
}

// A DB is a queue, journal, console and catalogue in one file that belongs to
// one process. It is safe for concurrent use.
type DB struct {
	bolt     *bbolt.DB
	path     string
	now      func() time.Time
	log      *slog.Logger
	keep     Retention
	maxBytes int64
	clock    clock

	line  line
	ahead ahead

	copying atomic.Bool // a backup exists
	room    func(dir string) (int64, error)

	// Of who writes, alone:
	st     state
	seen   *dedupe
	recent *recent
	stuck  time.Time // when there was last nothing to forget
}

// Close ends the engine: requests that were accepted are answered first, later
// ones get storage.ErrClosed. What was written ahead is filed, or stays in its
// log if that fails.
func (db *DB) Close() error {
	if !db.ahead.line.close() {
		return nil
	}
	close(db.ahead.ended)
	db.ahead.filer.Wait()
	if db.ahead.some.Load() {
		if err := db.file(); err != nil {
			db.log.Error("deliveries stay in the write-ahead log until the next start", "err", err)
		}
	}
	db.line.close()
	db.clock.wake()
	if err := errors.Join(db.ahead.wal.close(), db.bolt.Close()); err != nil {
		return fmt.Errorf("bolt: closing %s: %w", db.path, err)
	}
	return nil
}

// Bytes is the size of the data file.
func (db *DB) Bytes() int64 {
	info, err := os.Stat(db.path)
	if err != nil {
		return 0
	}
	return info.Size()
}
