package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// A Sight is what a look at a data file shows.
type Sight struct {
	Exists bool // false where there never was one
	InUse  bool // by a process that writes to it, which is all that is known then
	Size   int64
	Schema int
	// Marked is whether the marker that guards against a lost file is there.
	Marked bool
}

// lookTimeout is how long a look waits for the file's lock.
const lookTimeout = 200 * time.Millisecond

// Look says what Open would find at path, and changes nothing. The error is one
// that Open would return. Every page is read.
func Look(path string) (s Sight, err error) {
	_, err = os.Stat(path + marker)
	s.Marked = err == nil
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !s.Marked {
		return s, nil
	}
	// There is a file or a marker, so this makes none.
	marked, err := inspect(path)
	if err != nil {
		return s, err
	}
	s.Exists, s.Size = true, info.Size()
	bdb, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lookTimeout, ReadOnly: true})
	if errors.Is(err, bolterrors.ErrTimeout) {
		s.InUse = true
		return s, nil
	}
	if err != nil {
		return s, refused(path, err)
	}
	defer func() { err = errors.Join(err, bdb.Close()) }()
	f, err := os.Open(path)
	if err != nil {
		return s, fmt.Errorf("bolt: opening %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if err := verify(f); err != nil {
		return s, damaged(path, err.Error())
	}
	return s, bdb.View(func(tx *bbolt.Tx) error { return s.identify(tx, path, strings.TrimSpace(marked)) })
}

// identify makes sure that the file is hookd's, and the one that the marker
// tells of.
func (s *Sight) identify(tx *bbolt.Tx, path, marked string) error {
	meta := tx.Bucket([]byte(tMeta.String()))
	if meta == nil {
		return fmt.Errorf("bolt: %s is a bbolt file, but not hookd's", path)
	}
	version, err := unseal(tMeta, metaSchema, meta.Get(metaSchema))
	if err != nil {
		return err
	}
	if len(version) != 1 || version[0] < 1 || version[0] > schema {
		return fmt.Errorf("bolt: %s has schema %v, this hookd knows %d: run the hookd that wrote it", path, version, schema)
	}
	s.Schema = int(version[0])
	id, err := unseal(tMeta, metaID, meta.Get(metaID))
	if err == nil && marked != "" && marked != string(id) {
		err = fmt.Errorf("bolt: %s is store %s, but %s tells of store %s: put the right file there, or remove the marker if this is the one you want", path, id, path+marker, marked)
	}
	return err
}
