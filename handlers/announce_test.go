package handlers_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/storage"
)

// loggedIn is the announcement of a first login.
func loggedIn(login string) post {
	return post{
		target: "drone", secret: secretC,
		body: `{"name":"user.created","user":{"login":"` + login + `"},"effect":"user"}`,
	}
}

func TestAnAnnouncedUserIsLookedAt(t *testing.T) {
	w := newWorld(t)
	rec, answer := w.send(loggedIn("ana"))
	if rec.Code != http.StatusAccepted || answer["event"] != "user.created" || answer["jobs"] != 1.0 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if !slices.Equal(w.welcomed, []string{"ana"}) {
		t.Errorf("looked at %q", w.welcomed)
	}
	if page := items(w.get("/api/v1/deliveries")); len(page) != 0 {
		t.Errorf("journalled %v", page)
	}
	if n := exposition(t, w.admin)[`hookd_target_events_total{event="user.created",result="accepted",target="drone"}`]; n != "1" {
		t.Errorf("counted %q", n)
	}
}

// TestAnnouncementsAreCheckedInTheContractsOrder spoils an announcement in every
// way at once, then mends one fault after the other.
func TestAnnouncementsAreCheckedInTheContractsOrder(t *testing.T) {
	w := newWorld(t)
	if rec, _ := w.send(loggedIn("known")); rec.Code != http.StatusAccepted {
		t.Fatal(rec.Code)
	}
	p := loggedIn("ana")
	good := p.body
	p.target, p.method, p.mediaType, p.secret = "nobody", http.MethodPut, "text/plain", ""
	p.body = `"` + strings.Repeat("x", 1<<20) + `"`
	w.welcome = storage.ErrFull
	for _, s := range []struct {
		name   string
		mend   func()
		want   int
		result string
	}{
		{"target", func() {}, 404, ""},
		{"method", func() { p.target = "drone" }, 405, ""},
		{"type", func() { p.method = http.MethodPost }, 415, ""},
		{"size", func() { p.mediaType = "application/json" }, 413, ""},
		{"signature", func() { p.body = "{not json" }, 401, ""},
		{"JSON", func() { p.secret = secretC }, 400, ""},
		{"duplicate", func() { p.body = loggedIn("known").body }, 200, "duplicate"},
		{"ignored", func() { p.body = `{"name":"build.created"}` }, 200, "ignored"},
		{"unreadable", func() { p.body = `[]` }, 200, "ignored"},
		{"store", func() { p.body = good }, 503, ""},
		{"nothing", func() { w.welcome = nil }, 202, ""},
	} {
		s.mend()
		rec, answer := w.send(p)
		if rec.Code != s.want || s.result != "" && answer["result"] != s.result {
			t.Errorf("%s: %d, want %d: %s", s.name, rec.Code, s.want, rec.Body)
		}
		if rec.Code == http.StatusServiceUnavailable && rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", s.name)
		}
	}
	if !slices.Equal(w.welcomed, []string{"known", "ana"}) {
		t.Errorf("looked at %q", w.welcomed)
	}
}

func TestRefusedAnnouncementsReadTheSame(t *testing.T) {
	w := newWorld(t)
	var first *httptest.ResponseRecorder
	for name, spoil := range map[string]func(*post){
		"no signature":      func(p *post) { p.secret = "" },
		"a forge's secret":  func(p *post) { p.secret = secretA },
		"not JSON":          func(p *post) { p.secret, p.body = "", "{" },
		"of another body":   func(p *post) { p.header = http.Header{"X-Test-Signature": {sign(secretC, "{}")}} },
		"nothing is signed": func(p *post) { p.secret, p.body = "", "" },
	} {
		p := loggedIn("ana")
		spoil(&p)
		rec, _ := w.send(p)
		if first == nil {
			first = rec
		}
		if rec.Code != 401 || !bytes.Equal(rec.Body.Bytes(), first.Body.Bytes()) || cmp.Diff(rec.Header(), first.Header()) != "" {
			t.Errorf("%s: %d %v %s", name, rec.Code, rec.Header(), rec.Body)
		}
	}
	p := created("g1")
	p.secret = secretC
	if rec, _ := w.send(p); rec.Code != 401 {
		t.Errorf("a target's secret opens a provider: %d", rec.Code)
	}
	if len(w.welcomed) > 0 {
		t.Errorf("looked at %q", w.welcomed)
	}
}

func TestWhatIsNotRecordedMayBeAnnouncedAgain(t *testing.T) {
	w := newWorld(t)
	w.draining.Store(true)
	rec, _ := w.send(loggedIn("ana"))
	if rec.Code != 503 || rec.Header().Get("Connection") != "close" {
		t.Fatalf("draining: %d", rec.Code)
	}
	w.draining.Store(false)
	if rec, _ := w.send(loggedIn("ana")); rec.Code != 202 {
		t.Errorf("then: %d", rec.Code)
	}
	now := time.Now()
	w.now = func() time.Time { return now.Add(16 * time.Minute) }
	if rec, _ := w.send(loggedIn("ana")); rec.Code != 202 {
		t.Errorf("a quarter of an hour later: %d", rec.Code)
	}
}
