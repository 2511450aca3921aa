package syncqueue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// told is a pool under limits whose jobs take a second each. It is told of n
// users at once, and remembers when each job started and how many ran together.
type told struct {
	mu      sync.Mutex
	starts  []time.Time
	running int
	most    int
}

func (x *told) Handle(ctx context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
	if l.Job.Target != "drone" {
		return syncqueue.Outcome{}, nil
	}
	x.mu.Lock()
	x.starts = append(x.starts, time.Now())
	x.running++
	x.most = max(x.most, x.running)
	x.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	x.mu.Lock()
	x.running--
	x.mu.Unlock()
	return syncqueue.Outcome{}, ctx.Err()
}

func tell(t *testing.T, n int, limit syncqueue.Limit, during func(w *works)) *told {
	t.Helper()
	x := &told{}
	synctest.Test(t, func(t *testing.T) {
		w := work(t, x.Handle, func(p *syncqueue.Pool) {
			p.Workers = 3 // fewer than where one is kept for others
			p.Limits = map[syncqueue.Peer]syncqueue.Limit{{Target: "drone"}: limit}
		})
		var jobs []syncqueue.Job
		for i := range n {
			u := providers.User{ID: fmt.Sprint(i), Login: fmt.Sprint("user-", i)}
			jobs = append(jobs, syncqueue.PublishJob("drone", "git", u, syncqueue.Job{}, syncqueue.LaneAddition, time.Now()))
		}
		w.push(jobs...)
		during(w)
		w.stop()
	})
	return x
}

func TestATargetHasAsManyWorkersAsItBears(t *testing.T) {
	for _, c := range []struct{ workers, want int }{{0, 3}, {1, 1}, {2, 2}} {
		x := tell(t, 30, syncqueue.Limit{Workers: c.workers}, func(*works) { time.Sleep(time.Minute) })
		if x.most != c.want || len(x.starts) != 30 {
			t.Errorf("%d workers: %d jobs ran together, %d in all, want %d and 30", c.workers, x.most, len(x.starts), c.want)
		}
	}
}

func TestStartsOfATargetAreApart(t *testing.T) {
	const every = 3 * time.Second
	x := tell(t, 10, syncqueue.Limit{Every: every}, func(*works) { time.Sleep(time.Minute) })
	if len(x.starts) != 10 {
		t.Fatalf("%d of 10 jobs ran", len(x.starts))
	}
	for i := range x.starts[1:] {
		if gap := x.starts[i+1].Sub(x.starts[i]); gap != every {
			t.Errorf("job %d started %s after the one before, want %s", i+1, gap, every)
		}
	}
}

// A job whose time has not come is nobody's: it waits without a lease that could
// run out, and without a worker that others need.
func TestAJobWhoseStartHasNotComeIsNotLeased(t *testing.T) {
	others := 0
	tell(t, 3, syncqueue.Limit{Every: time.Hour}, func(w *works) {
		time.Sleep(50 * time.Minute) // fifty times as long as a lease lasts
		for i := range 5 {
			w.push(syncqueue.RepoJob("git", providers.Repo{ID: fmt.Sprint(i), Org: providers.Org{ID: "5"}}, syncqueue.LaneAddition, time.Now()))
		}
		time.Sleep(time.Minute)
		jobs, _, err := w.db.Jobs(t.Context(), syncqueue.JobQuery{}, "", 20)
		if err != nil {
			t.Fatal(err)
		}
		waits := 0
		for _, j := range jobs {
			switch {
			case j.Target != "drone" && j.State == syncqueue.Done:
				others++
			case j.Target == "drone" && j.State == syncqueue.Ready && j.Attempts == 0:
				waits++
			}
		}
		if waits != 2 {
			t.Errorf("%d jobs wait, want 2: %+v", waits, jobs)
		}
	})
	if others != 5 {
		t.Errorf("%d of 5 jobs of others ran meanwhile", others)
	}
}
