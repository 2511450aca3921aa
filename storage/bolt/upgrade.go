package bolt

import (
	"bytes"
	"context"
)

// upgrade brings a file of an older schema to this one, in one transaction:
// either it is of the old one afterwards or of this.
func (db *DB) upgrade() error {
	return db.update(context.Background(), func(t *txn) error {
		version, err := unseal(tMeta, metaSchema, t.value(tMeta, metaSchema))
		if err != nil || version[0] == schema {
			return err
		}
		if err := t.requeue(); err != nil {
			return err
		}
		t.db.log.Info("brought the data file to a newer schema", "from", version[0], "to", schema)
		return t.put(tMeta, metaSchema, seal(metaSchema, []byte{schema}))
	})
}

// requeue takes every job out of the ready table, whatever its keys looked like
// but for the id at their end, and leaves it to the next Lease to put it there
// again.
func (t *txn) requeue() error {
	var old [][]byte
	err := t.each(tReady, nil, func(k, _ []byte) (bool, error) {
		old = append(old, bytes.Clone(k))
		return true, nil
	})
	if err != nil {
		return err
	}
	clear(t.st.Ready)
	for _, k := range old {
		if err := t.del(tReady, k); err != nil {
			return err
		}
		r, err := t.intact(string(k[len(k)-idLen:]))
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if err := t.put(tWaiting, waitingKey(r.Job), []byte{}); err != nil {
			return err
		}
	}
	return nil
}
