package storage

import (
	"context"
	"errors"
	"io"
)

// The errors of a Backuper.
var (
	// ErrCopying: another backup is being made or read.
	ErrCopying = errors.New("storage: a backup is being made already")
	// ErrNoRoom: there is not enough space beside the data for a copy of it.
	ErrNoRoom = errors.New("storage: no room for a copy")
)

// A Backup is a whole and consistent copy of a store, as an engine of the same
// kind opens it. It holds nothing of the store up, however slowly it is read.
// Closing it removes it.
type Backup interface {
	io.ReadCloser
	Size() int64 // in bytes
}

// A Backuper is an engine that can be copied while it works.
type Backuper interface {
	// Backup makes a copy of what is committed when it is called; it takes as
	// long as the disk takes to write one. There is one at a time, until it is
	// closed: ErrCopying. ErrNoRoom, ErrClosed.
	Backup(ctx context.Context) (Backup, error)
}
