package syncqueue

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"
)

// NewID returns a ULID for t: 26 characters that sort by time to the
// millisecond (github.com/ulid/spec). Times outside what a ULID holds are
// clamped.
func NewID(t time.Time) string {
	ms := min(ulid.Timestamp(t), ulid.MaxTime())
	return ulid.MustNew(ms, rand.Reader).String()
}
