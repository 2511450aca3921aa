package drone

import (
	"context"
	"sync"
	"time"
)

// vouchFor is how long what Drone read of the forge for one user vouches for
// the others: a burst of syncs vouches for itself, and the next one is asked
// about anew.
const vouchFor = time.Second

// A witness remembers when Drone last read the forge in its right mind. That
// the forge tells hookd the truth does not say what it, or a proxy between the
// two, tells Drone: a sync into an empty list takes everything away (measured).
type witness struct {
	turn chan struct{} // of who finds out

	mu    sync.Mutex
	last  time.Time
	wrong uint64 // readings that were wrong
}

func newWitness() *witness { return &witness{turn: make(chan struct{}, 1)} }

// needed reports whether nobody vouches for the forge now. Then the caller is
// to find out, and to call done; others wait for what he says.
func (w *witness) needed(ctx context.Context, now func() time.Time) (needed bool, done func(), err error) {
	if w.vouches(now()) {
		return false, func() {}, nil
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return false, func() {}, ctx.Err()
	}
	if w.vouches(now()) {
		<-w.turn
		return false, func() {}, nil
	}
	return true, func() { <-w.turn }, nil
}

func (w *witness) vouches(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.last.IsZero() && now.Sub(w.last) < vouchFor
}

// begin returns what saw is to be told of a reading that begins now.
func (w *witness) begin() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong
}

// saw records what came of a reading: how many repositories there were, and
// whether some were not that nobody knows to be lost. One such reading, and
// everybody is looked at again, whatever a reading says that began before it
// ended. An empty list that was to be expected says nothing.
func (w *witness) saw(began uint64, n int, wrong bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case wrong:
		w.last = time.Time{}
		w.wrong++
	case n > 0 && began == w.wrong:
		w.last = now
	}
}
