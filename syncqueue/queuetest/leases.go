package queuetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

var errBroken = errors.New("it is broken")

func pushWhileLeasedRunsAgain(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	second := b.push("g2", in(2*time.Second, job("1")))
	b.none()
	b.state(l.Job.ID, syncqueue.Leased)
	a := b.complete(l, syncqueue.Outcome{})
	b.same(a.Rerun, true)
	j := b.state(l.Job.ID, syncqueue.Waiting)
	b.diff(j.Causes, []syncqueue.Cause{syncqueue.CauseOf(second.Delivery, second.Event)})
	b.same(j.Since, second.Delivery.Received)
	b.sleep(2 * time.Second)
	l = b.lease()
	b.same(l.Job.Attempts, 1)
	b.same(b.complete(l, syncqueue.Outcome{}).Rerun, false)
	b.state(l.Job.ID, syncqueue.Done)
}

func pushWhileLeasedParked(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.push("g2", in(2*time.Second, job("1")))
	a := b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential"})
	b.same(a.Rerun, true)
	b.none()
	b.sleep(2 * time.Second)
	b.same(len(b.lease().Job.Causes), 2)
}

func pushWhileLeasedBuried(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.push("g2", in(2*time.Second, job("1")))
	b.ok(b.Bury(b.ctx, l, errBroken))
	b.sleep(2 * time.Second)
	again := b.lease()
	b.same(len(again.Job.Causes), 2)
	b.same(again.Job.Attempts, 1)
}

func pushWhileLeasedAgain(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.push("g2", in(2*time.Second, job("1")))
	a := b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: time.Now().Add(time.Hour)})
	b.same(a.Rerun, true)
	b.sleep(2 * time.Second)
	again := b.lease()
	b.same(len(again.Job.Causes), 2)
	b.same(again.Job.Looks, 0)
}

func pushWhileLeasedExpired(b *bench) {
	b.push("g1", job("1"))
	b.lease()
	b.push("g2", job("1"))
	b.sleep(ttl)
	l := b.lease()
	b.same(len(l.Job.Causes), 2)
	b.complete(l, syncqueue.Outcome{})
	b.state(l.Job.ID, syncqueue.Done)
}

func pushWhileBackingOff(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.ok(b.Retry(b.ctx, l, time.Now().Add(time.Minute), errBroken))
	b.push("g2", job("1"))
	b.none()
	b.sleep(time.Minute)
	b.same(len(b.lease().Job.Causes), 2)
}

func lowerLanesGoFirst(b *bench) {
	lanes := []syncqueue.Lane{syncqueue.LaneReconcile, syncqueue.LanePoll, syncqueue.LaneAddition, syncqueue.LaneRemoval}
	for i, lane := range lanes {
		j := job(fmt.Sprint(i))
		j.Lane = lane
		b.enqueue(j)
		b.sleep(time.Second)
	}
	for want := range len(lanes) {
		b.same(b.lease().Job.Lane, syncqueue.Lane(want))
	}
}

func organizationsTakeTurns(b *bench) {
	for i := range 10 {
		b.enqueue(orgJob("a", fmt.Sprint("a", i)))
		b.sleep(time.Millisecond)
	}
	b.enqueue(orgJob("b", "b1"), orgJob("c", "c1"), orgJob("", "none"))
	b.sleep(time.Millisecond)
	b.enqueue(orgJob("b", "b2"), orgJob("c", "c2"))
	var got []string
	for range 8 {
		got = append(got, b.lease().Job.Org)
	}
	b.diff(got, []string{"a", "b", "c", "", "a", "b", "c", "a"})
}

func longestDueFirst(b *bench) {
	j := syncqueue.UserJob("git", providers.User{ID: "7"}, syncqueue.LaneAddition, time.Now().Add(-2*time.Second))
	j.Org = acme.ID
	b.enqueue(job("1"), in(-time.Second, job("2")), in(-3*time.Second, job("3")), j)
	b.same(b.lease().Job.Subject.ID, "3")
	b.same(b.lease().Job.Kind, syncqueue.KindUser)
	b.same(b.lease().Job.Subject.ID, "2")
	b.same(b.lease().Job.Subject.ID, "1")
}

func filterNarrows(b *bench) {
	b.enqueue(orgJob("a", "1"), orgJob("b", "2"), syncqueue.SweepJob("git", time.Now()))
	only := syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindPublish, syncqueue.KindSweep}}
	skip := syncqueue.Filter{Held: []syncqueue.Hold{{Provider: "git", Org: "a"}}}
	b.same(b.lease(only).Job.Kind, syncqueue.KindSweep)
	b.none(only)
	b.same(b.lease(skip).Job.Org, "b")
	b.none(skip)
	b.same(b.lease().Job.Org, "a")
}

func attemptsCountedAtLease(b *bench) {
	b.enqueue(job("1"))
	for want := 1; want <= 3; want++ {
		l := b.lease()
		b.same(l.Job.Attempts, want)
		b.same(b.state(l.Job.ID, syncqueue.Leased).Attempts, want)
		b.ok(b.Retry(b.ctx, l, time.Now(), errBroken))
	}
	l := b.lease()
	b.complete(l, syncqueue.Outcome{})
	b.same(b.state(l.Job.ID, syncqueue.Done).Attempts, 4)
}

func releasedGivesBack(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	b.ok(b.Retry(b.ctx, l, time.Now(), fmt.Errorf("draining: %w", syncqueue.ErrReleased)))
	j := b.state(l.Job.ID, syncqueue.Ready)
	b.same(j.Attempts, 0)
	b.same(j.LastError, "")
	b.same(j.Failing.IsZero(), true)
	b.same(b.lease().Job.Attempts, 1)
}

func retryKeepsTheCause(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	start := time.Now()
	b.ok(b.Retry(b.ctx, l, start.Add(time.Minute), errBroken))
	j := b.state(l.Job.ID, syncqueue.Waiting)
	b.same(j.LastError, errBroken.Error())
	b.same(j.NotBefore, start.Add(time.Minute))
	b.same(j.Failing, start)
	b.diff(j.Causes, l.Job.Causes)
	b.sleep(time.Minute)
	l = b.lease()
	b.ok(b.Retry(b.ctx, l, time.Now(), errors.New("something else")))
	j = b.state(l.Job.ID, syncqueue.Ready)
	b.same(j.LastError, "something else")
	b.same(j.Failing, start)
	l = b.lease()
	b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: time.Now()})
	j = b.state(l.Job.ID, syncqueue.Ready)
	b.same(j.LastError, "")
	b.same(j.Failing.IsZero(), true)
}

func (b *bench) lost(l syncqueue.Lease) {
	b.Helper()
	before, err := b.Job(b.ctx, l.Job.ID)
	b.ok(err)
	a, err := b.Complete(b.ctx, l, syncqueue.Outcome{Follow: []syncqueue.Job{job("99")}})
	b.is(err, syncqueue.ErrLost)
	b.diff(a, storage.Applied{})
	b.is(b.Retry(b.ctx, l, time.Now(), errBroken), syncqueue.ErrLost)
	b.is(b.Bury(b.ctx, l, errBroken), syncqueue.ErrLost)
	_, err = b.Extend(b.ctx, l, ttl)
	b.is(err, syncqueue.ErrLost)
	after, err := b.Job(b.ctx, l.Job.ID)
	b.ok(err)
	b.diff(after, before)
}

func staleLeaseIsNoop(b *bench) {
	b.enqueue(job("1"))
	stale := b.lease()
	b.sleep(ttl)
	l := b.lease()
	b.lost(stale)
	b.complete(l, syncqueue.Outcome{})
	b.lost(stale)
	b.lost(l)
	b.none()
}

func leaseEndsOnTime(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	b.sleep(ttl)
	b.lost(l)
}

func extendMovesTheEnd(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	b.sleep(ttl / 2)
	ext, err := b.Extend(b.ctx, l, ttl)
	b.ok(err)
	b.same(ext.Until, time.Now().Add(ttl))
	b.same(ext.Fence, l.Fence)
	b.sleep(ttl - time.Second)
	b.none()
	// Whoever extended may end the run with the lease as it was.
	b.complete(l, syncqueue.Outcome{})
}

func expiredLease(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.sleep(ttl - time.Second)
	b.none()
	b.sleep(time.Second)
	again := b.lease()
	b.same(again.Job.ID, l.Job.ID)
	b.same(again.Job.Attempts, 2)
	b.same(again.Job.Failing, time.Now())
	b.diff(again.Job.Causes, l.Job.Causes)
}

func fencesRise(b *bench) {
	b.enqueue(job("1"), job("2"), job("3"))
	last := uint64(0)
	for range 3 {
		l := b.lease()
		if l.Fence <= last {
			b.Fatalf("fence %d after %d", l.Fence, last)
		}
		last = l.Fence
		b.ok(b.Retry(b.ctx, l, time.Now(), nil))
	}
}

func leasedOnce(b *bench) {
	const jobs, workers = 40, 8
	for i := range jobs {
		b.enqueue(job(fmt.Sprint(i)))
	}
	leased := make(chan string, jobs)
	for range workers {
		go func() {
			for {
				l, err := b.Lease(b.ctx, ttl, syncqueue.Filter{})
				if err != nil {
					return
				}
				leased <- l.Job.Subject.ID
			}
		}()
	}
	seen := map[string]bool{}
	for range jobs {
		id := <-leased
		if seen[id] {
			b.Fatalf("the job of %s was leased twice", id)
		}
		seen[id] = true
	}
	b.sleep(time.Second)
	b.same(len(leased), 0)
}
