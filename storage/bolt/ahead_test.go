package bolt

import (
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// held pushes the same repository's deliveries, of which all but the first are
// written ahead and wait.
func heldPushes(t *testing.T, db *DB, n int) (deliveries []string) {
	t.Helper()
	for range n {
		e, j := entry(1)
		e.Delivery.GUID = e.Delivery.ID
		if _, err := db.Push(t.Context(), e, j); err != nil {
			t.Fatal(err)
		}
		deliveries = append(deliveries, e.Delivery.ID)
		synctest.Wait()
	}
	if held := len(db.ahead.waiting()); held != n-1 {
		t.Fatalf("%d are held, want %d", held, n-1)
	}
	return deliveries
}

func TestAJobIsStoredOnceForAllThatIsFiledWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		deliveries := heldPushes(t, db, 8)
		if err := db.file(); err != nil {
			t.Fatal(err)
		}
		jobs, err := db.JobsOf(t.Context(), deliveries[7])
		if err != nil || len(jobs) != 1 {
			t.Fatalf("got %+v, %v", jobs, err)
		}
		var causes []string
		for _, c := range jobs[0].Causes {
			causes = append(causes, c.Delivery)
		}
		if !slices.Equal(causes, deliveries) {
			t.Errorf("its causes are %v, want %v", causes, deliveries)
		}
		for _, id := range deliveries {
			if r, err := db.Delivery(t.Context(), id); err != nil || r.JobCount != 1 {
				t.Errorf("delivery %s has %d jobs, %v", id, r.JobCount, err)
			}
		}
	})
}

// What is set back amid the filing of pushes are the jobs as these left them.
func TestClockSetBackAmidFilingLeavesTheIndexesSound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookd.db")
	synctest.Test(t, func(t *testing.T) {
		var asked, back atomic.Int64
		back.Store(-1)
		now := func() time.Time {
			at := time.Now()
			if n := back.Load(); n >= 0 && asked.Add(1) > n {
				at = at.Add(-time.Hour)
			}
			return at
		}
		db, err := Open(path, Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		heldPushes(t, db, 8)
		back.Store(4) // the clock is asked once for each
		if err := db.file(); err != nil {
			t.Fatal(err)
		}
		if s, err := db.Stats(t.Context()); err != nil || s.Jobs[syncqueue.Ready]+s.Jobs[syncqueue.Waiting] != 1 {
			t.Errorf("there are %v, %v", s.Jobs, err)
		}
		entries := 0
		err = db.view(func(v view) error {
			for _, in := range []table{tWaiting, tReady} {
				entries += v.bucket(in).Stats().KeyN
			}
			return nil
		})
		if err != nil || entries != 1 {
			t.Errorf("one job is filed %d times, %v", entries, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if r, err := Check(path); err != nil || len(r.Faults) > 0 {
		t.Errorf("faults: %v, %v", r.Faults, err)
	}
}
