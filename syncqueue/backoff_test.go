package syncqueue_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/syncqueue"
)

func TestBackoffDoublesWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := syncqueue.Backoff{
			First: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "first")),
			Max:   time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "max")),
		}
		attempt := rapid.IntRange(1, 1<<20).Draw(t, "attempt")
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		full := min(b.First, b.Max)
		for i := 1; i < attempt && full < b.Max; i++ {
			full = min(2*full, b.Max)
		}
		if d := b.Delay(attempt, r); d < full/2 || d > full {
			t.Fatalf("attempt %d waits %s, want between %s and %s", attempt, d, full/2, full)
		}
	})
}

func TestWhatFailedTogetherDoesNotComeBackTogether(t *testing.T) {
	b := syncqueue.Backoff{First: time.Second, Max: time.Minute}
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[time.Duration]bool{}
	for range 100 {
		seen[b.Delay(4, r)] = true
	}
	if len(seen) < 90 {
		t.Errorf("100 delays took only %d values", len(seen))
	}
}
