package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

// A step is one call of a history. Its numbers choose among what there is when
// it runs, so that every history can be run and shrunk.
type step struct {
	Op      string
	A, B, C int
	Sleep   time.Duration
	Change  *change
	Shown   []int
}

// A change is a storage.Change in the small.
type change struct {
	Kind             string
	User, Repo       int
	Users, Repos     []int
	Permission, Read int
	Label            int
}

var ops = []string{
	"push", "push", "push", "enqueue", "lease", "lease", "lease", "lease", "done", "done", "done", "confirm",
	"again", "park", "recur", "retry", "release", "bury", "extend", "revive", "drop", "pause", "maintain", "reopen",
}

func steps() *rapid.Generator[[]step] {
	small := rapid.IntRange(0, 3)
	some := rapid.SliceOfNDistinct(small, 0, 3, rapid.ID[int])
	changes := rapid.Custom(func(t *rapid.T) change {
		return change{
			Kind: rapid.SampledFrom([]string{"audience", "list", "cells", "gone", "relabel"}).Draw(t, "kind"),
			User: small.Draw(t, "user"), Repo: small.Draw(t, "repo"),
			Users: some.Draw(t, "users"), Repos: some.Draw(t, "repos"),
			Permission: small.Draw(t, "permission"), Read: small.Draw(t, "read"), Label: small.Draw(t, "label"),
		}
	})
	sleeps := []int{1, 1, 1, 500, 2000, 30_000, 4_000_000, 90_000_000}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			Op: rapid.SampledFrom(ops).Draw(t, "op"),
			A:  small.Draw(t, "a"), B: small.Draw(t, "b"), C: small.Draw(t, "c"),
			Sleep:  time.Duration(rapid.SampledFrom(sleeps).Draw(t, "sleep")) * time.Millisecond,
			Change: rapid.Ptr(changes, true).Draw(t, "change"),
			Shown:  some.Draw(t, "shown"),
		}
	}), 1, 60)
}

// TestBoltDoesWhatMemoryDoes runs random histories on both engines and compares
// every answer and, after every step, everything there is to read.
func TestBoltDoesWhatMemoryDoes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := steps().Draw(rt, "history")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		var diff string
		// The draw has to stay outside of the bubble, and so has the verdict.
		synctest.Test(t, func(t *testing.T) { diff = runBoth(t, dir, history) })
		if diff != "" {
			rt.Fatal(diff)
		}
	})
}

func runBoth(t *testing.T, dir string, history []step) (diff string) {
	keep := storage.Retention{Deliveries: 30 * time.Hour, Bodies: 7 * time.Hour}
	// A Lease that finds nothing takes time, and not in both engines: what they
	// are told stands still during a step.
	var at atomic.Pointer[time.Time]
	tick := func() {
		t := time.Now()
		at.Store(&t)
	}
	tick()
	now := func() time.Time { return *at.Load() }
	o := bolt.Options{Now: now, Retention: keep, NoSync: true}
	db, err := bolt.Open(filepath.Join(dir, "hookd.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = db.Close()
		sound(t, filepath.Join(dir, "hookd.db"))
	}()
	m := player{engine: memory.New(memory.Options{Now: now, Retention: keep}), now: now}
	b := player{engine: db, now: now}
	for i, s := range history {
		time.Sleep(s.Sleep)
		tick()
		if s.Op == "reopen" {
			stats, err := m.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if stats.Jobs[syncqueue.Leased] > 0 {
				continue // memory knows no death that takes leases back
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			sound(t, filepath.Join(dir, "hookd.db"))
			if db, err = bolt.Open(filepath.Join(dir, "hookd.db"), o); err != nil {
				t.Fatal(err)
			}
			b.engine = db
			continue
		}
		id := syncqueue.NewID(now())
		if d := compare(m.play(t.Context(), s, id), b.play(t.Context(), s, id)); d != "" {
			return fmt.Sprintf("step %d, %s: memory (-), bolt (+):\n%s", i, s.Op, d)
		}
		if d := compare(m.dump(t.Context()), b.dump(t.Context())); d != "" {
			return fmt.Sprintf("after step %d, %s: memory (-), bolt (+):\n%s", i, s.Op, d)
		}
	}
	return ""
}

func compare(m, b any) string {
	return cmp.Diff(m, b, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(syncqueue.Stats{}, "Bytes"))
}
