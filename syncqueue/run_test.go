package syncqueue_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func TestARunThatWasOutrunIsDoneOverWithoutTheCache(t *testing.T) {
	j := syncqueue.Begin(pushed(-time.Minute))
	j.Since, j.Causes = noon, []syncqueue.Cause{{Delivery: "d1"}}
	next, rerun := syncqueue.End(j, syncqueue.Outcome{Next: noon.Add(time.Hour)}, true, noon)
	if !rerun || next.State != syncqueue.Ready || !next.Fresh || !next.NotBefore.Equal(noon) || len(next.Causes) != 1 {
		t.Errorf("the job is %+v", next)
	}
	next, rerun = syncqueue.End(syncqueue.Begin(next), syncqueue.Outcome{}, false, noon)
	if rerun || next.State != syncqueue.Done || next.Fresh {
		t.Errorf("after a fresh run the job is %+v", next)
	}
}

func TestARecurringJobFallsBackToItsLane(t *testing.T) {
	poll := syncqueue.PollJob("git", "members", providers.Org{ID: "5"}, noon)
	poll.State = syncqueue.Ready
	hurried := syncqueue.Begin(syncqueue.Revived(poll, noon))
	if hurried.Lane != syncqueue.LaneAddition || !hurried.Force {
		t.Fatalf("the revived job is in lane %d, force %v", hurried.Lane, hurried.Force)
	}
	next, _ := syncqueue.End(hurried, syncqueue.Outcome{Next: noon.Add(time.Minute)}, false, noon)
	if next.Lane != syncqueue.LanePoll || next.Force || next.State != syncqueue.Ready {
		t.Errorf("the next turn is in lane %d, force %v, %s", next.Lane, next.Force, next.State)
	}
}

func TestOnlyADoneRunRecurs(t *testing.T) {
	for result, want := range map[syncqueue.Result]syncqueue.State{
		"": syncqueue.Ready, syncqueue.ResultDone: syncqueue.Ready,
		syncqueue.ResultHidden: syncqueue.Done, syncqueue.ResultSuperseded: syncqueue.Done,
	} {
		next, _ := syncqueue.End(syncqueue.Begin(pushed(0)), syncqueue.Outcome{Result: result, Next: noon.Add(time.Hour)}, false, noon)
		if next.State != want {
			t.Errorf("%q with a next time is %s, want %s", result, next.State, want)
		}
	}
}

func TestErrorsAreKeptWithinBounds(t *testing.T) {
	j := syncqueue.Buried(syncqueue.Begin(pushed(0)), errors.New(strings.Repeat("é", 1<<20)), noon)
	if len(j.LastError) > 5000 || !utf8.ValidString(j.LastError) {
		t.Errorf("%d bytes are kept, valid %v", len(j.LastError), utf8.ValidString(j.LastError))
	}
}

func TestTheNewestDeliveryIsTheCause(t *testing.T) {
	j := pushed(0)
	for _, c := range []struct {
		causes []syncqueue.Cause
		want   string
		why    string
	}{
		{nil, "repo", ""},
		{[]syncqueue.Cause{{By: "poll", Why: "left"}, {By: "operator ana"}}, "operator ana", ""},
		{[]syncqueue.Cause{{By: "operator ana"}, {By: "poll", Why: "left"}}, "poll", "left"},
		{[]syncqueue.Cause{{Delivery: "d2", At: noon.Add(2)}, {Delivery: "d1", At: noon.Add(1)}, {By: "poll", Why: "left", At: noon.Add(3)}}, "d2", ""},
	} {
		j.Causes = c.causes
		if got, why := syncqueue.Reason(j); got != c.want || why != c.why {
			t.Errorf("the cause of %v is %s, %q, want %s, %q", c.causes, got, why, c.want, c.why)
		}
	}
}

func TestIDsOfOneMillisecondRise(t *testing.T) {
	last := ""
	for range 10_000 {
		id := syncqueue.NewID(noon)
		if id <= last || len(id) != 26 {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}
