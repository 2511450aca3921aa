package dashboard_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func TestAStormShowsItsCostAndItsEnd(t *testing.T) {
	w := newWorld(t)
	org := providers.Org{ID: "5", Name: "acme<b>"}
	plan := syncqueue.Plan{
		Repos: []string{"1", "2", "3"}, Done: 597, Spent: 1200, Listed: 7,
		Price: providers.Price{List: 13, Repo: 1, Audience: 2}, Ends: time.Now().Add(time.Minute),
	}
	_, err := w.db.Enqueue(context.Background(), syncqueue.Cause{By: "test", At: time.Now()}, syncqueue.PlanJob("git", org, plan, syncqueue.LaneAddition, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	body := w.signedIn("viewer").get("/").Body.String()
	for _, want := range []string{"acme&lt;b&gt;", "597 of 600", ">6 <small>job by job 1800 in all", "<time datetime="} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
