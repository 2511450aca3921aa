package syncqueue_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

var (
	t0     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	timing = syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}
	acme   = providers.Org{ID: "5", Name: "acme"}
)

func route(e providers.Event) []syncqueue.Job {
	d := providers.Delivery{ID: "01J", Provider: "git", GUID: "g", Received: t0}
	return syncqueue.JobsFor(d, e, timing, t0.Add(time.Minute))
}

func TestEachEffectLooksAtItsSubject(t *testing.T) {
	app := &providers.Repo{ID: "42", Path: "acme/app", Org: acme}
	ana := &providers.User{ID: "7", Login: "ana"}
	for name, c := range map[string]struct {
		event providers.Event
		key   syncqueue.Key
		lane  syncqueue.Lane
		gone  bool
	}{
		"repository":      {providers.Event{Effect: providers.EffectRepo, Repo: app, Org: acme}, "repo/git/42", syncqueue.LaneAddition, false},
		"deleted":         {providers.Event{Effect: providers.EffectGone, Repo: app, Org: acme}, "repo/git/42", syncqueue.LaneRemoval, true},
		"team member":     {providers.Event{Effect: providers.EffectMember, User: ana, Team: &providers.Team{ID: "3"}, Org: acme}, "member/git/7/team/3", syncqueue.LaneAddition, false},
		"left the org":    {providers.Event{Effect: providers.EffectLeft, User: ana, Org: acme}, "member/git/7/org/5", syncqueue.LaneRemoval, true},
		"collaborator":    {providers.Event{Effect: providers.EffectMember, User: ana, Repo: app, Org: acme}, "member/git/7/repo/42", syncqueue.LaneAddition, false},
		"user":            {providers.Event{Effect: providers.EffectUser, User: ana}, "user/git/7", syncqueue.LaneAddition, false},
		"team deleted":    {providers.Event{Effect: providers.EffectScope, Team: &providers.Team{ID: "3"}, Org: acme}, "poll/git/members/5", syncqueue.LaneAddition, false},
		"team's reach":    {providers.Event{Effect: providers.EffectScope, Org: acme}, "scope/git/org/5", syncqueue.LaneAddition, false},
		"renamed, by org": {providers.Event{Effect: providers.EffectScope, Org: acme, From: "old"}, "scope/git/org/5", syncqueue.LaneAddition, false},
	} {
		jobs := route(c.event)
		if len(jobs) != 1 {
			t.Errorf("%s: %d jobs, want 1", name, len(jobs))
			continue
		}
		j := jobs[0]
		if j.Key != c.key || j.Lane != c.lane || j.Hint.Gone != c.gone {
			t.Errorf("%s: key %s lane %d gone %v, want %s %d %v", name, j.Key, j.Lane, j.Hint.Gone, c.key, c.lane, c.gone)
		}
		if !j.Since.Equal(t0) || len(j.Causes) != 1 || j.Causes[0].Delivery != "01J" {
			t.Errorf("%s: the delivery is not the job's cause: %+v", name, j)
		}
	}
}

func TestAnEventThatTouchesNobodyMakesNoJob(t *testing.T) {
	for _, e := range []providers.Event{
		{Name: "push"},
		{Name: "repository.created", Effect: providers.EffectRepo},
		{Name: "membership.added", Effect: providers.EffectMember, Org: acme},
	} {
		if jobs := route(e); len(jobs) != 0 {
			t.Errorf("%s made %d jobs", e.Name, len(jobs))
		}
	}
}

func TestAReplayIsNotDueInThePast(t *testing.T) {
	j := route(providers.Event{Effect: providers.EffectRepo, Repo: &providers.Repo{ID: "42"}, Org: acme})[0]
	if want := t0.Add(time.Minute + timing.Debounce); !j.NotBefore.Equal(want) {
		t.Errorf("due %s, want %s", j.NotBefore, want)
	}
}

func TestPublishJobsOfOneUserAndTargetShareAKey(t *testing.T) {
	ana := providers.User{ID: "7", Login: "ana"}
	a := syncqueue.PublishJob("drone", "git", ana, syncqueue.Job{Org: "5"}, syncqueue.LaneRemoval, t0)
	b := syncqueue.PublishJob("drone", "git", ana, syncqueue.Job{Org: "6"}, syncqueue.LanePoll, t0)
	c := syncqueue.PublishJob("other", "git", ana, syncqueue.Job{}, syncqueue.LanePoll, t0)
	if a.Key != b.Key || a.Key == c.Key {
		t.Errorf("keys %s, %s, %s: want the first two alike", a.Key, b.Key, c.Key)
	}
}
