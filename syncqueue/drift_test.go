package syncqueue_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func TestDriftIsWhatNobodyAnnounced(t *testing.T) {
	now := time.Now()
	by := func(who ...string) (causes []syncqueue.Cause) {
		for _, w := range who {
			causes = append(causes, syncqueue.Cause{By: w, At: now})
		}
		return causes
	}
	changed := storage.Applied{Granted: 4, Altered: 2, Revoked: 1, First: 3}
	for name, c := range map[string]struct {
		job  syncqueue.Job
		want int
	}{
		"a poll":                  {syncqueue.Job{Kind: syncqueue.KindMember, Causes: by("poll")}, 4},
		"a sweep":                 {syncqueue.Job{Kind: syncqueue.KindUser, Causes: by("sweep")}, 4},
		"an operator":             {syncqueue.Job{Kind: syncqueue.KindUser, Causes: by("operator ops")}, 4},
		"a delivery":              {syncqueue.Job{Kind: syncqueue.KindRepo, Since: now}, 0},
		"a poll and a delivery":   {syncqueue.Job{Kind: syncqueue.KindRepo, Causes: by("poll"), Since: now}, 0},
		"a first fill":            {syncqueue.Job{Kind: syncqueue.KindScope, Causes: by(syncqueue.ByFill)}, 0},
		"a poll during the fill":  {syncqueue.Job{Kind: syncqueue.KindRepo, Causes: by("poll", syncqueue.ByFill)}, 0},
		"a look at the CI server": {syncqueue.Job{Kind: syncqueue.KindPublish, Causes: by("poll")}, 0},
	} {
		if got := (syncqueue.Report{Job: c.job, Applied: changed}).Drift(); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
