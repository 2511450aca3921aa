package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// store makes a data file with something in every kind of page, closes it, and
// returns its path.
func store(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hookd.db")
	db, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(60) {
		e, j := delivery(i, noise(int(i)*300))
		if _, err := db.Push(t.Context(), e, j); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnusableFilesAreRefusedUntouched(t *testing.T) {
	rewrite := func(f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		want  string
	}{
		{"gone", func(t *testing.T, path string) { remove(t, path) }, "is gone, but"},
		{"empty", rewrite(func([]byte) []byte { return nil }), "is empty"},
		{"empty without marker", func(t *testing.T, path string) {
			remove(t, path+".id")
			rewrite(func([]byte) []byte { return nil })(t, path)
		}, "is empty"},
		{"cut in the middle", rewrite(func(b []byte) []byte { return b[:40*4096] }), "cannot be read"},
		{"cut to a page", rewrite(func(b []byte) []byte { return b[:4096] }), "cannot be read"},
		{"cut to some bytes", rewrite(func(b []byte) []byte { return b[:100] }), "cannot be read"},
		{"text", rewrite(func([]byte) []byte { return []byte("not a data file\n") }), "no data file of hookd"},
		{"another kind of file", rewrite(func([]byte) []byte { return bytes.Repeat([]byte("SQLite format 3\x00"), 4096) }), "no data file of hookd"},
		{"zeros", rewrite(func(b []byte) []byte { return make([]byte, len(b)) }), "no data file of hookd"},
		{"first pages destroyed", rewrite(func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) }), "no data file of hookd"},
		{"newer file format", rewrite(func(b []byte) []byte { b[20], b[4096+20] = 9, 9; return b }), "newer file format"},
		{"another program's", func(t *testing.T, path string) {
			remove(t, path)
			edit(t, path, func(tx *bbolt.Tx) error {
				_, err := tx.CreateBucket([]byte("theirs"))
				return err
			})
		}, "not hookd's"},
		{"newer schema", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("schema"), bolt.Seal("schema", []byte{9}))
			})
		}, "has schema [9], this hookd knows 2"},
		{"damaged schema", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("?")) })
		}, `the record "schema" in bucket meta is damaged`},
		{"bucket missing", func(t *testing.T, path string) {
			edit(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("jobs")) })
		}, "bucket jobs is missing"},
		{"another store's", func(t *testing.T, path string) {
			if err := os.Rename(store(t), path); err != nil {
				t.Fatal(err)
			}
		}, "tells of store"},
		{"read-only", func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "is read-only"},
		{"a folder", func(t *testing.T, path string) {
			remove(t, path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "is no regular file"},
		{"locked", func(t *testing.T, path string) {
			db, err := bolt.Open(path, bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
		}, "is in use by another process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := store(t)
			c.spoil(t, path)
			before := contents(t, path)
			db, err := bolt.Open(path, bolt.Options{})
			if err == nil {
				_ = db.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), "record") {
				t.Errorf("the error is %q, want one about %s that says %q", err, path, c.want)
			}
			if after := contents(t, path); after != before {
				t.Errorf("the data folder was changed:\n%s\nwas:\n%s", after, before)
			}
		})
	}
}

// TestDamagedPagesNeverPanic spoils every page of a file, a little and
// altogether: what cannot be read is refused or is an error later.
func TestDamagedPagesNeverPanic(t *testing.T) {
	path := store(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	good = good[:2<<20] // the rest was never used
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for page := 0; page < 80; page++ {
		for _, spoil := range []func(p []byte){
			func(p []byte) { clear(p) },
			func(p []byte) { copy(p, bytes.Repeat([]byte{0xff}, len(p))) },
			func(p []byte) { p[r.IntN(16)] ^= 1 << r.IntN(8) },
			func(p []byte) { p[16+r.IntN(64)] ^= 1 << r.IntN(8) },
			func(p []byte) { p[r.IntN(len(p))] ^= 1 << r.IntN(8) },
		} {
			bad := bytes.Clone(good)
			spoil(bad[page*4096 : (page+1)*4096])
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(path, bolt.Options{NoSync: true})
			if err != nil {
				refused++
				continue
			}
			read(t.Context(), db)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}

// read reads everything; whatever is damaged is an error.
func read(ctx context.Context, db *bolt.DB) {
	deliveries, _, _ := db.Deliveries(ctx, syncqueue.DeliveryQuery{}, "", 500)
	for _, d := range deliveries {
		_, _ = db.Body(ctx, d.Delivery.ID)
		_, _ = db.JobsOf(ctx, d.Delivery.ID)
	}
	_, _, _ = db.Jobs(ctx, syncqueue.JobQuery{}, "", 500)
	_, _ = db.Stats(ctx)
	e, j := delivery(1000, nil)
	_, _ = db.Push(ctx, e, j)
	_, _ = db.Maintain(ctx, time.Now())
}

func TestDamagedRecordIsNamed(t *testing.T) {
	path := store(t)
	var id string
	edit(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("deliveries"))
		k, v := b.Cursor().First()
		id = string(k)
		bad := bytes.Clone(v)
		bad[len(bad)-1] ^= 1
		return b.Put(bytes.Clone(k), bad)
	})
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.Delivery(t.Context(), id)
	want := fmt.Sprintf("bolt: the record %q in bucket deliveries is damaged: its checksum does not match", id)
	if err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestMarkerIsWrittenForARestoredFile(t *testing.T) {
	path := store(t)
	want := contents(t, path+".id")
	remove(t, path+".id")
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path+".id"); got != want {
		t.Errorf("the marker is %s, want %s", got, want)
	}
}

// edit changes a data file behind the engine's back.
func edit(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// contents describes the files whose names begin with path.
func contents(t *testing.T, path string) string {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := uint64(14695981039346656037)
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range b {
				sum = (sum ^ uint64(c)) * 1099511628211
			}
		}
		fmt.Fprintf(&s, "%s %s %d %x\n", name, info.Mode(), info.Size(), sum)
	}
	return s.String()
}
