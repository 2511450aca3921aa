package queuetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func uniquePrefix(b *bench) {
	for _, id := range []string{"01JZZZZZZZZZZZZZZZZZZZZZZ1", "01JZZZZZZZZZZZZZZZZZZZZZZ2"} {
		e := b.entry(id)
		e.Delivery.ID = id
		_, err := b.Push(b.ctx, e)
		b.ok(err)
	}
	d, err := b.Delivery(b.ctx, "01JZZZZZZZZZZZZZZZZZZZZZZ2")
	b.ok(err)
	b.same(d.Delivery.GUID, "01JZZZZZZZZZZZZZZZZZZZZZZ2")
	for prefix, want := range map[string]error{"01JZ": syncqueue.ErrAmbiguous, "01X": syncqueue.ErrUnknown, "": syncqueue.ErrUnknown} {
		_, err = b.Delivery(b.ctx, prefix)
		b.is(err, want)
		_, err = b.Body(b.ctx, prefix)
		b.is(err, want)
	}
	id := b.enqueue(job("1"))[0]
	j, err := b.Job(b.ctx, id[:8])
	b.ok(err)
	b.same(j.ID, id)
	b.enqueue(job("2"))
	_, err = b.Job(b.ctx, id[:4])
	b.is(err, syncqueue.ErrAmbiguous)
	b.is(b.Drop(b.ctx, id[:4]), syncqueue.ErrAmbiguous)
	_, err = b.Revive(b.ctx, id)
	b.ok(err)
}

func pendingOfLists(b *bench) {
	member := func(user, team string) syncqueue.Job {
		e := providers.Event{Effect: providers.EffectMember, User: &providers.User{ID: user, Login: "u" + user}, Team: &providers.Team{ID: team}, Org: providers.Org{ID: "5", Name: "acme"}}
		jobs := syncqueue.JobsFor(providers.Delivery{Provider: "git"}, e, syncqueue.Timing{}, time.Now())
		if len(jobs) != 1 {
			b.Fatalf("%d jobs for a member of a team", len(jobs))
		}
		return jobs[0]
	}
	ids := b.enqueue(member("7", "2"), member("71", "2"), member("7", "1"), job("7"))
	prefix := syncqueue.MakeKey("member", "git", "7", "")
	keys := func() (all []syncqueue.Key) {
		jobs, err := b.PendingOf(b.ctx, prefix)
		b.ok(err)
		for _, j := range jobs {
			all = append(all, j.Key)
		}
		return all
	}
	one, two := member("7", "1").Key, member("7", "2").Key
	b.diff(keys(), []syncqueue.Key{one, two})
	b.ok(b.Drop(b.ctx, ids[2]))
	b.diff(keys(), []syncqueue.Key{two})
}

func pendingFinds(b *bench) {
	j := job("1")
	_, err := b.Pending(b.ctx, j.Key)
	b.is(err, syncqueue.ErrUnknown)
	id := b.enqueue(j)[0]
	b.enqueue(job("2"))
	is := func(state syncqueue.State) {
		got, err := b.Pending(b.ctx, j.Key)
		b.ok(err)
		b.same(got.ID, id)
		b.same(got.State, state)
	}
	is(syncqueue.Ready)
	l := b.lease()
	is(syncqueue.Leased)
	b.ok(b.Bury(b.ctx, l, errors.New("no")))
	is(syncqueue.Dead)
	_, err = b.Revive(b.ctx, id)
	b.ok(err)
	_, err = b.Complete(b.ctx, b.lease(), syncqueue.Outcome{Result: syncqueue.ResultParked})
	b.ok(err)
	is(syncqueue.Parked)
	b.ok(b.Drop(b.ctx, id))
	_, err = b.Pending(b.ctx, j.Key)
	b.is(err, syncqueue.ErrUnknown)
}

func listsNewestFirst(b *bench) {
	const n, limit = 10, 3
	var want []string
	for i := range n {
		e := b.push(fmt.Sprint(i), job(fmt.Sprint(i)))
		want = append([]string{e.Delivery.ID}, want...)
		b.sleep(time.Second)
	}
	var got []string
	pages := 0
	for cursor, next := "", "-"; next != ""; cursor = next {
		var page []syncqueue.Record
		var err error
		page, next, err = b.Deliveries(b.ctx, syncqueue.DeliveryQuery{}, cursor, limit)
		b.ok(err)
		for _, r := range page {
			got = append(got, r.Delivery.ID)
			b.same(r.Delivery.Body == nil, true)
			b.same(r.JobCount, 1)
		}
		pages++
	}
	b.diff(got, want)
	b.same(pages, 4)

	var subjects []string
	for cursor, next := "", "-"; next != ""; cursor = next {
		var page []syncqueue.Job
		var err error
		page, next, err = b.Jobs(b.ctx, syncqueue.JobQuery{}, cursor, 5)
		b.ok(err)
		for _, j := range page {
			subjects = append(subjects, j.Subject.ID)
		}
	}
	b.diff(subjects, []string{"9", "8", "7", "6", "5", "4", "3", "2", "1", "0"})
}

func deliveriesAreSelected(b *bench) {
	start := time.Now()
	for i, e := range []struct {
		provider, event string
		result          syncqueue.EntryResult
	}{
		{"git", "ping", syncqueue.EntryPing},
		{"git", "push", syncqueue.EntryIgnored},
		{"hub", "repository.created", syncqueue.EntryAccepted},
		{"git", "repository.created", syncqueue.EntryAccepted},
	} {
		d := b.entry(fmt.Sprint(i))
		d.Delivery.Provider, d.Event.Name, d.Result, d.Reason = e.provider, e.event, e.result, "for a test"
		_, err := b.Push(b.ctx, d)
		b.ok(err)
		b.sleep(time.Minute)
	}
	for _, c := range []struct {
		q    syncqueue.DeliveryQuery
		want []string
	}{
		{syncqueue.DeliveryQuery{}, []string{"3", "2", "1", "0"}},
		{syncqueue.DeliveryQuery{Provider: "hub"}, []string{"2"}},
		{syncqueue.DeliveryQuery{Event: "repository.created"}, []string{"3", "2"}},
		{syncqueue.DeliveryQuery{Result: syncqueue.EntryPing}, []string{"0"}},
		{syncqueue.DeliveryQuery{Since: start.Add(time.Minute), Until: start.Add(3 * time.Minute)}, []string{"2", "1"}},
		{syncqueue.DeliveryQuery{Provider: "none"}, nil},
	} {
		page, next, err := b.Deliveries(b.ctx, c.q, "", 100)
		b.ok(err)
		var got []string
		for _, r := range page {
			got = append(got, r.Delivery.GUID)
			b.same(r.Reason, "for a test")
		}
		b.diff(got, c.want)
		b.same(next, "")
	}
}

func jobsAreSelected(b *bench) {
	b.enqueue(job("done"))
	b.complete(b.lease(), syncqueue.Outcome{})
	b.enqueue(job("dead"))
	b.ok(b.Bury(b.ctx, b.lease(), errBroken))
	b.enqueue(job("parked"))
	b.complete(b.lease(), syncqueue.Outcome{Result: syncqueue.ResultParked})
	b.enqueue(job("leased"))
	b.lease()
	b.enqueue(job("ready"), in(time.Hour, job("waiting")))
	user := syncqueue.UserJob("hub", providers.User{ID: "user"}, syncqueue.LanePoll, time.Now())
	b.enqueue(user)
	for _, state := range syncqueue.States {
		page, _, err := b.Jobs(b.ctx, syncqueue.JobQuery{State: state, Kind: syncqueue.KindRepo}, "", 10)
		b.ok(err)
		b.same(len(page), 1)
		b.same(page[0].Subject.ID, string(state))
	}
	page, _, err := b.Jobs(b.ctx, syncqueue.JobQuery{Provider: "hub"}, "", 10)
	b.ok(err)
	b.same(len(page), 1)
	b.same(page[0].Subject.ID, "user")
	b.sleep(time.Hour)
	page, next, err := b.Jobs(b.ctx, syncqueue.JobQuery{State: syncqueue.Ready}, "", 2)
	b.ok(err)
	b.same(len(page), 2)
	page, next, err = b.Jobs(b.ctx, syncqueue.JobQuery{State: syncqueue.Ready}, next, 2)
	b.ok(err)
	b.same(len(page), 1)
	b.same(next, "")
}

func bodyComesBack(b *bench) {
	e := b.entry("g1")
	e.Delivery.Body = []byte("\x00\xff not { json")
	_, err := b.Push(b.ctx, e)
	b.ok(err)
	d, err := b.Body(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.diff(d, e.Delivery)
	_, err = b.Body(b.ctx, "none")
	b.is(err, syncqueue.ErrUnknown)
}

func detailsAreKept(b *bench) {
	e := b.push("g1", job("1"))
	want := providers.Details{Summary: "ana created acme/1", Facts: map[string]string{"by": "ana"}}
	b.complete(b.lease(), syncqueue.Outcome{Details: map[string]providers.Details{e.Delivery.ID: want, "none": {}}})
	r, err := b.Delivery(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.diff(r.Details, &want)
}

func statsCount(b *bench) {
	s, err := b.Stats(b.ctx)
	b.ok(err)
	b.diff(s.Jobs, map[syncqueue.State]int{
		syncqueue.Ready: 0, syncqueue.Waiting: 0, syncqueue.Leased: 0, syncqueue.Parked: 0, syncqueue.Done: 0, syncqueue.Dead: 0,
	})
	b.same(s.Oldest.IsZero(), true)
	start := time.Now()
	b.enqueue(job("1"), in(-time.Second, job("2")), in(-time.Second, job("3")), in(-time.Second, job("4")), in(-time.Second, job("5")))
	b.enqueue(in(time.Second, job("6")), in(time.Hour, job("7")))
	b.complete(b.lease(), syncqueue.Outcome{})
	b.ok(b.Bury(b.ctx, b.lease(), errBroken))
	b.complete(b.lease(), syncqueue.Outcome{Result: syncqueue.ResultParked})
	b.lease()
	b.sleep(time.Second)
	s, err = b.Stats(b.ctx)
	b.ok(err)
	b.diff(s.Jobs, map[syncqueue.State]int{
		syncqueue.Ready: 2, syncqueue.Waiting: 1, syncqueue.Leased: 1, syncqueue.Parked: 1, syncqueue.Done: 1, syncqueue.Dead: 1,
	})
	b.same(s.Oldest.Equal(start), true)
}

func copies(b *bench) {
	e := b.entry("g1")
	j := caused(e, job("1"))
	body := []byte("as it came")
	e.Delivery.Body = body
	_, err := b.Push(b.ctx, e, j)
	b.ok(err)
	body[0], e.Delivery.Header["X-Event"][0], j.Causes[0].Event = 'X', "changed", "changed"
	d, err := b.Body(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(string(d.Body), "as it came")
	b.same(d.Header.Get("X-Event"), "repository")
	d.Body[0] = 'X'
	d, err = b.Body(b.ctx, e.Delivery.ID)
	b.ok(err)
	b.same(string(d.Body), "as it came")
	l := b.lease()
	b.same(l.Job.Causes[0].Event, "repository.created")
	l.Job.Causes[0].Event = "changed"
	b.same(b.state(l.Job.ID, syncqueue.Leased).Causes[0].Event, "repository.created")
}
