package dashboard_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

func TestRedeliverPushesTheJobsAgainAndShowsThem(t *testing.T) {
	w := newWorld(t)
	id := w.push("g1", created("42", "acme/app"))
	w.work(syncqueue.Outcome{}, nil)
	b := w.signedIn("operator")
	page := b.page("/?provider=git&result=accepted")
	if !strings.Contains(page, "acme/app") || !strings.Contains(page, `<td class="number">1</td>`) {
		t.Fatalf("%s", page)
	}
	w.now = w.now.Add(2 * time.Second)
	after := b.press(page, "/deliveries/"+id+"/redeliver")
	for _, want := range []string{
		"Delivery " + id + " was delivered again: 1 job.", `<td class="number">2</td>`,
		`<h2 id="delivery-title">Delivery`, `<span class="tag ready">`, `<span class="tag done">`, `<option selected>accepted`,
	} {
		if !strings.Contains(after, want) {
			t.Errorf("no %s on\n%s", want, after)
		}
	}
	jobs, err := w.db.JobsOf(t.Context(), id)
	if err != nil || len(jobs) != 2 || jobs[1].Causes[len(jobs[1].Causes)-1].By != "replay" {
		t.Errorf("%v %v", jobs, err)
	}
	if strings.Contains(b.page("/"), "was delivered again") {
		t.Error("the notice is told twice")
	}
	log := w.log.String()
	if !strings.Contains(log, "msg=audit token=olga role=operator method=POST path=/dashboard/deliveries/"+id+"/redeliver") {
		t.Errorf("log: %s", log)
	}
}

func TestRedeliveryOfWhatWasIgnoredSaysSo(t *testing.T) {
	w := newWorld(t)
	ev := created("1", "x")
	ev.Repo = nil
	id := w.push("g1", ev)
	b := w.signedIn("operator")
	if page := b.press(b.page("/"), id); !strings.Contains(page, "what was ignored stays ignored") || w.jobs(syncqueue.Ready) != 0 {
		t.Errorf("%s", page)
	}
}

func TestAViewerSeesNoButtonsAndMayNotPress(t *testing.T) {
	w := newWorld(t)
	id := w.push("g1", created("42", "acme/app"))
	w.work(syncqueue.Outcome{}, errBroken)
	operator := w.signedIn("operator")
	b := w.signedIn("viewer")
	page := b.page("/?delivery=" + id)
	for _, word := range []string{"Redeliver", "Retry", "Drop", "redeliver"} {
		if strings.Contains(page, word) {
			t.Errorf("a viewer's page says %s", word)
		}
	}
	_, own := b.form(page, "/sign-out")
	full := operator.page("/?delivery=" + id)
	for _, action := range []string{"/deliveries/", "/retry", "/drop", "/causes/retry", "/causes/drop"} {
		target, fields := operator.form(full, action)
		fields.Set("form", own.Get("form"))
		if rec := b.post(target, fields); rec.Code != http.StatusForbidden {
			t.Errorf("%s as a viewer: %d", target, rec.Code)
		}
	}
	if w.jobs(syncqueue.Dead) != 1 || w.jobs(syncqueue.Ready) != 0 || strings.Contains(w.log.String(), "path=/dashboard/causes/drop cause") {
		t.Errorf("something was done: %s", w.log)
	}
	if !strings.Contains(w.log.String(), "msg=denied token=vera role=viewer") {
		t.Errorf("log: %s", w.log)
	}
}

func TestFormsOfOthersDoNothing(t *testing.T) {
	w := newWorld(t)
	id := w.push("g1", created("42", "acme/app"))
	w.work(syncqueue.Outcome{}, errBroken)
	b, other, stranger := w.signedIn("operator"), w.signedIn("operator"), w.browser()
	page := b.page("/")
	_, theirs := other.form(other.page("/"), "/sign-out")
	for _, action := range []string{id + "/redeliver", "/causes/retry", "/causes/drop", "/sign-out"} {
		target, fields := b.form(page, action)
		own := fields.Get("form")
		for what, token := range map[string]string{"none": "", "wrong": own + "x", "another session's": theirs.Get("form")} {
			fields.Set("form", token)
			if rec := b.post(target, fields); rec.Code != http.StatusForbidden {
				t.Errorf("%s with the form token %s: %d", action, what, rec.Code)
			}
		}
		fields.Set("form", own)
		if rec := b.post(target+"?form="+own, url.Values{}); rec.Code != http.StatusForbidden {
			t.Errorf("%s with the form token in the address: %d", action, rec.Code)
		}
		for what, header := range map[string]http.Header{
			"cross-site": {"Sec-Fetch-Site": {"cross-site"}},
			"same-site":  {"Sec-Fetch-Site": {"same-site"}},
			"old":        {"Origin": {"http://evil.example"}},
			"opaque":     {"Origin": {"null"}},
		} {
			b.header = header
			if rec := b.post(target, fields); rec.Code != http.StatusForbidden {
				t.Errorf("%s from a %s page: %d", action, what, rec.Code)
			}
		}
		b.header = http.Header{}
		if rec := stranger.post(target, fields); rec.Code != http.StatusUnauthorized {
			t.Errorf("%s by a stranger: %d", action, rec.Code)
		}
		if rec := b.get(target); rec.Code != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", action, rec.Code)
		}
	}
	if w.jobs(syncqueue.Dead) != 1 || w.jobs(syncqueue.Ready) != 0 || strings.Contains(w.log.String(), "path=/dashboard/c") && strings.Contains(w.log.String(), "msg=audit token=olga role=operator method=POST path=/dashboard/c") {
		t.Errorf("something was done: %s", w.log)
	}
	b.header = http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://127.0.0.1:8081"}}
	b.press(page, "/causes/retry")
	if w.jobs(syncqueue.Ready) != 1 {
		t.Error("the own form did nothing")
	}
}

func TestOneJobIsRetriedAndDropped(t *testing.T) {
	w := newWorld(t)
	w.push("g1", created("1", "acme/one"))
	w.work(syncqueue.Outcome{}, errBroken)
	b := w.signedIn("operator")
	page := b.press(b.page("/"), "/dashboard/jobs/")
	if w.jobs(syncqueue.Ready) != 1 || w.jobs(syncqueue.Dead) != 0 || !strings.Contains(page, "is due now.") {
		t.Errorf("%s", page)
	}
	w.work(syncqueue.Outcome{}, errBroken)
	page = b.press(b.page("/"), "/drop")
	if w.jobs(syncqueue.Dead) != 0 || w.jobs(syncqueue.Done) != 1 || !strings.Contains(page, "dropped.") {
		t.Errorf("%s", page)
	}
}

func TestWhatIsGoneIsExplained(t *testing.T) {
	w := newWorld(t)
	id := w.push("g1", created("1", "acme/one"))
	w.work(syncqueue.Outcome{}, errBroken)
	b := w.signedIn("operator")
	page := b.page("/")
	drop, fields := b.form(page, "/drop")
	cause, causeFields := b.form(page, "/causes/drop")
	if drop == cause {
		drop, fields = b.form(b.page("/?delivery="+id), "/drop?")
	}
	b.press(page, "/causes/drop")
	for target, want := range map[string]int{drop: http.StatusConflict, "/dashboard/jobs/01NONE/drop": http.StatusNotFound, "/dashboard/jobs/%2e%2e%2f/retry": http.StatusNotFound} {
		if rec := b.post(target, fields); rec.Code != want || !strings.Contains(rec.Body.String(), "It did not work") {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	for _, seen := range []string{causeFields.Get("seen"), "", "yesterday"} {
		causeFields.Set("seen", seen)
		if rec := b.post(cause, causeFields); rec.Code != http.StatusNotFound {
			t.Errorf("the cause again, seen %q: %d", seen, rec.Code)
		}
	}
	if rec := b.post("/dashboard/deliveries/01NONE/redeliver", fields); rec.Code != http.StatusNotFound {
		t.Errorf("redeliver nothing: %d", rec.Code)
	}
	w.db.Close()
	if rec := b.get("/"); rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "shutting down") {
		t.Errorf("a closed store: %d %s", rec.Code, rec.Body)
	}
}

// Whoever drops what he saw must not drop what came since.
func TestACauseReachesOnlyWhatThePageCouldShow(t *testing.T) {
	w := newWorld(t)
	w.push("g1", created("1", "acme/one"))
	w.push("g2", created("2", "acme/two"))
	w.work(syncqueue.Outcome{}, errBroken)
	b := w.signedIn("operator")
	page := b.page("/")
	if !strings.Contains(page, "Drop all 2 jobs") {
		t.Fatalf("%s", page)
	}
	w.now = w.now.Add(time.Second)
	w.push("g3", created("3", "acme/three"))
	w.work(syncqueue.Outcome{}, errBroken)
	after := b.press(page, "/causes/drop")
	if w.jobs(syncqueue.Dead) != 1 || !strings.Contains(after, "2 jobs were dropped.") || !strings.Contains(after, "acme/three") {
		t.Errorf("%d dead\n%s", w.jobs(syncqueue.Dead), after)
	}
}

func TestRedeliveriesAreLimited(t *testing.T) {
	w := newWorld(t)
	w.push("g1", created("1", "acme/one"))
	b := w.signedIn("operator")
	target, fields := b.form(b.page("/"), "/redeliver")
	var rec *httptest.ResponseRecorder
	for range 601 {
		rec = b.post(target, fields)
	}
	if rec.Code != http.StatusTooManyRequests {
		t.Errorf("%d", rec.Code)
	}
	if rec := w.signedIn("admin").get("/"); rec.Code != http.StatusOK {
		t.Errorf("another token: %d", rec.Code)
	}
}

// The address comes back in the answer to an action: it must lead nowhere else.
func TestActionsLeadBackToThePageOnly(t *testing.T) {
	w := newWorld(t)
	id := w.push("g1", created("1", "acme/one"))
	b := w.signedIn("operator")
	_, fields := b.form(b.page("/"), "/redeliver")
	fields.Set("delivery", "//evil.example/\r\nX: y")
	rec := b.post("/dashboard/deliveries/"+id+"/redeliver?provider=git&event=%2F%2Fevil.example&next=https://evil.example&result=%0d%0a", fields)
	to, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || to.IsAbs() || to.Host != "" || to.Path != "/" || to.Query().Get("provider") != "git" || to.Query().Has("next") || to.Query().Has("result") {
		t.Errorf("%d %v %v", rec.Code, to, err)
	}
}
