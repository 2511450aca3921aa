package bolt

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

func TestJobPushedAgainStaysWhereItIs(t *testing.T) {
	start := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	job := syncqueue.Job{
		Kind: syncqueue.KindRepo, Key: "repo/git/1", Provider: "git", Org: "5", Lane: syncqueue.LaneAddition,
		NotBefore: start.Add(time.Second),
	}
	for _, c := range []struct {
		name   string
		due    bool // before it is pushed again
		change func(*syncqueue.Job)
		want   bool
	}{
		{"waiting", false, func(*syncqueue.Job) {}, true},
		{"due", true, func(*syncqueue.Job) {}, true},
		{"due later", false, func(j *syncqueue.Job) { j.NotBefore = j.NotBefore.Add(time.Second) }, false},
		{"due meanwhile", false, func(j *syncqueue.Job) { j.NotBefore = start }, false},
		{"waiting in another lane", false, func(j *syncqueue.Job) { j.Lane = syncqueue.LaneRemoval }, false},
		{"due in another lane", true, func(j *syncqueue.Job) { j.Lane = syncqueue.LaneRemoval }, false},
		{"due for another organization", true, func(j *syncqueue.Job) { j.Org = "6" }, false},
		{"leased", true, func(j *syncqueue.Job) { j.State = syncqueue.Leased }, false},
		{"parked", true, func(j *syncqueue.Job) { j.State = syncqueue.Parked }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := start
			db, err := Open(filepath.Join(t.TempDir(), "hookd.db"), Options{Now: func() time.Time { return now }, NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			first := job
			if c.due {
				first.NotBefore = start
			}
			ids, err := db.Enqueue(context.Background(), syncqueue.Cause{By: "poll", At: now}, first)
			if err != nil {
				t.Fatal(err)
			}
			err = db.update(context.Background(), func(x *txn) error {
				old, err := x.job(ids[0])
				if err != nil {
					return err
				}
				next := *old
				c.change(&next.Job)
				if got := x.stays(old, &next); got != c.want {
					t.Errorf("it stays: %t, want %t", got, c.want)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestJobThatCameDueIsFiledAsSuch has a job pushed again that came due where it
// waited, before any Lease looked.
func TestJobThatCameDueIsFiledAsSuch(t *testing.T) {
	ctx, now := context.Background(), time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "hookd.db")
	db, err := Open(path, Options{Now: func() time.Time { return now }, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	job := syncqueue.Job{Kind: syncqueue.KindRepo, Key: "repo/git/1", Provider: "git", Org: "5", NotBefore: now.Add(time.Second)}
	job.Deadline = job.NotBefore
	for range 3 {
		if _, err := db.Enqueue(ctx, syncqueue.Cause{By: "poll", At: now}, job); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	if got := db.st.due(); got != 1 {
		t.Errorf("%d jobs are due, want 1", got)
	}
	if l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{}); err != nil || len(l.Job.Causes) != 3 {
		t.Errorf("leased %+v, %v, want the job with three causes", l.Job, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := Check(path)
	if err != nil || len(found.Faults) > 0 {
		t.Errorf("Check: %v, %v", found.Faults, err)
	}
}
