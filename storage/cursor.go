package storage

import "errors"

// ErrCursor: a listing was asked to go on from a place it never gave.
var ErrCursor = errors.New("storage: not a cursor of this listing")
