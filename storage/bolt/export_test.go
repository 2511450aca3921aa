package bolt

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"
)

// Seal lets a test write a record behind the engine's back.
func Seal(key string, data []byte) []byte { return seal([]byte(key), data) }

// SetRoom lets a test say how many bytes the disk has left.
func SetRoom(db *DB, bytes int64) {
	db.room = func(string) (int64, error) { return bytes, nil }
}

// Spoil deletes the last entry of a bucket, or gives it another value, in a file that
// nobody has open.
func Spoil(path, bucket string, change func(key, value []byte) []byte) error {
	bdb, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = bdb.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		k, v := b.Cursor().Last()
		k = bytes.Clone(k)
		if v = change(k, bytes.Clone(v)); v == nil {
			return b.Delete(k)
		}
		return b.Put(k, v)
	})
	return errors.Join(err, bdb.Close())
}

// AsSchema1 rewrites what differed in the first schema: the keys of ready jobs.
func AsSchema1(db *DB) error {
	return db.update(context.Background(), func(t *txn) error {
		var keys [][]byte
		err := t.each(tReady, nil, func(k, _ []byte) (bool, error) {
			keys = append(keys, bytes.Clone(k))
			return true, nil
		})
		if err != nil {
			return err
		}
		for _, k := range keys {
			r, err := t.job(string(k[len(k)-idLen:]))
			if err != nil {
				return err
			}
			old := appendText(appendText([]byte{byte(r.Lane)}, r.Org), string(r.Kind))
			old = append(appendTime(old, r.NotBefore), r.ID...)
			if err := errors.Join(t.del(tReady, k), t.put(tReady, old, []byte{})); err != nil {
				return err
			}
		}
		clear(t.st.Ready)
		return t.put(tMeta, metaSchema, seal(metaSchema, []byte{1}))
	})
}
