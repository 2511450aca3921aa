package bolt_test

import (
	"path/filepath"
	"testing"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/storage/storagetest"
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
	storage.Backuper
} = (*bolt.DB)(nil)

func open(t *testing.T, dir string, o bolt.Options) (db *bolt.DB, shut func()) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(dir, "hookd.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	shut = func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(shut)
	return db, shut
}

func TestQueue(t *testing.T) {
	again := func(t *testing.T, o queuetest.Options) (queuetest.Engine, func()) {
		t.Cleanup(func() { sound(t, filepath.Join(o.Dir, "hookd.db")) })
		return open(t, o.Dir, bolt.Options{Now: o.Now, Retention: o.Retention})
	}
	queuetest.Run(t, func(t *testing.T, o queuetest.Options) queuetest.Engine {
		e, _ := again(t, o)
		return e
	})
	queuetest.RunDurable(t, again)
}

func TestCatalogue(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, o storagetest.Options) storagetest.Engine {
		t.Cleanup(func() { sound(t, filepath.Join(o.Dir, "hookd.db")) })
		db, _ := open(t, o.Dir, bolt.Options{Now: o.Now})
		return db
	})
}
