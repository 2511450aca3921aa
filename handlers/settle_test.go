package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func TestWhatChangesNobodysListIsJournalledAsIgnored(t *testing.T) {
	w := newWorld(t)
	stranger := `{"name":"repository.created","repo":{"id":"9","path":"evil/<b>app"},"org":{"id":"6","name":"evil\u001b[31m"},"effect":"repo"}`
	for name, c := range map[string]struct {
		change func(*post)
		result string
		reason string
	}{
		"ping":               {func(p *post) { p.event = "ping" }, "ping", "hello"},
		"uninteresting":      {func(p *post) { p.event = "push" }, "ignored", "changes nobody's access"},
		"no effect":          {func(p *post) { p.body = `{"name":"x","org":{"name":"acme"}}` }, "ignored", "changes nobody's list"},
		"other org":          {func(p *post) { p.body = stranger }, "ignored", "is not configured for provider a"},
		"no org":             {func(p *post) { p.body = `{"name":"x","effect":"scope"}` }, "ignored", "is not configured"},
		"names nothing":      {func(p *post) { p.body = `{"name":"x","org":{"name":"acme"},"effect":"repo"}` }, "ignored", "names nothing"},
		"null":               {func(p *post) { p.body = `null` }, "ignored", "cannot be read"},
		"number":             {func(p *post) { p.body = `7` }, "ignored", "cannot be read"},
		"wrong types":        {func(p *post) { p.body = `{"repo":[]}` }, "ignored", "cannot be read"},
		"parser that panics": {func(p *post) { p.event = "panic" }, "ignored", "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			p := created(name)
			c.change(&p)
			rec, answer := w.send(p)
			if rec.Code != http.StatusOK || answer["result"] != c.result || !strings.Contains(answer["reason"].(string), c.reason) {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			d, err := w.db.Delivery(context.Background(), answer["delivery"].(string))
			if err != nil || string(d.Result) != c.result || d.JobCount != 0 || !d.HasBody {
				t.Errorf("journalled %+v, %v", d, err)
			}
		})
	}
}

func TestOursIsJudgedByIdAndByWhereItCameFrom(t *testing.T) {
	w := newWorld(t)
	w.orgsA.Learn("acme", "5")
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"renamed organization": {`{"name":"x","org":{"id":"5","name":"acme-corp"},"repo":{"id":"1"},"effect":"repo"}`, 202},
		"stranger in its name": {`{"name":"x","org":{"id":"6","name":"acme"},"repo":{"id":"1"},"effect":"repo"}`, 200},
		"moved away":           {`{"name":"x","org":{"id":"6","name":"evil"},"from":"acme/app","repo":{"id":"1"},"effect":"repo"}`, 202},
		"moved by others":      {`{"name":"x","org":{"id":"6","name":"evil"},"from":"other/app","repo":{"id":"1"},"effect":"repo"}`, 200},
		"a user as such":       {`{"name":"user_rename","user":{"id":"7"},"effect":"user"}`, 202},
		"letters' case":        {`{"name":"x","org":{"name":"ACME"},"repo":{"id":"1"},"effect":"repo"}`, 202},
	} {
		p := created(name)
		p.body = c.body
		if rec, _ := w.send(p); rec.Code != c.want {
			t.Errorf("%s: %d, want %d: %s", name, rec.Code, c.want, rec.Body)
		}
	}
}

// TestASenderThatHangsUpIsHeardOut: most forges never send it again.
func TestASenderThatHangsUpIsHeardOut(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	rec := httptest.NewRecorder()
	w.intake.ServeHTTP(rec, created("g").request().WithContext(ctx))
	if rec.Code != http.StatusAccepted {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestWhenTheStoreFailsNothingIsPromised(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{storage.ErrFull, storage.ErrClosed, errBroken} {
		w.queue.err = err
		rec, _ := w.send(created("g"))
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%v: %d %v", err, rec.Code, rec.Header())
		}
		ping := created("p")
		ping.event = "ping"
		if rec, answer := w.send(ping); rec.Code != http.StatusOK || answer["result"] != "ping" || answer["delivery"] != nil {
			t.Errorf("%v: a ping answers %d %s", err, rec.Code, rec.Body)
		}
	}
	w.queue.err = nil
	if rec, _ := w.send(created("g")); rec.Code != http.StatusAccepted {
		t.Errorf("the same delivery, when the store works again: %d", rec.Code)
	}
}

func TestDrainingRefusesWork(t *testing.T) {
	w := newWorld(t)
	w.draining.Store(true)
	rec, _ := w.send(created("g"))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || rec.Header().Get("Connection") != "close" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if w.queue.count() != 0 {
		t.Error("a refused delivery reached the queue")
	}
	bad := created("g")
	bad.secret = secretB
	if rec, _ := w.send(bad); rec.Code != http.StatusUnauthorized {
		t.Errorf("not authentic: %d", rec.Code)
	}
}

func TestDrainingKnowsWhatItHas(t *testing.T) {
	w := newWorld(t)
	_, first := w.send(created("g"))
	w.draining.Store(true)
	rec, answer := w.send(created("g"))
	if rec.Code != http.StatusOK || answer["result"] != "duplicate" || answer["delivery"] != first["delivery"] {
		t.Errorf("the same delivery again: %d %s", rec.Code, rec.Body)
	}
	ping := created("p")
	ping.event = "ping"
	if rec, answer := w.send(ping); rec.Code != http.StatusOK || answer["result"] != "ping" || answer["delivery"] == nil {
		t.Errorf("a ping: %d %s", rec.Code, rec.Body)
	}
	if rec, _ := w.send(created("new")); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("a delivery that is not known: %d", rec.Code)
	}
}

func TestFormsAreUnwrappedAfterVerification(t *testing.T) {
	w := newWorld(t)
	inner := created("").body
	p := created("f1")
	p.provider, p.mediaType = "form", "application/x-www-form-urlencoded"
	p.body = "payload=" + url.QueryEscape(inner)
	rec, answer := w.send(p)
	if rec.Code != http.StatusAccepted {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	d, err := w.db.Body(context.Background(), answer["delivery"].(string))
	if err != nil || string(d.Body) != inner || d.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s %v", d.Header, d.Body, err)
	}
	for name, body := range map[string]string{"no payload": "a=b", "not JSON": "payload=%7B", "not a form": "payload=%zz"} {
		p.guid, p.body = name, body
		if rec, _ := w.send(p); rec.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
}

func TestNothingSecretIsKept(t *testing.T) {
	w := newWorld(t)
	p := created("g")
	p.header = http.Header{
		"Authorization": {"Basic canary"}, "Cookie": {"s=canary"}, "X-Gitlab-Token": {"canary"},
		"X-Hub-Signature-256": {"sha256=canary"}, "Webhook-Signature": {"v1,canary"}, "X-Api-Key": {"canary"},
		"X-Forwarded-For": {"canary"}, "X-Gitea-Signature": {"canary"},
		"X-Gitea-Event": {"repository"}, "X-Gitea-Event-Type": {"repository"}, "X-Github-Delivery": {"u"},
		"X-Github-Hook-Id": {"12"}, "User-Agent": {strings.Repeat("u", 9000)},
	}
	_, answer := w.send(p)
	d, err := w.db.Body(context.Background(), answer["delivery"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprint(d.Header); strings.Contains(s, "canary") || strings.Contains(s, sign(secretA, p.body)) {
		t.Errorf("kept %s", s)
	}
	for _, name := range []string{"X-Gitea-Event", "X-Gitea-Event-Type", "X-Github-Delivery", "X-Github-Hook-Id", "X-Test-Event", "Content-Type"} {
		if d.Header.Get(name) == "" {
			t.Errorf("%s was not kept", name)
		}
	}
	if n := len(d.Header.Get("User-Agent")); n != 512 {
		t.Errorf("a header of %d bytes was kept", n)
	}
}

func TestPanicIsA500AndTellsNothing(t *testing.T) {
	w := newWorld(t)
	p := created("g")
	p.event = "panic in verify"
	r, rec := p.request(), httptest.NewRecorder()
	w.intake.ServeHTTP(rec, r)
	if rec.Code != http.StatusInternalServerError || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	if strings.Contains(rec.Body.String(), "verify") {
		t.Errorf("the answer tells %s", rec.Body)
	}
	if !strings.Contains(w.log.String(), "level=ERROR msg=panic") {
		t.Errorf("log: %s", w.log)
	}
}

func TestDeadJobsOfADuplicateAreRevived(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	_, first := w.send(created("g"))
	jobs, _ := w.db.JobsOf(ctx, first["delivery"].(string))
	if _, err := w.db.Revive(ctx, jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	l, err := w.db.Lease(ctx, 1e9, syncqueue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.db.Bury(ctx, l, errBroken); err != nil {
		t.Fatal(err)
	}
	rec, again := w.send(created("g"))
	if rec.Code != http.StatusOK || again["result"] != "duplicate" || !strings.Contains(again["reason"].(string), "1 of its dead jobs") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if j, err := w.db.Job(ctx, jobs[0].ID); err != nil || j.State != syncqueue.Ready {
		t.Errorf("job is %s, %v", j.State, err)
	}
}
