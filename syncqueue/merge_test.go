package syncqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// pushed is a push of one key, due a while after noon.
func pushed(due time.Duration) syncqueue.Job {
	r := providers.Repo{ID: "41", Path: "acme/app", Org: providers.Org{ID: "5"}}
	j := syncqueue.RepoJob("git", r, syncqueue.LaneAddition, noon.Add(due))
	j.State = syncqueue.Ready
	return j
}

func debounced(due, deadline time.Duration) syncqueue.Job {
	j := pushed(due)
	j.Deadline = noon.Add(deadline)
	return j
}

func TestDueTimeOfACoalescedPush(t *testing.T) {
	looking := pushed(time.Minute)
	looking.Looks = 3
	failing := pushed(time.Minute)
	failing.Attempts, failing.Failing = 2, noon
	dead := pushed(0)
	dead.State, dead.Attempts, dead.Failing = syncqueue.Dead, 9, noon
	parked := pushed(0)
	parked.State = syncqueue.Parked
	for _, c := range []struct {
		name     string
		old, new syncqueue.Job
		want     time.Duration
	}{
		{"an earlier one wins", pushed(time.Minute), pushed(time.Second), time.Second},
		{"a later one of a job without deadline loses", pushed(time.Second), pushed(time.Minute), time.Second},
		{"a later one debounces", debounced(time.Second, 5*time.Second), debounced(2*time.Second, 6*time.Second), 2 * time.Second},
		{"debouncing ends at the first deadline", debounced(time.Second, 5*time.Second), debounced(9*time.Second, 14*time.Second), 5 * time.Second},
		{"a job that looks again is hurried", looking, pushed(time.Second), time.Second},
		{"a job that backs off keeps its time", failing, pushed(time.Second), time.Minute},
		{"a parked job takes the new time", parked, pushed(time.Hour), time.Hour},
		{"a dead job takes the new time", dead, pushed(time.Hour), time.Hour},
	} {
		got := syncqueue.Merge(c.old, c.new)
		if want := noon.Add(c.want); !got.NotBefore.Equal(want) || got.State != syncqueue.Ready {
			t.Errorf("%s: due %s in state %s, want %s", c.name, got.NotBefore, got.State, want)
		}
	}
}

func TestAGentlePushLeavesAJobAsItIs(t *testing.T) {
	looking := pushed(time.Minute)
	looking.Looks = 3
	leased := pushed(0)
	leased.State = syncqueue.Leased
	dead, parked := pushed(0), pushed(0)
	dead.State, parked.State = syncqueue.Dead, syncqueue.Parked
	for _, old := range []syncqueue.Job{pushed(time.Hour), looking, leased, dead, parked} {
		gentle := pushed(time.Second)
		gentle.Gentle, gentle.Causes = true, []syncqueue.Cause{{By: "sweep"}}
		if diff := cmp.Diff(old, syncqueue.Merge(old, gentle)); diff != "" {
			t.Errorf("a %s job changed:\n%s", old.State, diff)
		}
	}
}

func TestNewerLabelsWinAlsoWhileLeased(t *testing.T) {
	for _, state := range []syncqueue.State{syncqueue.Ready, syncqueue.Leased, syncqueue.Parked, syncqueue.Dead} {
		old, renamed := pushed(0), pushed(0)
		old.State = state
		renamed.Subject.Name, renamed.Org = "labs/app", "6"
		got := syncqueue.Merge(old, renamed)
		if got.Subject.Name != "labs/app" || got.Org != "6" {
			t.Errorf("a %s job is about %s of %s", state, got.Subject.Name, got.Org)
		}
	}
}

func TestCausesAreInstantsNotTheirSpelling(t *testing.T) {
	here := syncqueue.Cause{Delivery: "d1", At: noon}
	there := here
	there.At = noon.In(time.FixedZone("there", 3600))
	old, again := pushed(0), pushed(0)
	old.Causes, again.Causes = []syncqueue.Cause{here}, []syncqueue.Cause{there}
	if got := syncqueue.Merge(old, again); len(got.Causes) != 1 {
		t.Errorf("one cause became %d", len(got.Causes))
	}
}

func TestMergeWritesIntoNobodysCauses(t *testing.T) {
	causes := make([]syncqueue.Cause, 1, 8)
	causes[0] = syncqueue.Cause{Delivery: "d1"}
	old, a, b := pushed(0), pushed(0), pushed(0)
	old.Causes = causes
	a.Causes, b.Causes = []syncqueue.Cause{{Delivery: "d2"}}, []syncqueue.Cause{{Delivery: "d3"}}
	first, _ := syncqueue.Merge(old, a), syncqueue.Merge(old, b)
	if first.Causes[1].Delivery != "d2" {
		t.Errorf("the second merge wrote %s into the first", first.Causes[1].Delivery)
	}
}

// TestPushWhileLeasedIsAsAPushAfter: whoever pushes while the job runs gets what
// he would have got a moment later, when the run has ended.
func TestPushWhileLeasedIsAsAPushAfter(t *testing.T) {
	end := func(o syncqueue.Outcome) func(syncqueue.Job) syncqueue.Job {
		return func(j syncqueue.Job) syncqueue.Job {
			next, _ := syncqueue.End(j, o, false, noon)
			return next
		}
	}
	ways := map[string]func(syncqueue.Job) syncqueue.Job{
		"again":  end(syncqueue.Outcome{Result: syncqueue.ResultAgain, Next: noon.Add(time.Hour)}),
		"parked": end(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential"}),
		"retried": func(j syncqueue.Job) syncqueue.Job {
			return syncqueue.Retried(j, noon.Add(time.Minute), fmt.Errorf("broken"), noon)
		},
		"released": func(j syncqueue.Job) syncqueue.Job {
			return syncqueue.Retried(j, noon, syncqueue.ErrReleased, noon)
		},
		"buried":  func(j syncqueue.Job) syncqueue.Job { return syncqueue.Buried(j, fmt.Errorf("broken"), noon) },
		"expired": func(j syncqueue.Job) syncqueue.Job { return syncqueue.Expired(j, noon) },
	}
	for name, finish := range ways {
		leased := syncqueue.Begin(syncqueue.Fresh(debounced(-time.Second, time.Second), noon))
		leased.Causes = []syncqueue.Cause{{Delivery: "d1", At: noon}}
		push := debounced(2*time.Second, 7*time.Second)
		push.Hint, push.Lane, push.Since = syncqueue.Hint{Gone: true}, syncqueue.LaneRemoval, noon
		push.Causes = []syncqueue.Cause{{Delivery: "d2", At: noon}}

		before := finish(syncqueue.Merge(leased, push))
		after := syncqueue.Merge(finish(leased), push)
		if d := cmp.Diff(after, before); d != "" {
			t.Errorf("%s: pushed after (-), while leased (+):\n%s", name, d)
		}
		if before.State != syncqueue.Ready || before.Again != nil {
			t.Errorf("%s: the push left it %s", name, before.State)
		}
	}
}

func TestASecondPushWhileLeasedDebouncesTheNextRun(t *testing.T) {
	j := syncqueue.Begin(pushed(0))
	for i := range time.Duration(4) {
		j = syncqueue.Merge(j, debounced((i+1)*2*time.Second, 5*time.Second))
	}
	next, again := syncqueue.Rearm(j)
	if want := noon.Add(5 * time.Second); !again || !next.NotBefore.Equal(want) {
		t.Errorf("the next run is due %s, want %s", next.NotBefore, want)
	}
}
