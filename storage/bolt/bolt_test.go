package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/queuetest"
)

var _ interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Console
	storage.Catalogue
	storage.Visibles
	storage.Maintainer
} = (*bolt.DB)(nil)

func open(t *testing.T, o queuetest.Options) (queuetest.Engine, func()) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(o.Dir, "hookd.db"), bolt.Options{Now: o.Now, Retention: o.Retention})
	if err != nil {
		t.Fatal(err)
	}
	shut := func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(shut)
	return db, shut
}

func TestQueue(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, o queuetest.Options) queuetest.Engine {
		e, _ := open(t, o)
		return e
	})
	queuetest.RunDurable(t, open)
}
