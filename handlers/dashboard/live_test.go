package dashboard_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func received(id string) syncqueue.Entry {
	return syncqueue.Entry{
		Delivery: providers.Delivery{ID: id, Provider: "git", GUID: id, Body: []byte("{}"), Received: time.Now()},
		Event:    providers.Event{Name: "push"}, Result: syncqueue.EntryIgnored,
	}
}

// TestAScriptRunsOnAPageThatAskedForIt and on no other.
func TestAScriptRunsOnAPageThatAskedForIt(t *testing.T) {
	w := newWorld(t)
	w.full()
	b := w.signedIn("viewer")
	for target, scripts := range map[string]int{"/": 0, "/?every=5": 0, "/?every=live": 1, "/dashboard/why?every=live": 0, "/?every=alive": 0} {
		rec := b.get(target)
		found := regexp.MustCompile(`<script src="(/dashboard/live\.js\?v=[0-9a-f]+)"></script>`).FindAllStringSubmatch(rec.Body.String(), -1)
		if n := strings.Count(rec.Body.String(), "<script"); n != scripts || len(found) != scripts {
			t.Errorf("%s: %d scripts", target, n)
		}
		csp := rec.Header().Get("Content-Security-Policy")
		if strings.Contains(csp, "script-src 'self'") != (scripts > 0) || strings.Contains(csp, "connect-src 'self'") != (scripts > 0) || !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", target, csp)
		}
		for _, f := range found {
			if rec := b.get(f[1]); rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
				t.Errorf("%s: %d %v", f[1], rec.Code, rec.Header())
			}
		}
	}
}

func TestThePagesEventsEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if rec := w.browser().get("/dashboard/events"); rec.Code != http.StatusUnauthorized || strings.Contains(rec.Body.String(), "event:") {
			t.Errorf("a stranger: %d", rec.Code)
		}
		b := w.signedIn("viewer")
		r := httptest.NewRequest(http.MethodGet, "/dashboard/events", nil)
		r.Host = b.host
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		rec, done := httptest.NewRecorder(), make(chan struct{})
		go func() {
			w.handler.ServeHTTP(rec, r)
			close(done)
		}()
		synctest.Wait()
		w.feed.Delivery(received("A"), 0)
		synctest.Wait()
		b.press(b.page("/"), "/dashboard/sign-out")
		w.feed.Delivery(received("B"), 0)
		<-done
		if body := rec.Body.String(); rec.Code != http.StatusOK || !strings.Contains(body, `"id":"A"`) || strings.Contains(body, `"id":"B"`) {
			t.Errorf("%d %s", rec.Code, body)
		}
	})
}

// TestListeningKeepsNoSessionOpen: an open page is nobody's doing.
func TestListeningKeepsNoSessionOpen(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("viewer")
	w.feed.Close() // so that listening ends at once
	for range 3 {
		w.now = w.now.Add(5 * time.Hour)
		b.get("/dashboard/events")
		b.get("/?every=live")
	}
	if page := b.page("/"); !strings.Contains(page, `name="token"`) {
		t.Error("a session that nobody used for 15 hours is open")
	}
}

func TestInABrowserAPageLoadsWhenSomethingHappens(t *testing.T) {
	ctx := chromium(t)
	w := newWorld(t)
	w.now = time.Now()
	srv := httptest.NewServer(w.handler)
	defer srv.Close()
	defer w.feed.Close()
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("sign in", chromedp.Navigate(srv.URL), chromedp.SendKeys("#token", tokens["viewer"]+"\r"), chromedp.WaitVisible("#deliveries"))
	do("ask for it", chromedp.Navigate(srv.URL+"/?every=live"), chromedp.WaitVisible("#deliveries"))
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.mark = true`)); err != nil {
		t.Fatal(err)
	}
	id := w.full()
	seen := make(chan struct{})
	defer close(seen)
	go func() { // again and again, since nobody knows when the browser listens
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-seen:
				return
			case <-tick.C:
				w.feed.Delivery(received(id), 1)
			}
		}
	}()
	do("see it", chromedp.WaitVisible(`a[href*="`+id+`"]`))
	if marked, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.mark === true`)); err != nil || !marked {
		t.Errorf("the page was loaded as a whole: %v", err)
	}
}
