package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// witnessFor is how long one user's count vouches for the forge when little is
// to be taken away: asking for each of 500 users would cost more than the
// event, and whether it is one of theirs that comes or goes makes the answer
// that the CI server is about to get no worse.
const witnessFor = 30 * time.Second

// witness remembers when the forge last counted a user's list in its right
// mind.
type witness struct {
	mu   sync.Mutex
	last time.Time
}

// count asks for the size of u's list. Unless he is to lose much, a recent
// answer about anybody is enough, and the result is target.Unknown.
func (w *witness) count(ctx context.Context, c providers.Counter, u providers.User, much bool, now func() time.Time) (int, error) {
	if !much {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.last.IsZero() && now().Sub(w.last) < witnessFor {
			return target.Unknown, nil
		}
		n, err := c.Count(ctx, u)
		if err == nil && n > 0 {
			w.last = now()
		}
		return n, err
	}
	return c.Count(ctx, u)
}
