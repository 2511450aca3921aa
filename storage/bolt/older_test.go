package bolt_test

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// unpack writes a kept data file to a folder of its own.
func unpack(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hookd.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAFileOfAnOlderHookdIsReadAndGoesOn opens a file that was written before
// cells told what they were and what was seen, and before former names were
// kept.
func TestAFileOfAnOlderHookdIsReadAndGoesOn(t *testing.T) {
	path := unpack(t, "v1.db")
	ctx := context.Background()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := db.Holdings(ctx, "git", "8")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	acme := providers.Org{ID: "5", Name: "acme"}
	app := providers.Repo{ID: "41", Path: "acme/app", Org: acme, Visibility: providers.Private}
	lib := providers.Repo{ID: "42", Path: "acme/lib", Org: acme, Visibility: providers.Private}
	want := []storage.Cell{
		{Repo: app, Permission: providers.None, Read: 2, Version: 2, Changed: at.Add(time.Second), Cause: "poll"},
		{Repo: lib, Permission: providers.Read, Read: 2, Version: 2, Changed: at.Add(time.Second), Cause: "poll"},
	}
	if diff := cmp.Diff(want, h.Cells); diff != "" {
		t.Errorf("the cells of li (-want +got):\n%s", diff)
	}
	c, err := db.RepoByPath(ctx, "git", "ACME/app")
	if err != nil || len(c.Holders) != 2 || c.Holders[0].Cell.Cause != "01K900000000000000000000AA" {
		t.Errorf("acme/app: %+v, %v", c, err)
	}
	if _, err := db.Former(ctx, "git", providers.SubjectRepo, "acme/app"); err != storage.ErrUnknown {
		t.Errorf("a former name of a file that keeps none: %v", err)
	}
	j, err := db.Pending(ctx, syncqueue.MakeKey("publish", "drone", "git", "8"))
	if err != nil || j.State != syncqueue.Parked || len(j.Causes) == 0 {
		t.Errorf("the parked job: %+v, %v", j, err)
	}
	if jobs, err := db.JobsOf(ctx, "01K900000000000000000000AA"); err != nil || len(jobs) != 3 {
		t.Errorf("%d jobs of the delivery, %v", len(jobs), err)
	}

	// It goes on, and is opened again.
	renamed := app
	renamed.Path = "acme/web"
	if _, err := db.Enqueue(ctx, syncqueue.Cause{By: "poll", Why: "renamed"}, syncqueue.RepoJob("git", app, syncqueue.LanePoll, time.Now())); err != nil {
		t.Fatal(err)
	}
	l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindRepo}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Complete(ctx, l, syncqueue.Outcome{Change: &storage.Change{Provider: "git", Repos: []providers.Repo{renamed}}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if id, err := db.Former(ctx, "git", providers.SubjectRepo, "acme/app"); err != nil || id != "41" {
		t.Errorf("acme/app was %q, %v", id, err)
	}
	h, err = db.Holdings(ctx, "git", "7")
	if err != nil || len(h.Cells) != 1 || h.Cells[0].Why != "renamed" || h.Cells[0].Was != providers.Write {
		t.Errorf("the cells of ana: %+v, %v", h.Cells, err)
	}
}
