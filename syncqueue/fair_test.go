package syncqueue_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

var (
	git, hub  = syncqueue.Peer{Provider: "git"}, syncqueue.Peer{Provider: "hub"}
	drone, ci = syncqueue.Peer{Target: "drone"}, syncqueue.Peer{Target: "ci"}
)

// run starts a pool of eight workers for each peer over an engine in memory.
func run(t *testing.T, h handlerFunc, set func(*syncqueue.Pool)) (db *memory.DB, stop func()) {
	t.Helper()
	db = memory.New(memory.Options{Now: time.Now})
	p := &syncqueue.Pool{
		Queue: db, Handler: h, TTL: time.Hour, Peers: []syncqueue.Peer{git, hub, drone, ci}, Workers: 8,
		Backoff: syncqueue.Backoff{First: time.Second, Max: time.Minute, GiveUp: time.Hour},
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
	}
	if set != nil {
		set(p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	return db, func() { cancel(); <-done }
}

func push(t *testing.T, db *memory.DB, jobs ...syncqueue.Job) {
	t.Helper()
	if _, err := db.Enqueue(t.Context(), syncqueue.Cause{By: "test", At: time.Now()}, jobs...); err != nil {
		t.Fatal(err)
	}
}

func repoJob(provider, org, id string, lane syncqueue.Lane) syncqueue.Job {
	return syncqueue.RepoJob(provider, providers.Repo{ID: id, Org: providers.Org{ID: org}}, lane, time.Now())
}

// TestWhatHangsDelaysNobodyElse hangs one of two forges and one of two CI
// servers for good, with more jobs of every kind than there are workers.
func TestWhatHangsDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ended := map[string]time.Duration{}
		start := time.Now()
		db, stop := run(t, func(ctx context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
			if p := l.Job.Peer(); p == git || p == drone {
				<-ctx.Done()
				return syncqueue.Outcome{}, ctx.Err()
			}
			if l.Job.Looks < 3 && l.Job.Kind == syncqueue.KindPublish {
				return syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: time.Now().Add(2 * time.Second)}, nil
			}
			mu.Lock()
			ended[string(l.Job.Key)] = time.Since(start)
			mu.Unlock()
			return syncqueue.Outcome{}, nil
		}, nil)
		org := providers.Org{ID: "5"}
		wants := map[string]time.Duration{}
		for i := range 20 {
			u := providers.User{ID: fmt.Sprint(i)}
			for _, provider := range []string{"git", "hub"} {
				jobs := []syncqueue.Job{
					repoJob(provider, "5", fmt.Sprint(i), syncqueue.LaneRemoval),
					syncqueue.MemberJob(provider, u, org, syncqueue.LaneAddition, start),
					syncqueue.UserJob(provider, u, syncqueue.LaneReconcile, start),
					syncqueue.PollJob(provider, "members", providers.Org{ID: fmt.Sprint(i)}, start),
				}
				push(t, db, jobs...)
				for _, j := range jobs {
					if provider == "hub" {
						wants[string(j.Key)] = 0
					}
				}
			}
			for _, target := range []string{"drone", "ci"} {
				j := syncqueue.PublishJob(target, "git", u, syncqueue.Job{Org: "5"}, syncqueue.LaneAddition, start)
				push(t, db, j)
				if target == "ci" {
					wants[string(j.Key)] = 6 * time.Second // three looks
				}
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		stop()
		mu.Lock()
		defer mu.Unlock()
		for key, want := range wants {
			if at, ok := ended[key]; !ok || at != want {
				t.Errorf("%s ended %v after %s, want after %s", key, ok, at, want)
			}
		}
	})
}

func TestARemovalFindsAWorkerAmongLongPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var removed atomic.Bool
		db, stop := run(t, func(_ context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
			if l.Job.Kind == syncqueue.KindPoll {
				time.Sleep(time.Hour)
			} else {
				removed.Store(true)
			}
			return syncqueue.Outcome{}, nil
		}, func(p *syncqueue.Pool) { p.TTL = 24 * time.Hour })
		defer stop()
		for i := range 20 {
			push(t, db, syncqueue.PollJob("git", "members", providers.Org{ID: fmt.Sprint(i)}, time.Now()))
		}
		time.Sleep(time.Minute)
		push(t, db, repoJob("git", "5", "41", syncqueue.LaneRemoval))
		synctest.Wait()
		if !removed.Load() {
			t.Error("the removal waits for a poll to end")
		}
	})
}

// TestAFloodOfOneOrganizationDelaysTheOthersLittle lets one organization push a
// hundred times as many events as the others together, and takes the time from
// an event until its publish job ended. Each job takes a tenth of a second of
// the bubble's time, so the times are those of the schedule alone.
func TestAFloodOfOneOrganizationDelaysTheOthersLittle(t *testing.T) {
	const events, flood = 20, 100
	p99 := func(loud int) (out time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var took []time.Duration
			db, stop := run(t, func(_ context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
				time.Sleep(100 * time.Millisecond)
				if l.Job.Kind == syncqueue.KindRepo {
					u := providers.User{ID: l.Job.Subject.ID}
					return syncqueue.Outcome{Follow: []syncqueue.Job{syncqueue.PublishJob("drone", "git", u, l.Job, l.Job.Lane, time.Now())}}, nil
				}
				if l.Job.Org != "loud" {
					mu.Lock()
					took = append(took, time.Since(l.Job.Since))
					mu.Unlock()
				}
				return syncqueue.Outcome{}, nil
			}, nil)
			var jobs []syncqueue.Job
			for i := range loud {
				jobs = append(jobs, repoJob("git", "loud", fmt.Sprint("loud", i), syncqueue.LaneAddition))
			}
			push(t, db, jobs...)
			for i := range events {
				time.Sleep(730 * time.Millisecond) // in step with nothing
				j := repoJob("git", fmt.Sprint("quiet", i%3), fmt.Sprint(i), syncqueue.LaneAddition)
				j.Since = time.Now()
				push(t, db, j)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			stop()
			if len(took) != events {
				t.Fatalf("%d of %d events were published", len(took), events)
			}
			slices.Sort(took)
			out = took[len(took)*99/100]
		})
		return out
	}
	quiet, loud := p99(0), p99(events*flood)
	t.Logf("p99 of the others: %s alone, %s under the flood", quiet, loud)
	if loud >= 2*quiet {
		t.Errorf("p99 is %s under the flood and %s without", loud, quiet)
	}
}

func TestAJobWithoutBudgetKeepsItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limited atomic.Bool
		limited.Store(true)
		db, stop := run(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			if limited.Load() {
				return syncqueue.Outcome{}, &providers.ForgeError{Op: "GET /x", Class: providers.ErrLimited, After: time.Now().Add(time.Hour)}
			}
			return syncqueue.Outcome{}, nil
		}, nil)
		defer stop()
		push(t, db, app())
		time.Sleep(30*time.Hour + time.Minute) // longer than anything else is retried
		synctest.Wait()
		jobs, _, err := db.Jobs(t.Context(), syncqueue.JobQuery{}, "", 10)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		j := jobs[0]
		if j.StateAt(time.Now()) != syncqueue.Waiting || j.Attempts != 0 || !j.Failing.IsZero() || j.LastError == "" {
			t.Errorf("%s after %d attempts, failing since %s, %q", j.StateAt(time.Now()), j.Attempts, j.Failing, j.LastError)
		}
		limited.Store(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		if j, err = db.Job(t.Context(), j.ID); err != nil || j.State != syncqueue.Done || j.LastError != "" {
			t.Errorf("%s, %q (%v)", j.State, j.LastError, err)
		}
	})
}

// TestNothingIsLeasedWhileItsBudgetIsOut counts what the handler is given.
func TestNothingIsLeasedWhileItsBudgetIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		reset := start.Add(20 * time.Minute)
		var mu sync.Mutex
		var ran []string
		db, stop := run(t, func(_ context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
			mu.Lock()
			ran = append(ran, fmt.Sprint(l.Job.Provider, l.Job.Target, " ", l.Job.Subject.ID, " ", time.Since(start)))
			mu.Unlock()
			return syncqueue.Outcome{}, nil
		}, func(p *syncqueue.Pool) {
			p.Held = func() syncqueue.Held {
				if !time.Now().Before(reset) {
					return syncqueue.Held{}
				}
				return syncqueue.Held{Holds: []syncqueue.Hold{{Provider: "git", From: syncqueue.LaneAddition}}, Until: reset}
			}
		})
		defer stop()
		push(t, db, repoJob("git", "5", "1", syncqueue.LaneAddition), repoJob("git", "5", "2", syncqueue.LaneRemoval),
			repoJob("hub", "5", "3", syncqueue.LaneReconcile),
			syncqueue.PublishJob("drone", "git", providers.User{ID: "7"}, syncqueue.Job{Org: "5"}, syncqueue.LaneAddition, start))
		time.Sleep(time.Hour)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(ran)
		want := []string{"git 1 20m0s", "git 2 0s", "gitdrone 7 0s", "hub 3 0s"}
		if !slices.Equal(ran, want) {
			t.Errorf("ran %q, want %q", ran, want)
		}
	})
}

func TestAJobOfAPeerThatIsGoneIsStillLeased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, stop := run(t, func(context.Context, syncqueue.Lease) (syncqueue.Outcome, error) {
			return syncqueue.Outcome{}, syncqueue.Permanent(fmt.Errorf("not configured any more"))
		}, nil)
		defer stop()
		push(t, db, repoJob("former", "5", "1", syncqueue.LaneAddition))
		synctest.Wait()
		if s, err := db.Stats(t.Context()); err != nil || s.Jobs[syncqueue.Dead] != 1 {
			t.Errorf("%+v (%v), want a dead letter that says why", s.Jobs, err)
		}
	})
}
