package syncqueue_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

type handlerFunc func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error)

func (f handlerFunc) Handle(ctx context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
	return f(ctx, l)
}

// works is a pool over an engine in memory, in a bubble.
type works struct {
	t       *testing.T
	db      *memory.DB
	mu      sync.Mutex
	reports []syncqueue.Report
	stop    func()
}

func work(t *testing.T, h handlerFunc, edit ...func(*syncqueue.Pool)) *works {
	t.Helper()
	w := &works{t: t, db: memory.New(memory.Options{Now: time.Now})}
	p := &syncqueue.Pool{
		Queue: w.db, Handler: h, TTL: 30 * time.Second, Drain: 10 * time.Second,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}, Workers: 2,
		Backoff: syncqueue.Backoff{First: time.Second, Max: time.Minute, GiveUp: time.Hour},
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		Observe: func(r syncqueue.Report) { w.mu.Lock(); w.reports = append(w.reports, r); w.mu.Unlock() },
	}
	for _, e := range edit {
		e(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	w.stop = func() {
		cancel()
		<-done
	}
	return w
}

func (w *works) push(jobs ...syncqueue.Job) []string {
	w.t.Helper()
	ids, err := w.db.Enqueue(w.t.Context(), syncqueue.Cause{By: "test", At: time.Now()}, jobs...)
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func (w *works) job(id string) syncqueue.Job {
	w.t.Helper()
	j, err := w.db.Job(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func app() syncqueue.Job {
	return syncqueue.RepoJob("git", providers.Repo{ID: "42", Path: "acme/app", Org: acme}, syncqueue.LaneAddition, time.Now())
}

func TestAPanicIsAFailedAttemptThatRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		w := work(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			if runs++; runs == 1 {
				panic("poison")
			}
			return syncqueue.Outcome{}, nil
		})
		defer w.stop()
		id := w.push(app())[0]
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Ready || j.Attempts != 1 || j.LastError != "panic: poison" {
			t.Errorf("after the panic: %s, %d attempts, %q", j.State, j.Attempts, j.LastError)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Done || runs != 2 {
			t.Errorf("after the retry: %s, %d runs", j.State, runs)
		}
	})
}

func TestAJobThatAlwaysFailsEndsAsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := work(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			return syncqueue.Outcome{}, errors.New("no luck")
		})
		defer w.stop()
		id := w.push(app())[0]
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if j := w.job(id); j.StateAt(time.Now()) != syncqueue.Waiting {
			t.Errorf("after half an hour: %s, want it to go on trying", j.State)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Dead || j.LastError != "no luck" {
			t.Errorf("after giving up: %s %q", j.State, j.LastError)
		}
	})
}

func TestAPollNeverGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := work(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			return syncqueue.Outcome{}, errors.New("forge is down")
		})
		defer w.stop()
		id := w.push(syncqueue.PollJob("git", "members", acme, time.Now()))[0]
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if j := w.job(id); j.State == syncqueue.Dead {
			t.Error("the poll was buried: its blind spot stays open")
		}
	})
}

func TestAnErrorSaysWhatHappensNext(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state syncqueue.State
		due   time.Duration
	}{
		"permanent":    {syncqueue.Permanent(errors.New("gone for good")), syncqueue.Dead, 0},
		"after":        {syncqueue.After(time.Date(2000, 1, 1, 0, 7, 0, 0, time.UTC), errors.New("later")), syncqueue.Waiting, 7 * time.Minute},
		"rate limited": {&providers.ForgeError{Op: "GET /x", Class: providers.ErrLimited, After: time.Date(2000, 1, 1, 0, 9, 0, 0, time.UTC)}, syncqueue.Waiting, 9 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w := work(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
					return syncqueue.Outcome{}, c.err
				})
				defer w.stop()
				id := w.push(app())[0]
				synctest.Wait()
				j := w.job(id)
				if got := j.StateAt(time.Now()); got != c.state {
					t.Errorf("state %s, want %s", got, c.state)
				}
				if c.due > 0 && !j.NotBefore.Equal(start.Add(c.due)) {
					t.Errorf("due %s, want %s", j.NotBefore, start.Add(c.due))
				}
			})
		})
	}
}

func TestShutdownGivesTheAttemptBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := work(t, func(ctx context.Context, _ syncqueue.Lease) (syncqueue.Outcome, error) {
			<-ctx.Done()
			return syncqueue.Outcome{}, context.Cause(ctx)
		})
		id := w.push(app())[0]
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Leased || j.Attempts != 1 {
			t.Fatalf("before the stop: %s, %d attempts", j.State, j.Attempts)
		}
		start := time.Now()
		w.stop()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("drained for %s, want the whole 10s that a running job may have", took)
		}
		if j := w.job(id); j.State != syncqueue.Ready || j.Attempts != 0 {
			t.Errorf("after the stop: %s, %d attempts, want it ready with none", j.State, j.Attempts)
		}
	})
}

func TestARunningJobMayEndDuringTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := work(t, func(ctx context.Context, _ syncqueue.Lease) (syncqueue.Outcome, error) {
			select {
			case <-time.After(5 * time.Second):
				return syncqueue.Outcome{}, nil
			case <-ctx.Done():
				return syncqueue.Outcome{}, ctx.Err()
			}
		})
		id := w.push(app())[0]
		synctest.Wait()
		w.stop()
		if j := w.job(id); j.State != syncqueue.Done {
			t.Errorf("state %s, want done", j.State)
		}
	})
}

func TestALongJobKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		w := work(t, func(ctx context.Context, _ syncqueue.Lease) (syncqueue.Outcome, error) {
			runs++
			select {
			case <-time.After(10 * time.Minute): // twenty times the lease
				return syncqueue.Outcome{}, nil
			case <-ctx.Done():
				return syncqueue.Outcome{}, ctx.Err()
			}
		})
		defer w.stop()
		id := w.push(app())[0]
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Done || runs != 1 {
			t.Errorf("state %s after %d runs, want done after one", j.State, runs)
		}
	})
}

func TestAHangingForgeDoesNotDelayTheCIServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := work(t, func(ctx context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
			if l.Job.Kind == syncqueue.KindRepo {
				<-ctx.Done()
			}
			return syncqueue.Outcome{}, ctx.Err()
		})
		defer w.stop()
		for _, id := range []string{"1", "2", "3", "4"} {
			w.push(syncqueue.RepoJob("git", providers.Repo{ID: id, Org: acme}, syncqueue.LaneRemoval, time.Now()))
		}
		id := w.push(syncqueue.PublishJob("drone", "git", providers.User{ID: "7"}, syncqueue.Job{}, syncqueue.LanePoll, time.Now()))[0]
		synctest.Wait()
		if j := w.job(id); j.State != syncqueue.Done {
			t.Errorf("the publish job is %s behind the hanging forge", j.State)
		}
	})
}

func TestAPushWhileTheJobRunsMakesItRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		w := work(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			runs++
			time.Sleep(time.Second)
			return syncqueue.Outcome{}, nil
		})
		defer w.stop()
		w.push(app())
		time.Sleep(500 * time.Millisecond)
		w.push(app())
		w.push(app())
		time.Sleep(time.Minute)
		synctest.Wait()
		if runs != 2 {
			t.Errorf("%d runs, want 2: one that began after the last push, and no more", runs)
		}
	})
}

func TestAJobThatKillsItsWorkerEndsAsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := memory.New(memory.Options{Now: time.Now})
		ids, err := db.Enqueue(t.Context(), syncqueue.Cause{By: "test", At: time.Now()}, app())
		if err != nil {
			t.Fatal(err)
		}
		for range 16 { // lives that ended during the job
			if _, err := db.Lease(t.Context(), time.Second, syncqueue.Filter{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		ran := false
		p := &syncqueue.Pool{
			Queue: db, TTL: time.Minute, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Peers: []syncqueue.Peer{{Provider: "git"}}, Workers: 1,
			Handler: handlerFunc(func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
				ran = true
				return syncqueue.Outcome{}, nil
			}),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		synctest.Wait()
		j, err := db.Job(t.Context(), ids[0])
		cancel()
		<-done
		if err != nil || ran || j.State != syncqueue.Dead {
			t.Errorf("state %s, ran %v (%v): want a dead letter that did not run again", j.State, ran, err)
		}
	})
}
