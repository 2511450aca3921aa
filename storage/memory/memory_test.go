package memory_test

import (
	"testing"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
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
} = (*memory.DB)(nil)

func TestQueue(t *testing.T) {
	queuetest.Run(t, func(t *testing.T, o queuetest.Options) queuetest.Engine {
		db := memory.New(memory.Options{Now: o.Now, Retention: o.Retention})
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}

func TestCatalogue(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, o storagetest.Options) storagetest.Engine {
		db := memory.New(memory.Options{Now: o.Now})
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}
