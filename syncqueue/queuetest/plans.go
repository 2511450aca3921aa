package queuetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func (b *bench) ready(k syncqueue.Kind) (ids []string) {
	b.Helper()
	jobs, err := b.Ready(b.ctx, "git", acme.ID, k, 100)
	b.ok(err)
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func readyIsListed(b *bench) {
	b.enqueue(in(-time.Second, job("1")), job("2"), in(time.Hour, job("3")), jobOf("hub", acme.ID, "4", syncqueue.LaneAddition))
	b.enqueue(jobOf("git", "other", "5", syncqueue.LaneAddition), jobOf("git", acme.ID, "6", syncqueue.LaneRemoval))
	b.enqueue(syncqueue.PollJob("git", "members", acme, time.Now()))
	var got []string
	jobs, err := b.Ready(b.ctx, "git", acme.ID, syncqueue.KindRepo, 100)
	b.ok(err)
	for _, j := range jobs {
		got = append(got, j.Subject.ID)
	}
	b.diff(got, []string{"6", "1", "2"})
	jobs, err = b.Ready(b.ctx, "git", acme.ID, syncqueue.KindRepo, 1)
	b.ok(err)
	b.same(len(jobs), 1)
}

// plan is the plan that the leased job and those of the ids become.
func planOf(l syncqueue.Lease, ids []string) syncqueue.Outcome {
	p := syncqueue.Plan{Repos: []string{l.Job.Subject.ID}, Price: providers.Price{List: 7, Repo: 1, Audience: 2}}
	return syncqueue.Outcome{Result: syncqueue.ResultSuperseded, Takeover: &syncqueue.Takeover{
		Plan: syncqueue.PlanJob("git", acme, p, syncqueue.LaneAddition, time.Now()), Jobs: ids,
	}}
}

func planTakesOver(b *bench) {
	first := b.push("g0", job("0"))
	l := b.lease()
	b.sleep(time.Second)
	var deliveries []string
	for i := 1; i < 50; i++ {
		deliveries = append(deliveries, b.push(fmt.Sprint("g", i), job(fmt.Sprint(i))).Delivery.ID)
	}
	taken := b.ready(syncqueue.KindRepo)
	b.same(len(taken), 49)
	b.complete(l, planOf(l, taken))
	for _, id := range taken {
		b.same(b.state(id, syncqueue.Done).Outcome, syncqueue.ResultSuperseded)
	}
	plan := b.lease()
	b.same(plan.Job.Kind, syncqueue.KindScope)
	b.same(len(plan.Job.Plan.Repos), 50)
	b.same(plan.Job.Since, first.Delivery.Received)
	b.same(len(plan.Job.Causes), syncqueue.MaxCauses)
	b.none()
	// Every delivery shows the plan, though its causes are bounded.
	for _, id := range append(deliveries, first.Delivery.ID) {
		jobs, err := b.JobsOf(b.ctx, id)
		b.ok(err)
		if !slices.ContainsFunc(jobs, func(j syncqueue.Job) bool { return j.ID == plan.Job.ID }) {
			b.Fatalf("the delivery %s does not show the plan", id)
		}
	}
}

// What runs, waits for something, goes wrong, is said to be gone or was wished
// for is left alone.
func planLeavesTheRest(b *bench) {
	b.push("g0", job("0"))
	l := b.lease()
	gone, forced, failing := job("1"), job("2"), job("3")
	gone.Hint.Gone, forced.Force = true, true
	b.enqueue(failing)
	f := b.lease()
	b.ok(b.Retry(b.ctx, f, time.Now(), errBroken))
	b.enqueue(job("4"))
	ids := b.enqueue(gone, forced, job("5"))
	taken := b.ready(syncqueue.KindRepo)
	b.same(len(taken), 5)
	// One begins to run after it was listed.
	for {
		r := b.lease()
		if r.Job.Subject.ID == "4" {
			break
		}
		b.ok(b.Retry(b.ctx, r, time.Now(), syncqueue.ErrReleased))
		b.sleep(time.Millisecond)
	}
	b.complete(l, planOf(l, taken))
	b.state(ids[0], syncqueue.Ready)
	b.state(ids[1], syncqueue.Ready)
	b.state(ids[2], syncqueue.Done)
	b.state(f.Job.ID, syncqueue.Ready)
	plan := b.lease(syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindScope}})
	b.diff(plan.Job.Plan.Repos, []string{"0", "5"})
}

// A push about a repository of the plan runs by itself, and what is planned
// while a plan runs is looked at after that run began.
func planLosesNoEdge(b *bench) {
	b.push("g0", job("0"))
	l := b.lease()
	b.enqueue(job("1"))
	b.complete(l, planOf(l, b.ready(syncqueue.KindRepo)))
	plan := b.lease()
	b.diff(plan.Job.Plan.Repos, []string{"0", "1"})

	again := b.push("again", job("1"))
	own := b.lease()
	b.same(own.Job.Subject.ID, "1")
	b.diff(own.Job.Causes, []syncqueue.Cause{syncqueue.CauseOf(again.Delivery, again.Event)})
	b.enqueue(job("2"))
	b.complete(own, planOf(own, b.ready(syncqueue.KindRepo)))
	b.none()

	left := syncqueue.Plan{Repos: []string{"1"}, Done: 1, Spent: 3, Listed: plan.Fence}
	next := syncqueue.PlanJob("git", acme, left, syncqueue.LaneAddition, time.Now())
	b.complete(plan, syncqueue.Outcome{Plan: &left, Follow: []syncqueue.Job{next}})
	rest := b.lease()
	b.same(rest.Job.ID, plan.Job.ID)
	slices.Sort(rest.Job.Plan.Repos)
	b.diff(rest.Job.Plan.Repos, []string{"1", "2"})
	b.same(rest.Job.Plan.Done, 1)
	b.same(rest.Job.Plan.Listed, uint64(0)) // "2" was planned after the listing

	b.complete(rest, syncqueue.Outcome{Plan: &syncqueue.Plan{Done: 3, Spent: 5}})
	b.diff(*b.state(plan.Job.ID, syncqueue.Done).Plan, syncqueue.Plan{Done: 3, Spent: 5})
	b.none()
}

// A plan that fails keeps what is left of it.
func failedPlanGoesOn(b *bench) {
	b.push("g0", job("0"))
	l := b.lease()
	b.enqueue(job("1"))
	b.complete(l, planOf(l, b.ready(syncqueue.KindRepo)))
	plan := b.lease()
	b.enqueue(job("2"))
	own := b.lease()
	b.complete(own, planOf(own, nil))
	b.ok(b.Retry(b.ctx, plan, time.Now(), errBroken))
	b.diff(b.lease().Job.Plan.Repos, []string{"0", "1", "2"})
}
