package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func opened(t *testing.T, o Options) *DB {
	t.Helper()
	db, err := Open(filepath.Join(t.TempDir(), "hookd.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func put(key string) func(*txn) error {
	return func(t *txn) error { return t.put(tSnapshots, []byte(key), seal([]byte(key), []byte("x"))) }
}

func (db *DB) holds(t *testing.T, key string) bool {
	t.Helper()
	_, err := db.Snapshot(t.Context(), key)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		t.Fatal(err)
	}
	return err == nil
}

// together runs requests in one batch: they queue up while the writer is busy.
func (db *DB) together(t *testing.T, fns ...func(*txn) error) (errs []error) {
	t.Helper()
	busy, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.update(context.Background(), func(*txn) error {
			close(busy)
			<-release
			return nil
		})
	})
	<-busy
	errs = make([]error, len(fns))
	for i, fn := range fns {
		wg.Go(func() { errs[i] = db.update(context.Background(), fn) })
	}
	synctest.Wait()
	close(release)
	wg.Wait()
	return errs
}

func TestRequestsInFlightShareOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		seen := map[int]int{}
		fns := make([]func(*txn) error, 20)
		for i := range fns {
			fns[i] = func(t *txn) error {
				seen[t.tx.ID()]++
				return put(fmt.Sprint(i))(t)
			}
		}
		for _, err := range db.together(t, fns...) {
			if err != nil {
				t.Error(err)
			}
		}
		if len(seen) != 1 {
			t.Errorf("requests for each transaction: %v, want one transaction", seen)
		}
	})
}

func TestPoisonedRequestFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		broken := errors.New("broken")
		errs := db.together(t,
			put("first"),
			func(t *txn) error { return errors.Join(put("poisoned")(t), broken) },
			put("between"),
			func(t *txn) error { _ = put("panicked")(t); panic("no such page") },
			func(*txn) error { return syncqueue.ErrLost },
			put("last"),
		)
		for i, want := range []error{nil, broken, nil, nil, syncqueue.ErrLost, nil} {
			if i != 3 && !errors.Is(errs[i], want) {
				t.Errorf("request %d ended with %v, want %v", i, errs[i], want)
			}
		}
		if errs[3] == nil || !strings.Contains(errs[3].Error(), "no such page") {
			t.Errorf("the panic ended with %v", errs[3])
		}
		for _, key := range []string{"first", "between", "last"} {
			if !db.holds(t, key) {
				t.Errorf("%s is lost", key)
			}
		}
		for _, key := range []string{"poisoned", "panicked"} {
			if db.holds(t, key) {
				t.Errorf("%s was kept", key)
			}
		}
	})
}

func TestCompleteThatIsDoneOverCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		r := providers.Repo{ID: "41", Path: "acme/app"}
		if _, err := db.Enqueue(t.Context(), syncqueue.Cause{}, syncqueue.RepoJob("git", r, syncqueue.LaneAddition, time.Now())); err != nil {
			t.Fatal(err)
		}
		l, err := db.Lease(t.Context(), time.Minute, syncqueue.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		var applied storage.Applied
		o := syncqueue.Outcome{Publish: []string{"drone"}, Change: &storage.Change{Provider: "git", Audiences: []storage.Audience{
			{Repo: r, Users: []storage.Member{{User: providers.User{ID: "7"}, Permission: providers.Read}}},
		}}}
		busy, release := make(chan struct{}), make(chan struct{})
		go func() {
			_ = db.update(context.Background(), func(*txn) error {
				close(busy)
				<-release
				return nil
			})
		}()
		<-busy
		done := make(chan error, 2)
		go func() {
			var err error
			applied, err = db.Complete(context.Background(), l, o)
			done <- err
		}()
		synctest.Wait()
		go func() {
			_ = db.update(context.Background(), func(t *txn) error { return errors.Join(put("poisoned")(t), syncqueue.ErrLost) })
			done <- nil
		}()
		synctest.Wait()
		close(release)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		if want := (storage.Applied{Granted: 1, First: 1, Users: 1, Followed: 1}); !reflect.DeepEqual(applied, want) {
			t.Errorf("applied %+v, want %+v", applied, want)
		}
	})
}

func TestForgottenDeliveriesTakeNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{Retention: Retention{Deliveries: time.Hour}})
		for i := range 10 {
			e := syncqueue.Entry{Delivery: providers.Delivery{Provider: "git", GUID: fmt.Sprint(i), Received: time.Now()}}
			if _, err := db.Push(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Hour)
		if _, err := db.Maintain(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(db.seen.ulids) + len(db.seen.odd); n > 0 || db.st.Bytes != 0 {
			t.Errorf("%d guids and %d live bytes are left", n, db.st.Bytes)
		}
	})
}

func TestPoisonedPushIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		e := syncqueue.Entry{Delivery: providers.Delivery{Provider: "git", GUID: "g1", Received: time.Now()}}
		unfit := syncqueue.Job{Key: syncqueue.Key(strings.Repeat("k", 40_000))}
		if _, err := db.Push(t.Context(), e, unfit); err == nil {
			t.Fatal("a key that does not fit was stored")
		}
		r, err := db.Push(t.Context(), e)
		if err != nil || !r.Fresh {
			t.Errorf("pushing it again gave %+v, %v, want a fresh delivery", r, err)
		}
	})
}

func TestCloseAnswersWhatItAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		leased := make(chan error)
		go func() {
			_, err := db.Lease(context.Background(), time.Minute, syncqueue.Filter{})
			leased <- err
		}()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				if err := db.update(context.Background(), put(fmt.Sprint(i))); err != nil && !errors.Is(err, storage.ErrClosed) {
					t.Error(err)
				}
			})
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if err := <-leased; !errors.Is(err, storage.ErrClosed) {
			t.Errorf("the blocked Lease ended with %v", err)
		}
		if _, err := db.Stats(t.Context()); !errors.Is(err, storage.ErrClosed) {
			t.Errorf("reading from a closed store ended with %v", err)
		}
	})
}

func TestUnreadableJobDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := opened(t, Options{})
		job := func(id string) syncqueue.Job {
			return syncqueue.RepoJob("git", providers.Repo{ID: id}, syncqueue.LaneAddition, time.Now())
		}
		ids, err := db.Enqueue(t.Context(), syncqueue.Cause{}, job("1"), job("2"))
		if err != nil {
			t.Fatal(err)
		}
		err = db.update(t.Context(), func(t *txn) error { return t.put(tJobs, []byte(ids[0]), []byte("spoilt by a cosmic ray")) })
		if err != nil {
			t.Fatal(err)
		}
		l, err := db.Lease(t.Context(), time.Minute, syncqueue.Filter{})
		if err != nil || l.Job.ID != ids[1] {
			t.Fatalf("leased %s, %v, want the other job", l.Job.ID, err)
		}
		var damaged *DamagedError
		if _, err := db.Job(t.Context(), ids[0]); !errors.As(err, &damaged) || damaged.Bucket != "jobs" {
			t.Errorf("reading it ended with %v", err)
		}
		if _, err := db.Enqueue(t.Context(), syncqueue.Cause{}, job("1")); err != nil {
			t.Fatal(err)
		}
		if l, err = db.Lease(t.Context(), time.Minute, syncqueue.Filter{}); err != nil || l.Job.Subject.ID != "1" {
			t.Errorf("leased %s, %v, want a new job of the same key", l.Job.Key, err)
		}
	})
}

func TestCollidingGUIDsAreToldApart(t *testing.T) {
	d := newDedupe()
	a, b := guid{"git", "a"}, guid{"git", "b"}
	idA, idB := syncqueue.NewID(time.Now()), syncqueue.NewID(time.Now())
	d.add(a, idA)
	d.ulids[d.hash(b)] = d.ulids[d.hash(a)] // as if b had the hash of a
	d.add(b, idB)
	d.add(guid{"git", "c"}, "not a ulid")
	for g, want := range map[guid]string{a: idA, b: idB, {"git", "c"}: "not a ulid"} {
		if id, ok := d.find(g); !ok || id != want {
			t.Errorf("%v is %q, want %q", g, id, want)
		}
	}
	d.remove(b, idB)
	if id, _ := d.find(b); id == idB {
		t.Error("a removed guid is still found")
	}
}

func TestKeysSortAsTheirTexts(t *testing.T) {
	all := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "a\x01", "ab", "b", "\xff"}
	for i, x := range all {
		for k, y := range all {
			if got, want := strings.Compare(string(join(x, "z")), string(join(y, "a"))), strings.Compare(x, y); i != k && got != want {
				t.Errorf("%q and %q compare as %d, want %d", x, y, got, want)
			}
		}
		if parts, ok := texts(join(x, "tail"), 2); !ok || parts[0] != x || parts[1] != "tail" {
			t.Errorf("%q comes back as %q, %v", x, parts, ok)
		}
	}
}
