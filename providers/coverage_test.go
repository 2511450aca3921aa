package providers_test

import (
	"net/http"
	"testing"

	"github.com/hookd/hookd/providers"
)

func TestDeliveriesTellWhichHookThereIs(t *testing.T) {
	kind := []providers.Coverage{
		{Hook: providers.HookGroup, Header: "X-Gitlab-Event", Values: []string{"Member Hook", "Project Hook"}},
		{Hook: providers.HookSystem, Header: "X-Gitlab-Event", Values: []string{"System Hook"}},
	}
	from := func(values ...string) (all []http.Header) {
		for _, v := range values {
			all = append(all, http.Header{"X-Gitlab-Event": {v}})
		}
		return all
	}
	for _, c := range []struct {
		deliveries []http.Header
		want       providers.HookType
		seen       bool
	}{
		{nil, providers.HookGroup, false},
		{from("Push Hook"), providers.HookGroup, false},
		{from("Member Hook"), providers.HookGroup, true},
		{from("System Hook"), providers.HookSystem, true},
		{from("Member Hook", "System Hook", "Push Hook"), providers.HookSystem, true},
		{[]http.Header{{}}, providers.HookGroup, false},
	} {
		if got, seen := providers.CoverageOf(kind, c.deliveries...); got.Hook != c.want || seen != c.seen {
			t.Errorf("%v: %s, seen %v", c.deliveries, got.Hook, seen)
		}
	}
}

func TestWhatNobodyDeclaredIsPolled(t *testing.T) {
	none, seen := providers.CoverageOf(nil, http.Header{})
	if seen || !none.Polls(providers.TeamMemberSet) {
		t.Error("a kind without a table has no blind spots")
	}
	c := providers.Coverage{Rows: []providers.Heard{
		{Change: providers.RepoSent, By: providers.ByPoll, Poll: providers.PollRepos},
		{Change: providers.RepoCreated, By: providers.ByEvent},
		{Change: providers.UserBlocked, By: providers.Reconciled},
	}}
	if !c.Polls(providers.RepoCreated, providers.RepoSent) {
		t.Error("one of them is polled")
	}
	if c.Polls(providers.RepoCreated, providers.UserBlocked, providers.RepoShared) {
		t.Error("an event, a reconciled one and one that cannot happen")
	}
}
