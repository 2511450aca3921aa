package handlers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// atOnce is how many commits of one call run at a time: the store groups them.
const atOnce = 16

// Steering is what operators do to deliveries and jobs. The API and the
// dashboard do it through the same one; neither asks it who may.
type Steering struct {
	Queue    syncqueue.Queue
	Journal  syncqueue.Journal
	Console  syncqueue.Console
	Provider func(name string) bool // whether it is configured
	Timing   syncqueue.Timing
	Now      func() time.Time
}

// Steering returns the steering of what the admin listener serves.
func (a Admin) Steering() Steering {
	s := Steering{Queue: a.Queue, Journal: a.Journal, Console: a.Console, Timing: a.Timing, Now: a.Now}
	if a.Desk != nil {
		s.Provider = a.Desk.HasProvider
	}
	return s
}

// Redeliver pushes the jobs of a delivery as if it came now, past the dedupe,
// and counts them.
func (s Steering) Redeliver(ctx context.Context, id string) (jobs int, err error) {
	rec, plan, err := s.plan(ctx, id)
	if err != nil {
		return 0, err
	}
	return len(plan), s.replay(ctx, rec, plan)
}

// plan finds a delivery and the jobs that redelivering it would push.
func (s Steering) plan(ctx context.Context, id string) (syncqueue.Record, []syncqueue.Job, error) {
	rec, err := s.Journal.Delivery(ctx, id)
	if err != nil {
		return rec, nil, err
	}
	if !s.Provider(rec.Delivery.Provider) {
		return rec, nil, conflict("its provider is not configured any more")
	}
	return rec, s.jobsAgain(rec), nil
}

// jobsAgain returns the jobs of a delivery as if it came now. What was ignored
// stays ignored: an organization configured since is filled as a whole.
func (s Steering) jobsAgain(rec syncqueue.Record) []syncqueue.Job {
	if rec.Result != syncqueue.EntryAccepted {
		return nil
	}
	return syncqueue.JobsFor(rec.Delivery, rec.Event, s.Timing, s.Now())
}

func (s Steering) replay(ctx context.Context, rec syncqueue.Record, jobs []syncqueue.Job) error {
	if len(jobs) == 0 {
		return nil
	}
	c := syncqueue.Cause{Delivery: rec.Delivery.ID, By: "replay", Event: rec.Event.Name, At: s.Now()}
	_, err := s.Queue.Enqueue(ctx, c, jobs...)
	return err
}

// replayAll pushes every delivery's jobs; the first error ends it. What was
// pushed by then stays, and pushing it again does no harm: jobs coalesce.
func (s Steering) replayAll(ctx context.Context, records []syncqueue.Record, plans [][]syncqueue.Job) error {
	return each(ctx, records, func(ctx context.Context, i int) error {
		if err := s.replay(ctx, records[i], plans[i]); err != nil {
			return fmt.Errorf("replay %s: %w", records[i].Delivery.ID, err)
		}
		return nil
	})
}

// Retry makes a waiting, parked or dead job due now.
func (s Steering) Retry(ctx context.Context, id string) (syncqueue.Job, error) {
	j, err := s.Console.Job(ctx, id)
	switch {
	case err != nil:
		return j, err
	case j.State == syncqueue.Done:
		return j, conflict("the job is done: ask for a sync to have it done again")
	}
	return s.Console.Revive(ctx, j.ID)
}

// Drop ends a job that does not run.
func (s Steering) Drop(ctx context.Context, id string) error {
	j, err := s.Console.Job(ctx, id)
	switch {
	case err != nil:
		return err
	case j.State == syncqueue.Done:
		return conflict("the job is done: there is nothing to drop")
	}
	return s.Console.Drop(ctx, j.ID)
}

// RetryAll retries the jobs of these ids and counts them. What ended or began
// to run since they were listed is nobody's fault and left out.
func (s Steering) RetryAll(ctx context.Context, ids []string) (done int, err error) {
	return all(ctx, ids, func(ctx context.Context, id string) error {
		_, err := s.Console.Revive(ctx, id)
		return err
	})
}

// DropAll is RetryAll that drops.
func (s Steering) DropAll(ctx context.Context, ids []string) (done int, err error) {
	return all(ctx, ids, s.Console.Drop)
}

// Explain returns what an error means to the caller: a status of HTTP, and
// words that hold nothing of the store's insides.
func (s Steering) Explain(err error) (status int, detail string) { return explain(err) }

func all(ctx context.Context, ids []string, do func(context.Context, string) error) (int, error) {
	var done atomic.Int64
	err := each(ctx, ids, func(ctx context.Context, i int) error {
		err := do(ctx, ids[i])
		switch {
		case errors.Is(err, syncqueue.ErrUnknown), errors.Is(err, syncqueue.ErrBusy):
			return nil
		case err == nil:
			done.Add(1)
		}
		return err
	})
	return int(done.Load()), err
}

// each calls do for every index of list, several at once; the first error ends
// it.
func each[T any](ctx context.Context, list []T, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	work := make(chan int)
	for range min(atOnce, len(list)) {
		wg.Go(func() {
			for i := range work {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}
