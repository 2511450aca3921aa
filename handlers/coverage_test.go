package handlers_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
)

func TestCoverageTellsHowSoonEachChangeIsHeardOf(t *testing.T) {
	w := newWorld(t)
	w.desk.coverage = []handlers.ProviderCoverage{{
		Provider: "git", Kind: "gitea", Seen: true, Members: 5 * time.Minute, Repos: 10 * time.Minute, Reconcile: 6 * time.Hour,
		Coverage: providers.Coverage{Hook: providers.HookOrg, Rows: []providers.Heard{
			{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"repository.created"}, Effect: providers.EffectRepo},
			{Change: providers.TeamRepos, By: providers.ByPoll, Poll: providers.PollMembers},
			{Change: providers.RepoSent, By: providers.ByPoll, Poll: providers.PollRepos, Note: "silent"},
			{Change: providers.UserRenamed, By: providers.Reconciled},
		}},
	}, {Provider: "none", Kind: "other"}}
	rec, _ := w.call("viewer", http.MethodGet, "/api/v1/coverage", "")
	var got, want any
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	if err := json.Unmarshal([]byte(`{"next":null,"items":[
		{"provider":"git","kind":"gitea","hook":"organization","hook_seen":true,"reconcile":"6h0m0s","changes":[
			{"change":"repository_created","coverage":"event","events":["repository.created"],"poll":null,"within_seconds":null},
			{"change":"team_repositories","coverage":"polled","events":[],"poll":"members","within_seconds":300},
			{"change":"repository_sent","coverage":"polled","events":[],"poll":"repos","within_seconds":600,"note":"silent"},
			{"change":"user_renamed","coverage":"reconciled","events":[],"poll":null,"within_seconds":21600}]},
		{"provider":"none","kind":"other","hook":"","hook_seen":false,"reconcile":"0s","changes":[]}]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
