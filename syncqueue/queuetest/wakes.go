package queuetest

import (
	"context"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// waiting starts a Lease that blocks and returns where its answer comes.
func (b *bench) waiting() <-chan syncqueue.Lease {
	out := make(chan syncqueue.Lease, 1)
	go func() {
		l, err := b.Lease(b.ctx, ttl, syncqueue.Filter{})
		if err == nil {
			out <- l
		}
	}()
	synctest.Wait()
	return out
}

// woken fails unless the blocked Lease answered at a time.
func (b *bench) woken(out <-chan syncqueue.Lease, at time.Time) {
	b.Helper()
	select {
	case <-out:
		b.same(time.Now(), at)
	case <-time.After(time.Hour):
		b.Fatal("Lease did not wake")
	}
}

func wakesOnPush(b *bench) {
	out := b.waiting()
	b.sleep(3 * time.Second)
	at := time.Now()
	b.push("g1", job("1"))
	b.woken(out, at)
}

func wakesWhenDue(b *bench) {
	at := time.Now().Add(10 * time.Minute)
	b.enqueue(in(10*time.Minute, job("1")))
	out := b.waiting()
	b.woken(out, at)

	at = time.Now().Add(time.Second)
	out = b.waiting()
	b.enqueue(in(time.Hour, job("2")))
	b.enqueue(in(time.Second, job("3")))
	b.woken(out, at)
}

func wakesOnResume(b *bench) {
	b.ok(b.Pause(b.ctx, true))
	b.enqueue(job("1"))
	out := b.waiting()
	b.sleep(time.Minute)
	at := time.Now()
	b.same(len(out), 0)
	b.ok(b.Pause(b.ctx, false))
	b.woken(out, at)
}

func wakesOnExpiry(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	b.woken(b.waiting(), l.Until)
}

func leaseEndsWithContext(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error)
	go func() {
		_, err := b.Lease(ctx, ttl, syncqueue.Filter{})
		done <- err
	}()
	synctest.Wait()
	cancel()
	b.is(<-done, context.Canceled)
}

func clockSetBack(b *bench) {
	b.enqueue(job("leased"))
	l := b.lease()
	b.enqueue(in(time.Second, job("waiting")))
	out := b.waiting()
	b.skew.Store(int64(-24 * time.Hour))
	b.same(b.soon(out).Job.Subject.ID, "waiting")
	b.same(b.soon(b.waiting()).Job.ID, l.Job.ID)
	b.lost(l)
}

// soon fails unless the blocked Lease answers within two minutes.
func (b *bench) soon(out <-chan syncqueue.Lease) syncqueue.Lease {
	b.Helper()
	select {
	case l := <-out:
		return l
	case <-time.After(2 * time.Minute):
		b.Fatal("Lease did not wake")
		panic("unreachable")
	}
}

func clockSetForward(b *bench) {
	b.enqueue(in(12*time.Hour, job("waiting")))
	out := b.waiting()
	b.skew.Store(int64(24 * time.Hour))
	b.sleep(time.Minute)
	b.same(len(out), 1)
}
