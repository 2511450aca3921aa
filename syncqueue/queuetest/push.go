package queuetest

import (
	"bytes"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func (b *bench) diff(got, want any) {
	b.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		b.Fatalf("want (-), got (+):\n%s", d)
	}
}

func orgJob(org, id string) syncqueue.Job {
	return syncqueue.RepoJob("git", repoOf(id, providers.Org{ID: org, Name: org}), syncqueue.LaneAddition, time.Now())
}

func pushJournalsAndQueues(b *bench) {
	e := b.entry("g1")
	r, err := b.Push(b.ctx, e, caused(e, job("1")), caused(e, in(time.Second, job("2"))))
	b.ok(err)
	b.same(r, syncqueue.Receipt{Delivery: e.Delivery.ID, Fresh: true, Jobs: 2})

	got, err := b.Delivery(b.ctx, e.Delivery.ID)
	b.ok(err)
	want := e
	want.Delivery.Body = nil
	b.diff(got, syncqueue.Record{Entry: want, Size: len(e.Delivery.Body), HasBody: true, JobCount: 2})

	jobs, err := b.JobsOf(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(len(jobs), 2)
	l := b.lease()
	b.same(l.Job.Subject.ID, "1")
	b.same(l.Until, time.Now().Add(ttl))
	b.same(l.Job.Created, e.Delivery.Received)
	b.diff(l.Job.Causes, []syncqueue.Cause{{Delivery: e.Delivery.ID, Event: "repository.created", At: e.Delivery.Received}})
	b.none()
}

// pushKeepsNothingOfTheBody: the intake reads the next body into the same memory.
func pushKeepsNothingOfTheBody(b *bench) {
	e := b.entry("g1")
	want := bytes.Clone(e.Delivery.Body)
	_, err := b.Push(b.ctx, e, caused(e, job("1")))
	b.ok(err)
	clear(e.Delivery.Body)
	got, err := b.Body(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(string(got.Body), string(want))
}

func duplicateChangesNothing(b *bench) {
	e := b.push("g1", job("1"))
	again := b.entry("g1")
	r, err := b.Push(b.ctx, again, caused(again, job("1")), caused(again, job("2")))
	b.ok(err)
	b.same(r, syncqueue.Receipt{Delivery: e.Delivery.ID})
	_, err = b.Delivery(b.ctx, again.Delivery.ID)
	b.is(err, syncqueue.ErrUnknown)
	b.same(len(b.lease().Job.Causes), 1)
	b.none()
}

func sameGUIDOfAnotherProvider(b *bench) {
	b.push("g1")
	e := b.entry("g1")
	e.Delivery.Provider = "hub"
	r, err := b.Push(b.ctx, e)
	b.ok(err)
	b.same(r.Fresh, true)
}

func duplicateRevivesDeadJobs(b *bench) {
	e := b.push("g1", job("1"), job("2"), job("3"))
	dead, parked := b.lease(), b.lease()
	b.ok(b.Bury(b.ctx, dead, errBroken))
	b.complete(parked, syncqueue.Outcome{Result: syncqueue.ResultParked})
	r, err := b.Push(b.ctx, b.entry("g1"))
	b.ok(err)
	b.same(r, syncqueue.Receipt{Delivery: e.Delivery.ID, Jobs: 1})
	j := b.state(dead.Job.ID, syncqueue.Ready)
	b.same(j.Attempts, 0)
	b.same(j.Force, false)
	b.same(j.Outcome, syncqueue.Result(""))
	b.state(parked.Job.ID, syncqueue.Parked)
}

func repeatAnswersWhatIsKnown(b *bench) {
	_, err := b.Repeat(b.ctx, "git", "g1")
	b.is(err, syncqueue.ErrUnknown)
	e := b.push("g1", job("1"))
	b.push("")
	b.ok(b.Bury(b.ctx, b.lease(), errBroken))
	for _, jobs := range []int{1, 0} {
		r, err := b.Repeat(b.ctx, "git", "g1")
		b.ok(err)
		b.same(r, syncqueue.Receipt{Delivery: e.Delivery.ID, Jobs: jobs})
	}
	b.lease()
	for _, g := range []struct{ provider, guid string }{{"hub", "g1"}, {"git", "g2"}, {"git", ""}} {
		_, err := b.Repeat(b.ctx, g.provider, g.guid)
		b.is(err, syncqueue.ErrUnknown)
	}
	all, _, err := b.Deliveries(b.ctx, syncqueue.DeliveryQuery{}, "", 100)
	b.ok(err)
	b.same(len(all), 2)
}

func knownLooksWithoutWaking(b *bench) {
	ask := []string{"g2", "g1", "", "g3"}
	known, oldest, err := b.Known(b.ctx, "git", ask)
	b.ok(err)
	b.diff(known, []bool{false, false, false, false})
	b.same(oldest.IsZero(), true)

	first := b.push("g1", job("1"))
	b.sleep(time.Minute)
	b.push("g2")
	b.push("")
	dead := b.lease()
	b.ok(b.Bury(b.ctx, dead, errBroken))
	known, oldest, err = b.Known(b.ctx, "git", ask)
	b.ok(err)
	b.diff(known, []bool{true, true, false, false})
	b.same(oldest, first.Delivery.Received)
	b.state(dead.Job.ID, syncqueue.Dead)

	known, oldest, err = b.Known(b.ctx, "hub", ask)
	b.ok(err)
	b.diff(known, []bool{false, false, false, false})
	b.same(oldest, first.Delivery.Received)
}

func concurrentDuplicates(b *bench) {
	var wg sync.WaitGroup
	receipts := make([]syncqueue.Receipt, 16)
	for i := range receipts {
		e := b.entry("g1")
		wg.Go(func() {
			r, err := b.Push(b.ctx, e, caused(e, job("1")))
			if err != nil {
				b.Error(err)
			}
			receipts[i] = r
		})
	}
	wg.Wait()
	fresh := 0
	for _, r := range receipts {
		b.same(r.Delivery, receipts[0].Delivery)
		if r.Fresh {
			fresh++
		}
	}
	b.same(fresh, 1)
	all, _, err := b.Deliveries(b.ctx, syncqueue.DeliveryQuery{}, "", 100)
	b.ok(err)
	b.same(len(all), 1)
}

func withoutGUID(b *bench) {
	b.push("")
	b.push("")
	all, _, err := b.Deliveries(b.ctx, syncqueue.DeliveryQuery{}, "", 100)
	b.ok(err)
	b.same(len(all), 2)
}

func jobsOfOneKeyAreOne(b *bench) {
	first := b.push("g1", in(time.Second, job("1")))
	second := b.push("g2", in(time.Second, job("1")))
	ids := b.enqueue(job("1"))
	jobs, err := b.JobsOf(b.ctx, first.Delivery.ID)
	b.ok(err)
	also, err := b.JobsOf(b.ctx, second.Delivery.ID)
	b.ok(err)
	b.diff(also, jobs)
	b.same(jobs[0].ID, ids[0])
	l := b.lease()
	b.same(len(l.Job.Causes), 3)
	b.complete(l, syncqueue.Outcome{})
	b.sleep(time.Minute)
	b.none()
}

func laterPushDebounces(b *bench) {
	debounced := func(guid string) {
		j := in(time.Second, job("1"))
		j.Deadline = time.Now().Add(3 * time.Second)
		b.push(guid, j)
	}
	start := time.Now()
	for _, guid := range []string{"g1", "g2", "g3", "g4", "g5"} {
		debounced(guid)
		b.sleep(800 * time.Millisecond)
		if time.Since(start) < 3*time.Second {
			b.none()
		}
	}
	b.lease()
}

func newKeyAfterDone(b *bench) {
	old := b.enqueue(job("1"))
	b.complete(b.lease(), syncqueue.Outcome{Note: "nothing changed"})
	j := b.state(old[0], syncqueue.Done)
	b.same(j.Note, "nothing changed")
	b.same(j.Outcome, syncqueue.ResultDone)
	b.same(j.Finished, time.Now())
	if now := b.enqueue(job("1")); now[0] == old[0] {
		b.Fatal("a done job took another push")
	}
	b.same(b.lease().Job.Attempts, 1)
}

func causesAreBounded(b *bench) {
	for i := range syncqueue.MaxCauses + 8 {
		b.push(string(rune('a'+i)), in(time.Hour, job("1")))
		b.sleep(time.Second)
	}
	first, _, err := b.Deliveries(b.ctx, syncqueue.DeliveryQuery{}, "", 100)
	b.ok(err)
	oldest := first[len(first)-1].Delivery
	jobs, err := b.JobsOf(b.ctx, oldest.ID)
	b.ok(err)
	b.same(len(jobs), 1)
	b.same(len(jobs[0].Causes), syncqueue.MaxCauses)
	b.same(jobs[0].Causes[syncqueue.MaxCauses-1].Delivery, first[0].Delivery.ID)
	b.same(jobs[0].Since, oldest.Received)
}

func sinceIsTheOldest(b *bench) {
	b.enqueue(in(time.Hour, job("1")))
	b.sleep(time.Second)
	e := b.push("g1", in(time.Second, job("1")))
	b.sleep(500 * time.Millisecond)
	b.push("g2", in(time.Second, job("1")))
	b.sleep(time.Hour)
	b.same(b.lease().Job.Since, e.Delivery.Received)
}
