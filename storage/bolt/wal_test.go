package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

const store = "01K0000000000000000000000A"

// entry is the i-th delivery, about a repository of its own.
func entry(i int) (syncqueue.Entry, syncqueue.Job) {
	now := time.Now()
	id := fmt.Sprint(i)
	d := providers.Delivery{ID: syncqueue.NewID(now), Provider: "git", GUID: "guid-" + id, Body: []byte(strings.Repeat(id, 500)), Received: now}
	r := providers.Repo{ID: id, Path: "acme/" + id, Org: providers.Org{ID: "7", Name: "acme"}}
	e := providers.Event{Name: "repository.created", Repo: &r, Org: r.Org, Effect: providers.EffectRepo}
	return syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, syncqueue.JobsFor(d, e, syncqueue.Timing{}, now)[0]
}

func pushOf(t *testing.T, i int) *pushed {
	t.Helper()
	e, j := entry(i)
	p, err := made(e, []syncqueue.Job{j}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wals(t *testing.T, path string, filed uint64) (*wal, []*pushed, uint64) {
	t.Helper()
	w, found, lost, err := openWAL(path, store, filed, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	return w, found, lost
}

func TestWhatIsWrittenAheadIsFoundInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	w, _, _ := wals(t, path, 0)
	var ids []string
	for i := range 50 {
		batch := []*pushed{pushOf(t, 2*i), pushOf(t, 2*i+1)}
		if err := w.append(batch, 0); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, batch[0].id, batch[1].id)
	}
	for _, filed := range []int{0, 1, 50, 99, 100} {
		again, found, lost := wals(t, path, uint64(filed))
		if len(found) != 100-filed || lost != 0 {
			t.Fatalf("after %d there are %d, and %d lost", filed, len(found), lost)
		}
		for i, p := range found {
			if p.id != ids[filed+i] || p.number != uint64(filed+i+1) || p.guid != (guid{"git", fmt.Sprint("guid-", filed+i)}) {
				t.Errorf("push %d is %+v", filed+i, p)
			}
			if d, err := unsealDelivery([]byte(p.id), p.record); err != nil || d.Event.Name != "repository.created" {
				t.Errorf("its record is %+v, %v", d, err)
			}
			if x := p.drafts[0]; x.fresh.Subject.ID != fmt.Sprint(filed+i) || len(x.job.Causes) != 1 {
				t.Errorf("its job is %+v", x.fresh)
			}
		}
		if again.next != 101 {
			t.Errorf("the next push gets number %d", again.next)
		}
	}
}

func TestHalfIsBegunAnewOnlyWhenItIsFiled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	w, _, _ := wals(t, path, 0)
	n := 0
	fill := func(filed uint64) uint64 {
		for ; ; n++ {
			before := w.half
			switch err := w.append([]*pushed{pushOf(t, n)}, filed); {
			case errors.Is(err, errNoRoom):
				return w.next - 1
			case err != nil:
				t.Fatal(err)
			case w.half != before && filed > 0:
				return w.next - 1
			}
		}
	}
	last := fill(0)
	if size := 2 * walHalf / walPage; int(last) != size {
		t.Errorf("%d pushes of a page each fit in, want %d", last, size)
	}
	if _, found, _ := wals(t, path, 0); len(found) != int(last) {
		t.Errorf("%d are found, want %d", len(found), last)
	}
	filed := w.last[1-w.half] // all of the older half
	last = fill(filed)
	_, found, lost := wals(t, path, filed)
	if len(found) != int(last-filed) || found[0].number != filed+1 || lost != 0 {
		t.Errorf("%d are found, and %d lost, want %d", len(found), lost, last-filed)
	}
}

func TestTornBlockWasNeverPromised(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	w, _, _ := wals(t, path, 0)
	for i := range 3 {
		if err := w.append([]*pushed{pushOf(t, i)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	spoil(t, path, w.off-walPage+100)
	w, found, lost := wals(t, path, 0)
	if len(found) != 2 || lost != 0 {
		t.Fatalf("%d are found, and %d lost, want the first two", len(found), lost)
	}
	next := pushOf(t, 4)
	if err := w.append([]*pushed{next}, 0); err != nil {
		t.Fatal(err)
	}
	if _, found, _ = wals(t, path, 0); len(found) != 3 || found[2].id != next.id {
		t.Errorf("the place of the torn block was not used: %d are found", len(found))
	}
}

func TestDamageInTheMiddleIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	w, _, _ := wals(t, path, 0)
	for i := range 5 {
		if err := w.append([]*pushed{pushOf(t, 2*i), pushOf(t, 2*i+1)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	spoil(t, path, walPage+200)
	if _, found, lost := wals(t, path, 0); len(found) != 8 || lost != 2 {
		t.Errorf("%d are found, and %d lost, want 8 and 2", len(found), lost)
	}
}

func TestLogOfAnotherStoreIsPassedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	w, _, _ := wals(t, path, 0)
	if err := w.append([]*pushed{pushOf(t, 1)}, 0); err != nil {
		t.Fatal(err)
	}
	other, found, lost, err := openWAL(path, strings.Repeat("B", idLen), 0, true)
	if err != nil || len(found) != 0 || lost != 0 {
		t.Errorf("%d are found, and %d lost, %v", len(found), lost, err)
	}
	_ = other.close()
}

// spoil changes one byte of the log.
func spoil(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path+walSuffix, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	b[0] ^= 0x40
	if _, werr := f.WriteAt(b, at); errors.Join(err, werr, f.Close()) != nil {
		t.Fatal(err, werr)
	}
}

func FuzzCutPushes(f *testing.F) {
	e, j := entry(1)
	p, err := made(e, []syncqueue.Job{j}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.appendTo(nil), 1)
	f.Add([]byte{200, 1, 2}, 3)
	f.Fuzz(func(t *testing.T, b []byte, count int) {
		found, err := cutPushes(b, 1, min(count, 10))
		for _, p := range found {
			if err == nil && p.record == nil {
				t.Error("a push without a record")
			}
		}
	})
}

// crashed copies the files of an open store, as a crash would leave them.
func crashed(t *testing.T, db *DB) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "hookd.db")
	for _, suffix := range []string{"", marker, walSuffix} {
		b, err := os.ReadFile(db.path + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestWrittenAheadIsFiledAtTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		var ids []string
		for i := range 20 {
			e, j := entry(i)
			if r, err := db.Push(t.Context(), e, j); err != nil || !r.Fresh {
				t.Fatal(r, err)
			}
			ids = append(ids, e.Delivery.ID)
			synctest.Wait() // the first is filed; no time passes for the others to be
		}
		if n := len(db.ahead.waiting()); n != 19 {
			t.Fatalf("%d are held, want 19", n)
		}
		path := crashed(t, db)
		for range 2 { // the second start finds them filed
			after, err := Open(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range ids {
				d, err := after.Body(t.Context(), id)
				if err != nil || string(d.Body) != strings.Repeat(fmt.Sprint(i), 500) {
					t.Errorf("delivery %d came back as %q, %v", i, d.Body, err)
				}
				jobs, err := after.JobsOf(t.Context(), id)
				if err != nil || len(jobs) != 1 || jobs[0].Subject.ID != fmt.Sprint(i) {
					t.Errorf("its jobs are %+v, %v", jobs, err)
				}
				e, j := entry(i)
				if r, err := after.Push(t.Context(), e, j); err != nil || r.Fresh || r.Delivery != id {
					t.Errorf("again it is %+v, %v", r, err)
				}
			}
			if s, err := after.Stats(t.Context()); err != nil || s.Jobs[syncqueue.Ready]+s.Jobs[syncqueue.Waiting] != 20 {
				t.Errorf("there are %v, %v", s.Jobs, err)
			}
			if err := after.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := Check(path)
			if err != nil || len(r.Faults) > 0 {
				t.Errorf("the file has faults: %v, %v", r.Faults, err)
			}
		}
	})
}

func TestFailingLogLeavesPushesToTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		if err := db.ahead.wal.close(); err != nil {
			t.Fatal(err)
		}
		e, j := entry(1)
		if r, err := db.Push(t.Context(), e, j); err != nil || !r.Fresh {
			t.Fatalf("got %+v, %v", r, err)
		}
		if r, err := db.Push(t.Context(), e, j); err != nil || r.Fresh {
			t.Errorf("again it is %+v, %v", r, err)
		}
		if n := len(db.ahead.guids); n != 0 {
			t.Errorf("%d guids are still about", n)
		}
	})
}

func TestDeliveryOutlivesAJobThatCannotBeFiled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		bad := pushOf(t, 1)
		bad.number = 1
		bad.drafts[0].job.Key = syncqueue.Key(strings.Repeat("k", 40_000))
		good := pushOf(t, 2)
		good.number = 2
		db.ahead.hold([]*pushed{bad, good})
		if err := db.file(); err != nil {
			t.Fatal(err)
		}
		for p, jobs := range map[*pushed]int{bad: 0, good: 1} {
			r, err := db.Delivery(t.Context(), p.id)
			if err != nil || r.JobCount != jobs {
				t.Errorf("delivery %s has %d jobs, %v, want %d", p.guid.guid, r.JobCount, err, jobs)
			}
		}
	})
}

// A delivery that comes twice at one time is journalled once, whichever ways
// the two take: one of them is too large to be written ahead.
func TestTwinsOfBothWaysAreOne(t *testing.T) {
	db := opened(t, Options{NoSync: true})
	large := strings.Repeat("x", walHalf/8)
	for i := range 50 {
		small, j := entry(i)
		big, _ := entry(i)
		big.Delivery.Body = noisy(large)
		got := make(chan syncqueue.Receipt, 2)
		for _, e := range []syncqueue.Entry{small, big} {
			go func() {
				r, err := db.Push(context.Background(), e, j)
				if err != nil {
					t.Error(err)
				}
				got <- r
			}()
		}
		a, b := <-got, <-got
		if a.Fresh == b.Fresh || a.Delivery != b.Delivery {
			t.Fatalf("the twins got %+v and %+v", a, b)
		}
	}
}

// noisy is as long as s and does not compress.
func noisy(s string) []byte {
	b, x := []byte(s), uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}
