package bolt_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

func TestAFileOfTheFirstSchemaKeepsItsQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookd.db")
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	org := providers.Org{ID: "5", Name: "acme"}
	_, err = db.Enqueue(t.Context(), syncqueue.Cause{By: "test", At: now},
		syncqueue.RepoJob("git", providers.Repo{ID: "41", Org: org}, syncqueue.LaneAddition, now.Add(-time.Second)),
		syncqueue.PublishJob("drone", "git", providers.User{ID: "7"}, syncqueue.Job{Org: "5"}, syncqueue.LaneRemoval, now.Add(-time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	if err := bolt.AsSchema1(db); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = bolt.Open(path, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, want := range []syncqueue.Kind{syncqueue.KindPublish, syncqueue.KindRepo} {
		l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{})
		if err != nil || l.Job.Kind != want {
			t.Errorf("leased a %s job, want %s (%v)", l.Job.Kind, want, err)
		}
	}
	s, err := db.Stats(t.Context())
	if err != nil || s.Jobs[syncqueue.Ready] != 0 || s.Jobs[syncqueue.Leased] != 2 {
		t.Errorf("%+v (%v)", s.Jobs, err)
	}
}
