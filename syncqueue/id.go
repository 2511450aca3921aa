package syncqueue

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids makes the ULIDs of one millisecond rise, so that they sort as they were
// given out: jobs that are due at once go first come, first served, and tables
// keyed by id grow at their end.
var ids = ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}

// NewID returns a ULID for t: 26 characters that sort by time to the
// millisecond (github.com/ulid/spec), and those of one process and millisecond
// in the order they were given out, unless another time came in between. Times
// outside what a ULID holds are clamped.
func NewID(t time.Time) string {
	ms := min(ulid.Timestamp(t), ulid.MaxTime())
	id, err := ulid.New(ms, &ids)
	if err != nil {
		// The millisecond has used up its numbers.
		id = ulid.MustNew(ms, rand.Reader)
	}
	return id.String()
}
