package drone

import (
	"testing"
	"time"
)

// Of two readings at once the right one may end last: it began before the
// nonsense did.
func TestReadingThatBeganBeforeAWrongOneEndedVouchesForNobody(t *testing.T) {
	now := time.Now()
	w := newWitness()
	early := w.begin()
	w.saw(w.begin(), 0, true, now)
	w.saw(early, 30, false, now)
	if w.vouches(now) {
		t.Error("it vouches")
	}
	w.saw(w.begin(), 30, false, now)
	if !w.vouches(now) {
		t.Error("a later one does not vouch")
	}
}
