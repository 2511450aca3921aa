package syncqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// A Pool leases jobs, runs the handler, and turns what it returns into the one
// call that ends the lease.
type Pool struct {
	Queue   Queue
	Handler Handler
	Peers   []Peer // who is asked: each has workers of its own
	Workers int    // for each peer
	Limits  map[Peer]Limit
	Held    func() Held // what no job may be leased of now; may be nil
	Backoff Backoff
	TTL     time.Duration // of a lease; extended while the handler runs
	Drain   time.Duration // how long running handlers may go on after Run's ctx is done
	Observe func(Report)  // called after each run; may be nil
	Log     *slog.Logger
	Now     func() time.Time
	Rand    *rand.Rand // nil uses a random seed

	rand sync.Mutex
}

// A Report is one run of one job.
type Report struct {
	Job     Job
	Result  Result
	Outcome Outcome
	Applied storage.Applied
	Err     error
	Took    time.Duration
}

// Run works until ctx is done, then drains: running handlers may end within
// Drain, after which they are cancelled and their attempts given back. It
// returns when every worker has.
func (p *Pool) Run(ctx context.Context) {
	if p.Rand == nil {
		p.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, f := range p.filters() {
		wg.Go(func() { p.worker(ctx, work, f) })
	}
	stopped := make(chan struct{})
	go func() {
		wg.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
		return
	case <-ctx.Done():
	}
	t := time.NewTimer(p.Drain)
	defer t.Stop()
	select {
	case <-stopped:
	case <-t.C:
		cancel(ErrReleased)
		<-stopped
	}
}

func (p *Pool) worker(ctx, work context.Context, f Filter) {
	for ctx.Err() == nil {
		l, err := p.lease(ctx, f)
		switch {
		case err == nil:
			p.run(work, l)
		case ctx.Err() != nil || errors.Is(err, storage.ErrClosed):
			return
		case errors.Is(err, context.DeadlineExceeded): // what is held may have changed
		default:
			p.Log.Error("leasing a job failed", "err", err)
			pause(ctx, p.Backoff.First)
		}
	}
}

// errPoisonous is the cause of burying a job that nobody lived to report.
var errPoisonous = fmt.Errorf("%d workers in a row never came back from this job", maxCrashes)

// run handles one lease and ends it.
func (p *Pool) run(work context.Context, l Lease) {
	if Poisonous(l.Job) {
		r := Report{Job: l.Job, Err: Permanent(errPoisonous)}
		p.end(context.WithoutCancel(work), l, &r, false)
		p.report(r)
		return
	}
	ctx, cancel := context.WithCancelCause(work)
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		p.heartbeat(ctx, cancel, l)
	}()
	start := p.Now()
	o, err := p.handle(ctx, l)
	r := Report{Job: l.Job, Outcome: o, Err: err, Took: p.Now().Sub(start)}
	lost := context.Cause(ctx)
	cancel(nil)
	<-beat // no Extend may race with the end of the lease

	if errors.Is(lost, ErrLost) {
		r.Result = ResultLost
	} else {
		// Ending the lease must not be cut short: the work is done.
		end, stop := context.WithTimeout(context.WithoutCancel(work), 30*time.Second)
		defer stop()
		p.end(end, l, &r, errors.Is(lost, ErrReleased))
	}
	p.report(r)
}

func (p *Pool) report(r Report) {
	p.log(r)
	if p.Observe != nil {
		p.Observe(r)
	}
}

// handle calls the handler; a panic becomes a failed attempt.
func (p *Pool) handle(ctx context.Context, l Lease) (o Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			o, err = Outcome{}, &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return p.Handler.Handle(ctx, l)
}

// heartbeat extends the lease until ctx is done. A lost lease cancels the
// handler: what it reads can change nothing any more.
func (p *Pool) heartbeat(ctx context.Context, cancel context.CancelCauseFunc, l Lease) {
	t := time.NewTicker(max(p.TTL/3, time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		ext, err := p.Queue.Extend(context.WithoutCancel(ctx), l, p.TTL)
		if errors.Is(err, ErrLost) {
			cancel(ErrLost)
			return
		}
		if err == nil {
			l = ext
		}
	}
}

// end makes the one call that the handler's answer asks for.
func (p *Pool) end(ctx context.Context, l Lease, r *Report, released bool) {
	err := r.Err
	if err == nil {
		r.Result = r.Outcome.Result
		if r.Result == "" {
			r.Result = ResultDone
		}
		r.Applied, err = p.Queue.Complete(ctx, l, r.Outcome)
		if err == nil {
			return
		}
		r.Err = fmt.Errorf("committing the outcome: %w", err)
	}
	now := p.Now()
	var end error
	switch at, after := p.notBefore(r.Err); {
	case errors.Is(err, ErrLost):
		r.Result = ResultLost
		return
	case released:
		r.Result = ResultRetried
		end = p.Queue.Retry(ctx, l, now, errors.Join(ErrReleased, r.Err))
	case after && (errors.Is(err, providers.ErrLimited) || errors.Is(err, providers.ErrWithheld)):
		r.Result = ResultRetried
		end = p.Queue.Retry(ctx, l, at, Postponed(r.Err))
	case IsPermanent(r.Err) || p.givenUp(l.Job, now):
		r.Result = ResultBuried
		end = p.Queue.Bury(ctx, l, r.Err)
	case after:
		r.Result = ResultRetried
		end = p.Queue.Retry(ctx, l, at, r.Err)
	default:
		r.Result = ResultRetried
		p.rand.Lock()
		d := p.Backoff.Delay(l.Job.Attempts, p.Rand)
		p.rand.Unlock()
		end = p.Queue.Retry(ctx, l, now.Add(d), r.Err)
	}
	switch {
	case errors.Is(end, ErrLost):
		r.Result = ResultLost
	case end != nil:
		// The lease runs out by itself and the job comes back.
		p.Log.Error("ending a job failed", "job", l.Job.ID, "key", l.Job.Key, "err", end)
	}
}

// notBefore is when a failed job may run again, if its error says so.
func (p *Pool) notBefore(err error) (time.Time, bool) {
	if at, ok := NotBefore(err); ok {
		return at, true
	}
	var fe *providers.ForgeError
	if errors.As(err, &fe) && !fe.After.IsZero() {
		return fe.After, true
	}
	return time.Time{}, false
}

// givenUp reports whether a job failed for too long. What recurs never gives
// up: a poll that was buried would leave its blind spot open for good.
func (p *Pool) givenUp(j Job, now time.Time) bool {
	if j.Kind == KindPoll || j.Kind == KindSweep {
		return false
	}
	return p.Backoff.GiveUp > 0 && !j.Failing.IsZero() && now.Sub(j.Failing) >= p.Backoff.GiveUp
}

func (p *Pool) log(r Report) {
	level := slog.LevelDebug
	attrs := []any{
		"job", r.Job.ID, "kind", r.Job.Kind, "subject", r.Job.Subject.String(),
		"provider", r.Job.Provider, "attempt", r.Job.Attempts, "result", r.Result, "elapsed", r.Took,
	}
	if r.Job.Target != "" {
		attrs = append(attrs, "target", r.Job.Target)
	}
	if n := len(r.Job.Causes); n > 0 && r.Job.Causes[n-1].Delivery != "" {
		attrs = append(attrs, "delivery", r.Job.Causes[n-1].Delivery)
	}
	if r.Applied.Changed() > 0 {
		attrs = append(attrs, "granted", r.Applied.Granted, "revoked", r.Applied.Revoked, "altered", r.Applied.Altered)
		level = slog.LevelInfo
	}
	if r.Outcome.Note != "" {
		attrs = append(attrs, "note", r.Outcome.Note)
	}
	switch r.Result {
	case ResultRetried:
		level = slog.LevelWarn
	case ResultBuried:
		level = slog.LevelError
	case ResultParked:
		level = slog.LevelInfo
	}
	if r.Err != nil {
		attrs = append(attrs, "err", r.Err)
		var pe *PanicError
		if errors.As(r.Err, &pe) {
			attrs = append(attrs, "stack", string(pe.Stack))
		}
	}
	p.Log.Log(context.Background(), level, "job ran", attrs...)
}

// pause waits for d or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
