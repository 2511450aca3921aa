package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// Jobs implements syncqueue.Console. Jobs that are not done are found through
// the table of states: they are few among those that are.
func (db *DB) Jobs(ctx context.Context, q syncqueue.JobQuery, cursor string, limit int) ([]syncqueue.Job, string, error) {
	now := db.now()
	in, prefix := tJobs, []byte(nil)
	switch q.State {
	case "", syncqueue.Done:
	case syncqueue.Waiting:
		in, prefix = tStates, statePrefix(syncqueue.Ready)
	default:
		in, prefix = tStates, statePrefix(q.State)
	}
	var out []syncqueue.Job
	more, err := db.backwards(ctx, in, prefix, cursor, func(v view, k, record []byte) (bool, error) {
		r, err := v.job(string(k[len(prefix):]))
		if err != nil || r == nil || !q.Matches(r.Job, now) {
			return true, err
		}
		if len(out) == limit {
			return false, nil
		}
		out = append(out, r.Job)
		return true, nil
	})
	if err != nil || !more {
		return out, "", err
	}
	return out, out[limit-1].ID, nil
}

// Job implements syncqueue.Console.
func (db *DB) Job(_ context.Context, prefix string) (j syncqueue.Job, err error) {
	err = db.settled(func(v view) error {
		r, err := v.find(prefix)
		if err == nil {
			j = r.Job
		}
		return err
	})
	return j, err
}

// Pending implements syncqueue.Console.
func (db *DB) Pending(_ context.Context, k syncqueue.Key) (j syncqueue.Job, err error) {
	err = db.settled(func(v view) error {
		r, err := v.job(string(v.value(tKeys, []byte(k))))
		if err == nil && r == nil {
			err = syncqueue.ErrUnknown
		}
		if err == nil {
			j = r.Job
		}
		return err
	})
	return j, err
}

// PendingOf implements syncqueue.Console.
func (db *DB) PendingOf(_ context.Context, prefix syncqueue.Key) (jobs []syncqueue.Job, err error) {
	err = db.settled(func(v view) error {
		return v.each(tKeys, []byte(prefix), func(_, id []byte) (bool, error) {
			r, err := v.job(string(id))
			if err == nil && r != nil {
				jobs = append(jobs, r.Job)
			}
			return true, err
		})
	})
	return jobs, err
}

// find finds a job by id or unique prefix.
func (v view) find(prefix string) (*jobRecord, error) {
	id, err := v.resolve(tJobs, prefix)
	if err != nil {
		return nil, err
	}
	return v.job(id)
}

// Revive implements syncqueue.Console.
func (db *DB) Revive(ctx context.Context, prefix string) (j syncqueue.Job, err error) {
	err = db.operate(ctx, prefix, func(old syncqueue.Job, now time.Time) syncqueue.Job {
		j = syncqueue.Revived(old, now)
		return j
	})
	return j, err
}

// Drop implements syncqueue.Console.
func (db *DB) Drop(ctx context.Context, prefix string) error {
	return db.operate(ctx, prefix, syncqueue.Ended)
}

// operate files what becomes of a job that is neither leased nor done.
func (db *DB) operate(ctx context.Context, prefix string, become func(syncqueue.Job, time.Time) syncqueue.Job) error {
	return db.update(ctx, func(t *txn) error {
		r, err := t.find(prefix)
		if err != nil {
			return err
		}
		j := r.Job
		switch {
		case j.State == syncqueue.Done:
			return syncqueue.ErrUnknown
		case j.State == syncqueue.Leased && r.Until.After(t.now):
			return syncqueue.ErrBusy
		case j.State == syncqueue.Leased:
			j = syncqueue.Expired(j, t.now)
		}
		return t.file(r, become(j, t.now))
	})
}

// Pause implements syncqueue.Console.
func (db *DB) Pause(ctx context.Context, on bool) error {
	return db.update(ctx, func(t *txn) error {
		t.st.Paused, t.wrote, t.sched = on, true, true
		return nil
	})
}

// Stats implements syncqueue.Console.
func (db *DB) Stats(context.Context) (s syncqueue.Stats, err error) {
	err = db.settled(func(v view) error {
		var st state
		if _, err := v.get(tMeta, metaState, &st); err != nil {
			return err
		}
		s = syncqueue.Stats{Jobs: map[syncqueue.State]int{}, Paused: st.Paused, Bytes: db.Bytes()}
		for _, state := range syncqueue.States {
			s.Jobs[state] = st.Jobs[state]
		}
		due, oldest := v.overdue(db.now())
		ready := st.due() + due
		s.Jobs[syncqueue.Waiting] = s.Jobs[syncqueue.Ready] - ready
		s.Jobs[syncqueue.Ready] = ready
		s.Oldest = oldest
		return nil
	})
	return s, err
}

// overdue counts the jobs that came due since somebody last looked for one, and
// returns the due time of the job that waits longest, zero if none is due.
func (v view) overdue(now time.Time) (n int, oldest time.Time) {
	note := func(at time.Time) {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	c := v.bucket(tWaiting).Cursor()
	for k, _ := c.First(); k != nil; {
		at := timeOf(k[1:])
		if at.After(now) {
			k, _ = c.Seek([]byte{k[0] + 1})
			continue
		}
		note(at)
		n++
		k, _ = c.Next()
	}
	// The keys of one lane, organization and kind are in order of time.
	c = v.bucket(tReady).Cursor()
	for k, _ := c.First(); k != nil; {
		group := k[:len(k)-8-idLen]
		note(timeOf(k[len(group):]))
		k, _ = c.Seek(append(bytes.Clone(group[:len(group)-1]), beyond))
	}
	return n, oldest
}
