package handlers_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func TestABackfillSumsUpWhatEachLogHeld(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	asked := map[string]time.Time{}
	w.backfill = func(provider string, since time.Time) ([]handlers.Backfill, error) {
		asked[provider] = since
		if provider == "b" {
			return []handlers.Backfill{{Provider: "b", Org: "lab", Logless: true, Note: "there is none"}}, nil
		}
		return []handlers.Backfill{
			{Provider: "a", Org: "acme", Read: 9, Missed: 4, Fetched: 3, Known: 5, Lost: 1, Complete: true, Scope: true, Note: "one is lost"},
			{Provider: "a", Org: "other", Read: 1, Ignored: 1, Complete: true},
		}, nil
	}
	rec, answer := w.call("operator", "POST", "/api/v1/backfills", `{"since":"2h"}`)
	if rec.Code != http.StatusOK || len(asked) != 2 || !asked["a"].Equal(now.Add(-2*time.Hour)) {
		t.Fatalf("%d %s, asked for %v", rec.Code, rec.Body, asked)
	}
	for k, want := range map[string]any{"read": 10.0, "missed": 4.0, "fetched": 3.0, "known": 5.0, "complete": true} {
		if answer[k] != want {
			t.Errorf("%s: %v, want %v", k, answer[k], want)
		}
	}
	if logs := answer["logs"].([]any); len(logs) != 3 {
		t.Errorf("%v", logs)
	}
	// Whoever asks for the one that has no log is told that nothing was read.
	if _, answer := w.call("operator", "POST", "/api/v1/backfills", `{"provider":"b"}`); answer["complete"] != false || !asked["b"].IsZero() {
		t.Errorf("%v, since %v", answer, asked["b"])
	}
}

func TestALogThatCannotBeReadKeepsNoOtherFromIt(t *testing.T) {
	w := newWorld(t)
	w.backfill = func(provider string, _ time.Time) ([]handlers.Backfill, error) {
		if provider == "a" {
			return []handlers.Backfill{{Provider: "a", Org: "acme", Read: 2, Missed: 2, Fetched: 1}}, &providers.ForgeError{Op: "GET /secret-path", Class: providers.ErrLimited}
		}
		return []handlers.Backfill{{Provider: "b", Org: "lab", Read: 7, Known: 7, Complete: true}}, nil
	}
	rec, answer := w.call("operator", "POST", "/api/v1/backfills", `{}`)
	if rec.Code != http.StatusOK || answer["complete"] != false || answer["fetched"] != 1.0 || answer["known"] != 7.0 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if note := answer["logs"].([]any)[0].(map[string]any)["note"]; note != "the forge's rate limit is spent" {
		t.Errorf("the note is %q", note)
	}
}

func TestABackfillThatCannotBeMeantIsRefused(t *testing.T) {
	w := newWorld(t)
	w.backfill = func(string, time.Time) ([]handlers.Backfill, error) {
		t.Error("it was done")
		return nil, nil
	}
	for body, want := range map[string]int{
		`{"provider":"none"}`: 400, `{"since":"soon"}`: 400, `{"until":"1h"}`: 400, `[]`: 400, ``: 400,
	} {
		if rec, _ := w.call("operator", "POST", "/api/v1/backfills", body); rec.Code != want {
			t.Errorf("%s: %d", body, rec.Code)
		}
	}
	for role, want := range map[string]int{"": 401, "viewer": 403} {
		if rec, _ := w.call(role, "POST", "/api/v1/backfills", `{}`); rec.Code != want {
			t.Errorf("%q: %d", role, rec.Code)
		}
	}
}

func TestAFetchedDeliverySaysSo(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	e := syncqueue.Entry{
		Delivery: providers.Delivery{ID: syncqueue.NewID(now), Provider: "a", GUID: "g1", Body: []byte("{}"), Secret: providers.Unsigned, Received: now, Sent: now.Add(-time.Hour)},
		Event:    providers.Event{Name: "repository.created"}, Result: syncqueue.EntryAccepted,
	}
	if _, err := w.db.Push(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	d := w.get("/api/v1/deliveries/" + e.Delivery.ID)
	if d["sent_at"] != "2026-01-02T02:04:05Z" || d["secret"] != 0.0 {
		t.Errorf("%v", d)
	}
	if first := d["timeline"].([]any)[0].(map[string]any); first["what"] != "fetched" || first["note"] == "" {
		t.Errorf("%v", first)
	}
}
