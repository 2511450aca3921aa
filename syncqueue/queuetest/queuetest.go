// Package queuetest is the examination that every engine passes: the contract
// of syncqueue's Queue, Journal and Console, claim by claim.
//
// Each claim runs in a bubble of testing/synctest: time stands still but for
// what the claim waits for. An engine under test takes its time from
// Options.Now.
package queuetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// An Engine is what is examined. What it forgets is examined too: it has to be a
// storage.Maintainer.
type Engine interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Console
	syncqueue.Backlog
}

// Options are what a claim asks of the engine it opens.
type Options struct {
	Now       func() time.Time
	Dir       string // where it keeps its data, if it does: the same again finds them again
	Retention storage.Retention
}

// Open opens an engine, whose end is the test's or the returned function's,
// whichever comes first.
type Open func(t *testing.T, o Options) (e Engine, shut func())

// Run examines an engine.
func Run(t *testing.T, open func(t *testing.T, o Options) Engine) {
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{T: t, ctx: t.Context()}
				b.Engine = open(t, Options{Now: b.now, Dir: t.TempDir(), Retention: retention})
				c.check(b)
			})
		})
	}
}

// RunDurable examines what is left when an engine is shut and opened again.
func RunDurable(t *testing.T, open Open) {
	for _, c := range durable {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{T: t, ctx: t.Context()}
				o := Options{Now: b.now, Dir: t.TempDir(), Retention: retention}
				var shut func()
				b.Engine, shut = open(t, o)
				c.check(b, func() {
					shut()
					b.Engine, shut = open(t, o)
				})
			})
		})
	}
}

var retention = storage.Retention{Deliveries: 30 * 24 * time.Hour, Bodies: 7 * 24 * time.Hour}

// A bench is an engine on the test bench, with what claims say often.
type bench struct {
	*testing.T
	Engine
	ctx  context.Context
	n    int
	skew atomic.Int64 // nanoseconds by which the engine's clock goes wrong
}

// now is the engine's clock.
func (b *bench) now() time.Time { return time.Now().Add(time.Duration(b.skew.Load())) }

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("the error is %v, want %v", err, want)
	}
}

const ttl = time.Minute

var acme = providers.Org{ID: "5", Name: "acme"}

func repoOf(id string, org providers.Org) providers.Repo {
	return providers.Repo{ID: id, Path: org.Name + "/" + id, Org: org, Visibility: providers.Private}
}

// job is a job about a repository of acme, due now.
func job(id string) syncqueue.Job {
	return syncqueue.RepoJob("git", repoOf(id, acme), syncqueue.LaneAddition, time.Now())
}

func in(d time.Duration, j syncqueue.Job) syncqueue.Job {
	j.NotBefore = j.NotBefore.Add(d)
	return j
}

// entry is a delivery that came now.
func (b *bench) entry(guid string) syncqueue.Entry {
	b.n++
	return syncqueue.Entry{
		Delivery: providers.Delivery{
			ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: guid,
			Header: map[string][]string{"X-Event": {"repository"}},
			Body:   fmt.Appendf(nil, `{"delivery":%d}`, b.n), Secret: 1, Received: time.Now(),
		},
		Event:  providers.Event{Name: "repository.created", Repo: &providers.Repo{ID: "41", Path: "acme/41"}, Org: acme, Effect: providers.EffectRepo},
		Result: syncqueue.EntryAccepted,
	}
}

// caused gives a job the delivery as its cause, as JobsFor does.
func caused(e syncqueue.Entry, j syncqueue.Job) syncqueue.Job {
	j.Since = e.Delivery.Received
	j.Causes = []syncqueue.Cause{syncqueue.CauseOf(e.Delivery, e.Event)}
	return j
}

// push pushes a delivery with a job that it caused.
func (b *bench) push(guid string, jobs ...syncqueue.Job) syncqueue.Entry {
	b.Helper()
	e := b.entry(guid)
	for i := range jobs {
		jobs[i] = caused(e, jobs[i])
	}
	_, err := b.Push(b.ctx, e, jobs...)
	b.ok(err)
	return e
}

func (b *bench) enqueue(jobs ...syncqueue.Job) []string {
	b.Helper()
	ids, err := b.Enqueue(b.ctx, syncqueue.Cause{By: "operator ana", At: time.Now()}, jobs...)
	b.ok(err)
	return ids
}

// lease leases what is due now and fails if nothing is.
func (b *bench) lease(f ...syncqueue.Filter) syncqueue.Lease {
	b.Helper()
	l, ok := b.tryLease(f...)
	if !ok {
		b.Fatal("no job is due")
	}
	return l
}

// none fails if a job is due.
func (b *bench) none(f ...syncqueue.Filter) {
	b.Helper()
	if l, ok := b.tryLease(f...); ok {
		b.Fatalf("the job %s is due, want none", l.Job.Key)
	}
}

func (b *bench) tryLease(f ...syncqueue.Filter) (syncqueue.Lease, bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Nanosecond)
	defer cancel()
	l, err := b.Lease(ctx, ttl, append(f, syncqueue.Filter{})[0])
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		b.Fatal(err)
	}
	return l, err == nil
}

func (b *bench) complete(l syncqueue.Lease, o syncqueue.Outcome) storage.Applied {
	b.Helper()
	a, err := b.Complete(b.ctx, l, o)
	b.ok(err)
	return a
}

// state reads a job back and fails unless it is in a state.
func (b *bench) state(id string, want syncqueue.State) syncqueue.Job {
	b.Helper()
	j, err := b.Job(b.ctx, id)
	b.ok(err)
	if got := j.StateAt(time.Now()); got != want {
		b.Fatalf("the job is %s, want %s", got, want)
	}
	return j
}

// sleep lets time pass.
func (b *bench) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// same compares plain values, and times as instants.
func (b *bench) same(got, want any) {
	b.Helper()
	at, ok := got.(time.Time)
	wanted, also := want.(time.Time)
	if ok && also && at.Equal(wanted) {
		return
	}
	if got != want {
		b.Fatalf("got %v, want %v", got, want)
	}
}
