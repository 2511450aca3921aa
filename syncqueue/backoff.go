package syncqueue

import (
	"math/rand/v2"
	"time"
)

// Backoff is the schedule of retries. It is a pure function of the attempt
// that was counted durably, so a restart continues it.
type Backoff struct {
	First  time.Duration // before the second attempt
	Max    time.Duration // at most between two attempts
	GiveUp time.Duration // since the first failure: then the job is buried
}

// Delay returns the time to wait after the given attempt (from 1): First
// doubled for each, at most Max, of which the upper half is random, so that
// what failed together does not come back together.
func (b Backoff) Delay(attempt int, r *rand.Rand) time.Duration {
	d := b.First
	for i := 1; i < attempt && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	if d <= 1 {
		return d
	}
	return d/2 + time.Duration(r.Int64N(int64(d/2)+1))
}
