package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

const bound = 256 << 10

// push pushes the i-th delivery with a body of 8 KiB and returns its id.
func push(t *testing.T, db *bolt.DB, i int64, jobs bool) (string, error) {
	t.Helper()
	e, j := delivery(i, noise(bodySize))
	if !jobs {
		r, err := db.Push(t.Context(), e)
		return r.Delivery, err
	}
	j.NotBefore = time.Now()
	r, err := db.Push(t.Context(), e, j)
	return r.Delivery, err
}

func TestUnfinishedWorkOverTheBoundIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t, t.TempDir(), bolt.Options{MaxBytes: bound, NoSync: true})
		var first string
		n := int64(0)
		for ; ; n++ {
			id, err := push(t, db, n, true)
			if errors.Is(err, storage.ErrFull) {
				break
			}
			if err != nil || n > 100 {
				t.Fatal(n, err)
			}
			if first == "" {
				first = id
			}
		}
		if n < 20 || n > 32 {
			t.Errorf("full after %d deliveries of 8 KiB, want about 30", n)
		}
		if s, err := db.Maintain(t.Context(), time.Now()); err != nil || s != (storage.Swept{}) {
			t.Errorf("Maintain dropped %+v of unfinished work, %v", s, err)
		}
		// A duplicate is recognised even then.
		if id, err := push(t, db, 0, true); err != nil || id != first {
			t.Errorf("the duplicate is %s, %v, want %s", id, err, first)
		}
		// Work that ends makes room.
		l, err := db.Lease(t.Context(), time.Minute, syncqueue.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Complete(t.Context(), l, syncqueue.Outcome{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := push(t, db, n, true); err != nil {
			t.Errorf("there is no room after a job ended: %v", err)
		}
	})
}

func TestFinishedDeliveriesMakeRoomBodiesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := open(t, t.TempDir(), bolt.Options{MaxBytes: bound, NoSync: true})
		var ids []string
		for i := range int64(60) {
			id, err := push(t, db, i, false)
			if err != nil {
				t.Fatal(i, err)
			}
			ids = append(ids, id)
			time.Sleep(time.Second)
		}
		if _, err := db.Maintain(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		first, err := db.Delivery(t.Context(), ids[0])
		if err != nil || first.HasBody {
			t.Errorf("the oldest delivery has a body: %v, %v", first.HasBody, err)
		}
		last, err := db.Delivery(t.Context(), ids[59])
		if err != nil || !last.HasBody {
			t.Errorf("the newest delivery has a body: %v, %v", last.HasBody, err)
		}
		for i := range int64(600) {
			if _, err := push(t, db, 100+i, false); err != nil {
				t.Fatal(i, err)
			}
		}
		if _, err := db.Delivery(t.Context(), ids[0]); !errors.Is(err, syncqueue.ErrUnknown) {
			t.Errorf("reading the oldest delivery ended with %v, want it gone", err)
		}
	})
}

func TestMostlyFreeFileIsCompactedAtStart(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "hookd.db.backup-123")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := bolt.Options{NoSync: true, Retention: bolt.Retention{Deliveries: time.Hour}}
	db, shut := open(t, dir, o)
	var kept string
	for i := range int64(150) {
		e, _ := delivery(i, noise(1<<20))
		if i > 0 {
			e.Delivery.Received = e.Delivery.Received.Add(-2 * time.Hour)
			e.Delivery.ID = syncqueue.NewID(e.Delivery.Received)
		} else {
			kept = e.Delivery.ID
		}
		if _, err := db.Push(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Maintain(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	before := db.Bytes()
	shut()
	db, _ = open(t, dir, o)
	if after := db.Bytes(); after > before/4 {
		t.Errorf("the file has %d bytes, had %d", after, before)
	}
	if d, err := db.Body(t.Context(), kept); err != nil || len(d.Body) != 1<<20 {
		t.Errorf("the body that was kept has %d bytes, %v", len(d.Body), err)
	}
	again, _ := delivery(0, nil)
	if r, err := db.Push(t.Context(), again); err != nil || r.Fresh {
		t.Errorf("the duplicate of what was kept is %+v, %v", r, err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a dead process left is still there: %v", err)
	}
}
