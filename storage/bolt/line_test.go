package bolt

import (
	"testing"
	"testing/synctest"
	"time"
)

// gathering is a line in which somebody gathers: how many he took and how long
// he waited for them.
func gathering(t *testing.T, waiting, last int, took time.Duration, come func(enter func(n int))) (taken int, waited time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &line{enough: make(chan struct{}, 1), last: last, took: took}
		enter := func(n int) {
			for range n {
				if _, ok := l.enter(&request{turn: make(chan bool, 1)}); !ok {
					t.Error("the line is shut")
				}
			}
		}
		enter(waiting)
		begun := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			taken = len(l.gather())
			waited = time.Since(begun)
		}()
		synctest.Wait()
		if come != nil {
			come(enter)
		}
		<-done
		if len(l.enough) != 0 || l.want != 0 {
			t.Error("what one waited for is left to the next")
		}
	})
	return taken, waited
}

func TestASlowDiskWaitsForAllWhoWereThere(t *testing.T) {
	for _, c := range []struct {
		name          string
		waiting, last int
		took          time.Duration
		come          func(enter func(n int))
		taken         int
		waited        time.Duration
	}{
		{"all come", 32, 32, 8 * time.Millisecond, func(enter func(int)) { enter(31); time.Sleep(time.Millisecond); enter(1) }, 64, time.Millisecond},
		{"some never come", 32, 32, 8 * time.Millisecond, func(enter func(int)) { enter(10) }, 42, 2 * time.Millisecond},
		{"a disk that hung", 32, 32, 10 * time.Second, nil, 32, maxPatience},
		{"all are here", 64, 0, 8 * time.Millisecond, nil, 64, 0},
		{"few", 1, 31, 8 * time.Millisecond, nil, 1, 0},
		{"a fast disk", 32, 32, slowCommit - 1, nil, 32, 0},
		{"no more than a transaction holds", maxBatch - 1, maxBatch, 8 * time.Millisecond, func(enter func(int)) { enter(9) }, maxBatch, 0},
	} {
		taken, waited := gathering(t, c.waiting, c.last, c.took, c.come)
		if taken != c.taken || waited != c.waited {
			t.Errorf("%s: took %d after %v, want %d after %v", c.name, taken, waited, c.taken, c.waited)
		}
	}
}

// TestWhoComesAsTheTimeIsUpIsNotLost either way: who gathers may be first.
func TestWhoComesAsTheTimeIsUpIsNotLost(t *testing.T) {
	taken, waited := gathering(t, 32, 32, 8*time.Millisecond, func(enter func(int)) { time.Sleep(2 * time.Millisecond); enter(32) })
	if taken < 32 || taken > 64 || waited != 2*time.Millisecond {
		t.Errorf("took %d after %v", taken, waited)
	}
}
