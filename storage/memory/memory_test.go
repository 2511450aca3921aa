package memory_test

import (
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

var _ interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Console
	storage.Catalogue
	storage.Visibles
	storage.Maintainer
} = (*memory.DB)(nil)
