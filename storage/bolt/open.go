package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// schema is the version of what the tables hold. In version 1 the keys of ready
// jobs began with the lane.
const schema = 2

// The keys of the meta table.
var (
	metaSchema = []byte("schema")
	metaID     = []byte("id")
	metaState  = []byte("state")
)

const (
	lockTimeout = time.Second
	// mapSize keeps the mapping from growing for a long time: to grow it the
	// writer has to wait for every read transaction to end.
	mapSize = 1 << 30
)

// Open opens the data file at path, or makes it if there never was one there.
// It refuses, without touching it, a file that it cannot work with, and says
// what to do about it.
func Open(path string, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	id, err := inspect(path)
	if err != nil {
		return nil, err
	}
	bdb, err := openFile(path, o.NoSync)
	if err != nil {
		return nil, err
	}
	db := &DB{
		path: path, now: o.Now, log: o.Log, keep: o.Retention, maxBytes: o.MaxBytes,
		bolt: bdb, seen: newDedupe(), recent: newRecent(), room: roomIn,
		line: newLine(), ahead: ahead{line: newLine(), guids: map[guid]int{}, ended: make(chan struct{})},
		clock: clock{changed: make(chan struct{})},
	}
	if err := db.start(id); err != nil {
		if db.ahead.wal != nil {
			_ = db.ahead.wal.close()
		}
		_ = db.bolt.Close()
		return nil, err
	}
	return db, nil
}

// openFile opens the file with bbolt, after making sure that bbolt can.
func openFile(path string, noSync bool) (*bbolt.DB, error) {
	if err := probe(path); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockTimeout,
		FreelistType:    bbolt.FreelistMapType,
		NoFreelistSync:  true,
		NoSync:          noSync,
		InitialMmapSize: mapSize,
	})
	return db, refused(path, err)
}

// probe reads the whole file, while nobody can write to it.
func probe(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("bolt: opening %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || info.Size() == 0 {
		return err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: true})
	if err != nil {
		return refused(path, err)
	}
	defer func() { _ = db.Close() }()
	if err := verify(f); err != nil {
		return damaged(path, err.Error())
	}
	return nil
}

// refused says what to do about a file that bbolt does not open.
func refused(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("bolt: %s is in use by another process: stop that one, or use its admin API", path)
	case errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("bolt: %s was written in a newer file format: run the hookd that wrote it", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum):
		return damaged(path, "it is no data file of hookd, or its first pages are destroyed")
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("bolt: %w: make it readable and writable for the user that runs hookd", err)
	case err != nil:
		return damaged(path, err.Error())
	}
	return nil
}

func damaged(path, why string) error {
	return fmt.Errorf("bolt: %s cannot be read: %s; restore a backup of it, or move it and %s away to begin anew", path, why, path+marker)
}

// start checks the schema, brings up what is kept in memory, and takes back the
// leases of the process that died.
func (db *DB) start(marked string) error {
	if err := db.check(marked); err != nil {
		return err
	}
	if err := db.tidy(); err != nil {
		return err
	}
	if err := db.view(db.load); err != nil {
		return err
	}
	if err := db.catchUp(); err != nil {
		return err
	}
	if err := db.upgrade(); err != nil {
		return err
	}
	for left := true; left; {
		err := db.update(context.Background(), func(t *txn) error {
			err := t.takeBack(time.Unix(1<<33, 0), maxMoves)
			k, _ := t.bucket(tLeased).Cursor().First()
			left = k != nil
			return err
		})
		if err != nil {
			return err
		}
	}
	return db.view(func(v view) error {
		db.clock.now = schedule{due: maps.Clone(db.st.Ready), turns: maps.Clone(db.st.Turns), next: v.next(), paused: db.st.Paused, seen: db.st.Clock}
		return nil
	})
}

// load reads what is kept in memory. A delivery that cannot be read is only
// not recognised again.
func (db *DB) load(v view) error {
	if _, err := v.get(tMeta, metaState, &db.st); err != nil {
		return err
	}
	return v.each(tDeliveries, nil, func(k, record []byte) (bool, error) {
		g, _, err := cutDelivery(k, record)
		switch {
		case err != nil:
			db.log.Error("passing over a delivery that cannot be read", "delivery", string(k), "err", err)
		case g.guid != "":
			db.seen.add(g, string(k))
		}
		return true, nil
	})
}

// catchUp opens the write-ahead log, of which the next transaction files what
// is left.
func (db *DB) catchUp() error {
	var id string
	err := db.view(func(v view) (err error) {
		id, err = v.store()
		return err
	})
	if err != nil {
		return err
	}
	var lost uint64
	a := &db.ahead
	a.filed, a.stored = db.st.Filed, db.st.Bytes
	if a.wal, a.held, lost, err = openWAL(db.path, id, a.filed, db.bolt.NoSync); err != nil {
		return err
	}
	if lost > 0 {
		db.log.Error("accepted deliveries are missing: the write-ahead log is damaged, or the data file is an older copy; run hookd deliveries backfill", "deliveries", lost)
	}
	for _, p := range a.held {
		a.bytes += p.size()
		a.guids[p.guid]++
	}
	a.some.Store(len(a.held) > 0)
	if len(a.held) > 0 {
		db.log.Info("filing deliveries that were accepted before the end", "deliveries", len(a.held))
		return db.file()
	}
	return nil
}
