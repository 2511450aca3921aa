package memory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// Jobs implements syncqueue.Console.
func (db *DB) Jobs(_ context.Context, q syncqueue.JobQuery, cursor string, limit int) ([]syncqueue.Job, string, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	now := db.clock()
	var out []syncqueue.Job
	for _, id := range newest(db.jobs, cursor) {
		if j := db.jobs[id].Job; q.Matches(j, now) {
			if len(out) == limit {
				return out, out[limit-1].ID, nil
			}
			out = append(out, cloneJob(j))
		}
	}
	return out, "", nil
}

// Job implements syncqueue.Console.
func (db *DB) Job(_ context.Context, prefix string) (syncqueue.Job, error) {
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Job{}, err
	}
	defer unlock()
	id, err := find(db.jobs, prefix)
	if err != nil {
		return syncqueue.Job{}, err
	}
	return cloneJob(db.jobs[id].Job), nil
}

// Pending implements syncqueue.Console.
func (db *DB) Pending(_ context.Context, k syncqueue.Key) (syncqueue.Job, error) {
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Job{}, err
	}
	defer unlock()
	j, ok := db.jobs[db.keys[k]]
	if !ok {
		return syncqueue.Job{}, syncqueue.ErrUnknown
	}
	return cloneJob(j.Job), nil
}

// PendingOf implements syncqueue.Console.
func (db *DB) PendingOf(_ context.Context, prefix syncqueue.Key) ([]syncqueue.Job, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var jobs []syncqueue.Job
	for _, k := range slices.Sorted(maps.Keys(db.keys)) {
		if strings.HasPrefix(string(k), string(prefix)) {
			jobs = append(jobs, cloneJob(db.jobs[db.keys[k]].Job))
		}
	}
	return jobs, nil
}

// Revive implements syncqueue.Console.
func (db *DB) Revive(_ context.Context, prefix string) (syncqueue.Job, error) {
	var out syncqueue.Job
	err := db.operate(prefix, func(j *job, now time.Time) {
		j.Job = syncqueue.Revived(j.Job, now)
		out = cloneJob(j.Job)
	})
	return out, err
}

// Drop implements syncqueue.Console.
func (db *DB) Drop(_ context.Context, prefix string) error {
	return db.operate(prefix, func(j *job, now time.Time) {
		j.Job = syncqueue.Ended(j.Job, now)
		delete(db.keys, j.Key)
	})
}

// operate does something to a job that is neither leased nor done.
func (db *DB) operate(prefix string, do func(*job, time.Time)) error {
	unlock, err := db.open()
	if err != nil {
		return err
	}
	defer unlock()
	id, err := find(db.jobs, prefix)
	if err != nil {
		return err
	}
	now := db.clock()
	j := db.jobs[id]
	switch {
	case j.State == syncqueue.Done:
		return syncqueue.ErrUnknown
	case j.State == syncqueue.Leased && j.until.After(now):
		return syncqueue.ErrBusy
	case j.State == syncqueue.Leased:
		j.Job = syncqueue.Expired(j.Job, now)
	}
	defer db.wake()
	do(j, now)
	return nil
}

// Pause implements syncqueue.Console.
func (db *DB) Pause(_ context.Context, on bool) error {
	unlock, err := db.open()
	if err != nil {
		return err
	}
	defer unlock()
	defer db.wake()
	db.paused = on
	return nil
}

// Stats implements syncqueue.Console. Bytes is the size of the bodies: there
// is no file.
func (db *DB) Stats(context.Context) (syncqueue.Stats, error) {
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Stats{}, err
	}
	defer unlock()
	now := db.clock()
	s := syncqueue.Stats{Jobs: map[syncqueue.State]int{}, Paused: db.paused}
	for _, state := range syncqueue.States {
		s.Jobs[state] = 0
	}
	for _, j := range db.jobs {
		state := j.StateAt(now)
		s.Jobs[state]++
		if state == syncqueue.Ready && (s.Oldest.IsZero() || j.NotBefore.Before(s.Oldest)) {
			s.Oldest = j.NotBefore
		}
	}
	for _, d := range db.deliveries {
		if d.hasBody {
			s.Bytes += int64(d.size)
		}
	}
	return s, nil
}
