package storage

import (
	"context"
	"time"
)

// Retention is how long an engine keeps what nothing depends on any more; zero
// keeps for ever.
type Retention struct {
	Deliveries time.Duration // deliveries, the done jobs they caused, and visible times
	Bodies     time.Duration // the bytes of deliveries; what they said is kept with the delivery
}

// Grace is how long a done job without a delivery, and Settle how long a
// tombstone that every target confirmed, stays readable.
const (
	Grace  = time.Hour
	Settle = 24 * time.Hour
)

// A Maintainer is an engine that forgets on request.
type Maintainer interface {
	// Maintain drops what is past its time as of now. It may be called at any
	// time and does a bounded amount of work in each transaction.
	Maintain(ctx context.Context, now time.Time) (Swept, error)
}

// Swept is what a Maintain dropped.
type Swept struct {
	Deliveries, Bodies, Jobs, Visible, Tombstones int
}
