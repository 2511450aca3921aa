package queuetest

import (
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func parkedWaits(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential"})
	b.sleep(24 * time.Hour)
	b.none()
	j := b.state(l.Job.ID, syncqueue.Parked)
	b.same(j.Note, "no credential")
	b.same(j.Outcome, syncqueue.ResultParked)
	b.push("g2", job("1"))
	again := b.lease()
	b.same(again.Job.ID, l.Job.ID)
	b.same(len(again.Job.Causes), 2)
	b.same(again.Job.Note, "")
}

func buriedIsDead(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	at := time.Now()
	b.ok(b.Bury(b.ctx, l, errBroken))
	b.sleep(24 * time.Hour)
	b.none()
	j := b.state(l.Job.ID, syncqueue.Dead)
	b.same(j.LastError, errBroken.Error())
	b.same(j.Outcome, syncqueue.ResultBuried)
	b.same(j.Finished, at)
	b.same(j.Attempts, 1)
	b.push("g2", job("1"))
	b.same(b.lease().Job.Attempts, 1)
}

func reviveForces(b *bench) {
	ids := b.enqueue(in(time.Hour, job("waiting")), job("parked"))
	l := b.lease()
	b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: time.Now()})
	l = b.lease()
	b.same(l.Job.Looks, 1)
	b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "held"})
	for _, id := range ids {
		j, err := b.Revive(b.ctx, id)
		b.ok(err)
		b.diff(b.state(id, syncqueue.Ready), j)
		b.same(j.Force, true)
		b.same(j.Attempts, 0)
		b.same(j.Looks, 0)
		b.same(j.Note, "")
	}
	b.same(b.lease().Job.Force, true)
	b.lease()
}

func refuseLeasedAndDone(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	_, err := b.Revive(b.ctx, l.Job.ID)
	b.is(err, syncqueue.ErrBusy)
	b.is(b.Drop(b.ctx, l.Job.ID), syncqueue.ErrBusy)
	b.complete(l, syncqueue.Outcome{})
	_, err = b.Revive(b.ctx, l.Job.ID)
	b.is(err, syncqueue.ErrUnknown)
	b.is(b.Drop(b.ctx, l.Job.ID), syncqueue.ErrUnknown)
	_, err = b.Revive(b.ctx, "none")
	b.is(err, syncqueue.ErrUnknown)
	b.is(b.Drop(b.ctx, "none"), syncqueue.ErrUnknown)
}

func dropEnds(b *bench) {
	ids := b.enqueue(job("1"))
	b.ok(b.Drop(b.ctx, ids[0]))
	b.none()
	b.same(b.state(ids[0], syncqueue.Done).Outcome, syncqueue.ResultDropped)
	if now := b.enqueue(job("1")); now[0] == ids[0] {
		b.Fatal("a dropped job took another push")
	}
	b.lease()
}

func pauseStopsLease(b *bench) {
	b.ok(b.Pause(b.ctx, true))
	b.push("g1", job("1"))
	b.none()
	s, err := b.Stats(b.ctx)
	b.ok(err)
	b.same(s.Paused, true)
	b.ok(b.Pause(b.ctx, false))
	b.lease()
}

func recurring(b *bench) {
	poll := syncqueue.PollJob("git", "members", acme, time.Now())
	b.enqueue(poll)
	e := b.push("g1", poll)
	l := b.lease()
	b.same(l.Job.Since, e.Delivery.Received)
	next := time.Now().Add(5 * time.Minute)
	b.complete(l, syncqueue.Outcome{Next: next, Note: "nothing new"})
	j := b.state(l.Job.ID, syncqueue.Waiting)
	b.same(j.NotBefore, next)
	b.same(len(j.Causes), 0)
	b.same(j.Announced(), false)
	b.same(j.Attempts, 0)
	b.sleep(5 * time.Minute)
	b.same(b.lease().Job.ID, l.Job.ID)
}

func recurringPushed(b *bench) {
	poll := syncqueue.PollJob("git", "members", acme, time.Now())
	b.enqueue(poll)
	l := b.lease()
	b.enqueue(in(time.Hour, poll))
	b.same(b.complete(l, syncqueue.Outcome{Next: time.Now().Add(time.Minute)}).Rerun, true)
	b.sleep(time.Minute)
	b.same(len(b.lease().Job.Causes), 1)
}

func againLooks(b *bench) {
	b.push("g1", job("1"))
	l := b.lease()
	b.ok(b.Retry(b.ctx, l, time.Now(), errBroken))
	for looks := 1; looks <= 3; looks++ {
		l = b.lease()
		b.complete(l, syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: time.Now().Add(time.Second), Note: "not yet"})
		j := b.state(l.Job.ID, syncqueue.Waiting)
		b.same(j.Looks, looks)
		b.same(j.Attempts, 0)
		b.same(j.Note, "not yet")
		b.diff(j.Causes, l.Job.Causes)
		b.same(j.Since, l.Job.Since)
		b.none()
		b.sleep(time.Second)
	}
}

func followUps(b *bench) {
	e := b.push("g1", job("1"))
	l := b.lease()
	own := syncqueue.UserJob("git", providers.User{ID: "8"}, syncqueue.LanePoll, time.Now())
	own.Causes = []syncqueue.Cause{{By: "poll", At: time.Now()}}
	a := b.complete(l, syncqueue.Outcome{Follow: []syncqueue.Job{
		syncqueue.UserJob("git", providers.User{ID: "7"}, syncqueue.LaneAddition, time.Now()), own,
	}})
	b.same(a.Followed, 2)
	jobs, err := b.JobsOf(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(len(jobs), 2)
	follow := b.lease().Job
	b.diff(follow.Causes, l.Job.Causes)
	b.same(follow.Since, e.Delivery.Received)
	b.diff(b.lease().Job.Causes, own.Causes)
}

func followItself(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	a := b.complete(l, syncqueue.Outcome{Follow: []syncqueue.Job{job("1")}})
	b.same(a.Rerun, true)
	b.same(b.lease().Job.ID, l.Job.ID)
}
