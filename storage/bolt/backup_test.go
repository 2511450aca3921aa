package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

func copyOf(t *testing.T, b storage.Backup) []byte {
	t.Helper()
	text, err := io.ReadAll(b)
	if err != nil || int64(len(text)) != b.Size() {
		t.Fatalf("read %d bytes of %d, %v", len(text), b.Size(), err)
	}
	return text
}

func TestBackupOpensAsTheStoreItIs(t *testing.T) {
	dir := t.TempDir()
	db, shut := open(t, dir, bolt.Options{NoSync: true})
	id, err := push(t, db, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	b, err := db.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// What comes while it is read is not in it, and does not wait for it.
	for i := range int64(100) {
		if _, err := push(t, db, 2+i, true); err != nil {
			t.Fatal(err)
		}
	}
	running := copyOf(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.backup-*")); len(left) > 0 {
		t.Errorf("backups leave %v behind", left)
	}
	path := filepath.Join(dir, "hookd.db")
	if err := bolt.CopyFile(path, io.Discard); err == nil {
		t.Error("a file in use was copied behind its process's back")
	}
	shut()
	var stopped bytes.Buffer
	if err := bolt.CopyFile(path, &stopped); err != nil {
		t.Fatal(err)
	}
	for name, copied := range map[string]struct {
		text       []byte
		deliveries int
	}{"of a running store": {running, 1}, "of a stopped one": {stopped.Bytes(), 101}} {
		other := filepath.Join(t.TempDir(), "hookd.db")
		if err := os.WriteFile(other, copied.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if r := sound(t, other); r.Buckets["deliveries"].Records != copied.deliveries {
			t.Errorf("%s: %d deliveries, want %d", name, r.Buckets["deliveries"].Records, copied.deliveries)
		}
		restored, _ := open(t, filepath.Dir(other), bolt.Options{})
		if d, err := restored.Body(t.Context(), id); err != nil || len(d.Body) != bodySize {
			t.Errorf("%s: the body has %d bytes, %v", name, len(d.Body), err)
		}
	}
}

func TestBackupsAreMadeOneAtATimeAndOnlyWithRoom(t *testing.T) {
	dir := t.TempDir()
	db, _ := open(t, dir, bolt.Options{NoSync: true})
	first, err := db.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context()); !errors.Is(err, storage.ErrCopying) {
		t.Errorf("a second backup ended with %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	bolt.SetRoom(db, first.Size()+(64<<20)-1)
	if _, err := db.Backup(t.Context()); !errors.Is(err, storage.ErrNoRoom) {
		t.Errorf("without room it ended with %v", err)
	}
	bolt.SetRoom(db, first.Size()+(64<<20))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Backup(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled backup ended with %v", err)
	}
	// None of these keeps the next one out, or leaves anything behind.
	last, err := db.Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.backup-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context()); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("a backup of a closed store ended with %v", err)
	}
}

// TestBackupsOfABusyStoreAreSound copies while others push and work.
func TestBackupsOfABusyStoreAreSound(t *testing.T) {
	dir := t.TempDir()
	db, _ := open(t, dir, bolt.Options{NoSync: true})
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	var pushed atomic.Int64
	for i := range int64(4) {
		busy.Go(func() {
			for n := i; ctx.Err() == nil; n += 4 {
				e, j := delivery(n, []byte("{}"))
				if _, err := db.Push(ctx, e, j); err == nil {
					pushed.Add(1)
				}
			}
		})
	}
	for range 2 {
		busy.Go(func() {
			for ctx.Err() == nil {
				if l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{}); err == nil {
					_, _ = db.Complete(ctx, l, syncqueue.Outcome{})
				}
			}
		})
	}
	for i := range 5 {
		for before := pushed.Load(); pushed.Load() < before+20; {
			runtime.Gosched()
		}
		least := int(pushed.Load())
		b, err := db.Backup(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "hookd.db")
		if err := os.WriteFile(file, copyOf(t, b), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if r := sound(t, file); r.Buckets["deliveries"].Records < least {
			t.Errorf("backup %d has %d deliveries of the %d that were acknowledged", i, r.Buckets["deliveries"].Records, least)
		}
	}
	stop()
	busy.Wait()
}
