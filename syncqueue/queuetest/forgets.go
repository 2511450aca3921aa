package queuetest

import (
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

const day = 24 * time.Hour

// maintain forgets, if the engine does.
func (b *bench) maintain() storage.Swept {
	b.Helper()
	m, ok := b.Engine.(storage.Maintainer)
	if !ok {
		b.Fatal("the engine never forgets")
	}
	s, err := m.Maintain(b.ctx, time.Now())
	b.ok(err)
	return s
}

func doneJobsStay(b *bench) {
	e := b.push("g1", job("1"))
	l := b.lease()
	b.complete(l, syncqueue.Outcome{})
	b.sleep(29 * day)
	b.maintain()
	b.state(l.Job.ID, syncqueue.Done)
	b.sleep(2 * day)
	b.diff(b.maintain(), storage.Swept{Deliveries: 1, Jobs: 1})
	_, err := b.Job(b.ctx, l.Job.ID)
	b.is(err, syncqueue.ErrUnknown)
	_, err = b.Delivery(b.ctx, e.Delivery.ID)
	b.is(err, syncqueue.ErrUnknown)
}

func doneJobsGo(b *bench) {
	b.enqueue(job("1"))
	l := b.lease()
	b.complete(l, syncqueue.Outcome{})
	b.sleep(time.Hour)
	b.maintain()
	b.state(l.Job.ID, syncqueue.Done)
	b.sleep(time.Second)
	b.diff(b.maintain(), storage.Swept{Jobs: 1})
	_, err := b.Job(b.ctx, l.Job.ID)
	b.is(err, syncqueue.ErrUnknown)
	s, err := b.Stats(b.ctx)
	b.ok(err)
	b.same(s.Jobs[syncqueue.Done], 0)
}

func bodiesGoFirst(b *bench) {
	e := b.push("g1")
	b.sleep(8 * day)
	b.diff(b.maintain(), storage.Swept{Bodies: 1})
	_, err := b.Body(b.ctx, e.Delivery.ID)
	b.is(err, syncqueue.ErrUnknown)
	r, err := b.Delivery(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(r.HasBody, false)
	b.same(r.Size, len(e.Delivery.Body))
	b.diff(r.Event, e.Event)
	b.diff(b.maintain(), storage.Swept{})
}

func pendingKeeps(b *bench) {
	e := b.push("g1", in(40*day, job("1")), job("2"))
	b.complete(b.lease(), syncqueue.Outcome{})
	b.sleep(31 * day)
	b.maintain()
	jobs, err := b.JobsOf(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(len(jobs), 2)
	b.sleep(10 * day)
	b.complete(b.lease(), syncqueue.Outcome{})
	s := b.maintain()
	b.same(s.Deliveries, 1)
	b.same(s.Jobs, 2)
}

func forgottenGUID(b *bench) {
	first := b.push("g1")
	b.sleep(31 * day)
	b.maintain()
	r, err := b.Push(b.ctx, b.entry("g1"))
	b.ok(err)
	b.same(r.Fresh, true)
	if r.Delivery == first.Delivery.ID {
		b.Fatal("a forgotten delivery took another")
	}
}
