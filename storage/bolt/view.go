package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// A view reads within one transaction. Nothing it returns may outlive it but
// what was decoded.
type view struct {
	tx   *bbolt.Tx
	open *[tables]handle // as they are asked for
}

type handle struct {
	bucket *bbolt.Bucket
	cursor *bbolt.Cursor // of value alone, which moves it before it looks
}

func viewOf(tx *bbolt.Tx) view { return view{tx, new([tables]handle)} }

// view runs fn in a read transaction, which must be short: while one is open
// the writer can neither reuse its pages nor grow the mapping.
func (db *DB) view(fn func(view) error) (err error) {
	defer recovered(&err)
	return closed(db.bolt.View(func(tx *bbolt.Tx) error { return fn(viewOf(tx)) }))
}

// recovered turns a panic into an error: bbolt panics on pages it cannot make
// sense of, and one unreadable page must not end the process.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("bolt: the data file is damaged: %v", v)
	}
}

func closed(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return storage.ErrClosed
	}
	return err
}

func (v view) bucket(t table) *bbolt.Bucket {
	if v.open[t].bucket == nil {
		v.open[t].bucket = v.tx.Bucket([]byte(t.String()))
	}
	return v.open[t].bucket
}

// value returns the record under key, nil if there is none. It is bbolt's Get
// without a new cursor each time, which a filing would make by the thousand.
func (v view) value(t table, key []byte) []byte {
	if v.open[t].cursor == nil {
		v.open[t].cursor = v.bucket(t).Cursor()
	}
	k, record := v.open[t].cursor.Seek(key)
	if !bytes.Equal(k, key) {
		return nil
	}
	return record
}

// store is the identity of the store.
func (v view) store() (string, error) {
	id, err := unseal(tMeta, metaID, v.value(tMeta, metaID))
	return string(id), err
}

func (v view) has(t table, key []byte) bool { return v.value(t, key) != nil }

// get decodes the record under key into x and reports whether there is one.
func (v view) get(t table, key []byte, x any) (bool, error) {
	record := v.value(t, key)
	if record == nil {
		return false, nil
	}
	return true, unsealJSON(t, key, record, x)
}

// each calls fn for the keys that begin with prefix, in order, until it returns
// false. fn must not write to the table.
func (v view) each(t table, prefix []byte, fn func(key, record []byte) (bool, error)) error {
	c := v.bucket(t).Cursor()
	for k, r := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, r = c.Next() {
		if on, err := fn(k, r); err != nil || !on {
			return err
		}
	}
	return nil
}

// resolve returns the id in a table that equals or begins with prefix.
func (v view) resolve(t table, prefix string) (string, error) {
	if prefix == "" {
		return "", syncqueue.ErrUnknown
	}
	c := v.bucket(t).Cursor()
	k, _ := c.Seek([]byte(prefix))
	if k == nil || !bytes.HasPrefix(k, []byte(prefix)) {
		return "", syncqueue.ErrUnknown
	}
	id := string(k)
	if id == prefix {
		return id, nil
	}
	if k, _ = c.Next(); k != nil && bytes.HasPrefix(k, []byte(prefix)) {
		return "", syncqueue.ErrAmbiguous
	}
	return id, nil
}

// job returns nil if there is none.
func (v view) job(id string) (*jobRecord, error) {
	return unsealJob(id, v.value(tJobs, []byte(id)))
}

// unsealJob returns nil if there is no record.
func unsealJob(id string, record []byte) (*jobRecord, error) {
	if record == nil {
		return nil, nil
	}
	key := []byte(id)
	data, err := unseal(tJobs, key, record)
	if err != nil {
		return nil, err
	}
	if r, ok := decodeJob(data); ok {
		return r, nil
	}
	var r jobRecord
	if err := unmarshal(tJobs, key, data, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// A jobRecord is a job as it is stored, with its lease.
type jobRecord struct {
	syncqueue.Job
	Fence uint64    `json:"fence,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

func sealJob(key []byte, r *jobRecord) ([]byte, error) {
	return sealEncoded(key, func(e *encoder) { e.job(r) })
}
