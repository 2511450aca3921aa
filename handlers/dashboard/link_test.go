package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hookd/hookd/handlers/dashboard"
)

const canary = "canary-token-0123456789"

// linking is a CI server that knows one token, and one that breaks it.
func linking(name string, kept *[]string) dashboard.Linking {
	return dashboard.Linking{Target: name, URL: "https://" + name + ".example.com/account", Link: func(_ context.Context, token string) (string, error) {
		switch token {
		case canary:
			*kept = append(*kept, name)
			return "ana<b>", nil
		case canary + "-broken":
			return "", errors.New("no answer")
		}
		return "", fmt.Errorf("%w: whatever", dashboard.ErrTokenRefused)
	}, Unlink: func(_ context.Context, token string) (string, error) {
		switch {
		case token != canary:
			return "", fmt.Errorf("%w: whatever", dashboard.ErrTokenRefused)
		case len(*kept) == 0:
			return "ana<b>", fmt.Errorf("%w: whatever", dashboard.ErrNothingLinked)
		}
		*kept = nil
		return "ana<b>", nil
	}}
}

func TestWhatWasLinkedIsTakenBackByATokenOfTheSameUser(t *testing.T) {
	var kept []string
	w := newWorld(t, linking("drone", &kept))
	b := w.browser()
	for i, c := range []struct {
		do, token, says string
		status, keeps   int
	}{
		{"link", canary, "’s, linked.", http.StatusOK, 1},
		{"unlink", canary + "-wrong", "Nothing was changed.", http.StatusUnprocessableEntity, 1},
		{"unlink", canary, "What was kept of <bdi>ana&lt;b&gt;</bdi> is deleted.", http.StatusOK, 0},
		{"unlink", canary, "Nothing of yours is linked there.", http.StatusUnprocessableEntity, 0},
	} {
		rec := b.post("/link", url.Values{"target": {"drone"}, "token": {c.token}, "do": {c.do}})
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.says) || len(kept) != c.keeps {
			t.Errorf("step %d: %d, kept %q\n%s", i, rec.Code, kept, rec.Body)
		}
		if strings.Contains(rec.Body.String()+w.log.String(), "canary") {
			t.Errorf("step %d: the token is in the answer or the log", i)
		}
	}
}

func TestTokenIsLinkedWithoutSigningInAndNeverRepeated(t *testing.T) {
	var kept []string
	w := newWorld(t, linking("drone", &kept), linking("other", &kept))
	b := w.browser()
	if page := b.page("/link"); !strings.Contains(page, `name="token"`) || !strings.Contains(page, "other") {
		t.Fatalf("there is no form\n%s", page)
	}
	for _, c := range []struct {
		target, token, says string
		status              int
	}{
		{"other", " " + canary + "\n", "This token is <bdi>ana&lt;b&gt;</bdi>’s, linked.", http.StatusOK},
		{"drone", canary + "-wrong", "not the token of a person there", http.StatusUnprocessableEntity},
		{"drone", "", "not the token of a person there", http.StatusUnprocessableEntity},
		{"drone", canary + "-broken", "Try again later", http.StatusBadGateway},
		{"nowhere", canary, "Choose a CI server", http.StatusBadRequest},
		{"", canary, "Choose a CI server", http.StatusBadRequest},
		{"drone", strings.Repeat(canary, 1000), "could not be read", http.StatusBadRequest},
	} {
		rec := b.post("/link", url.Values{"target": {c.target}, "token": {c.token}})
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.says) {
			t.Errorf("%s, %.30q: %d\n%s", c.target, c.token, rec.Code, rec.Body)
		}
		if strings.Contains(rec.Body.String()+fmt.Sprint(rec.Header())+w.log.String(), "canary") {
			t.Errorf("%s, %.30q: the token is in the answer or the log", c.target, c.token)
		}
		if h := rec.Header(); h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || len(b.set) > 0 {
			t.Errorf("headers %v", h)
		}
	}
	if fmt.Sprint(kept) != "[other]" {
		t.Errorf("kept for %q", kept)
	}
	if rec := b.get("/link?target=drone&token=" + canary); rec.Code != http.StatusOK || len(kept) != 1 || strings.Contains(rec.Body.String(), canary) {
		t.Errorf("a token in an address: %d, kept %q", rec.Code, kept)
	}
}

func TestLinkingIsOffUnlessAskedFor(t *testing.T) {
	b := newWorld(t).browser()
	for _, rec := range []*httptest.ResponseRecorder{b.get("/link"), b.post("/link", url.Values{"target": {"drone"}, "token": {canary}})} {
		if rec.Code >= http.StatusOK && rec.Code < http.StatusBadRequest || strings.Contains(rec.Body.String(), `name="token"`) {
			t.Errorf("%d\n%s", rec.Code, rec.Body)
		}
	}
}

func TestAnotherSitesPageLinksNothing(t *testing.T) {
	var kept []string
	b := newWorld(t, linking("drone", &kept)).browser()
	for name, header := range map[string]http.Header{
		"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}}, "origin": {"Origin": {"https://evil.example.com"}},
	} {
		b.header = header
		if rec := b.post("/link", url.Values{"target": {"drone"}, "token": {canary}}); rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	if len(kept) > 0 {
		t.Error("it was kept")
	}
}

func TestLinkingIsRateLimited(t *testing.T) {
	asked := 0
	l := dashboard.Linking{Target: "drone", Link: func(context.Context, string) (string, error) {
		asked++
		return "", dashboard.ErrTokenRefused
	}}
	w := newWorld(t, l)
	b := w.browser()
	var rec *httptest.ResponseRecorder
	for range 40 {
		rec = b.post("/link", url.Values{"target": {"drone"}, "token": {"wrong"}})
	}
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" || asked != 30 {
		t.Errorf("after 40: %d, the CI server was asked %d times", rec.Code, asked)
	}
	w.now = w.now.Add(time.Minute)
	if rec = b.post("/link", url.Values{"target": {"drone"}, "token": {"wrong"}}); rec.Code != http.StatusUnprocessableEntity {
		t.Errorf("a minute later: %d", rec.Code)
	}
}

func TestWhoMustLogInIsShownSo(t *testing.T) {
	var kept []string
	w := newWorld(t, linking("drone", &kept))
	w.full()
	w.credentials["ana"], w.absent = "rejected", map[string]bool{"ana": true}
	page := w.signedIn("viewer").page("/")
	if !strings.Contains(page, "he must log in once to drone") || !strings.Contains(page, `href="/link"`) {
		t.Errorf("the page says\n%s", page)
	}
}

// TestInABrowserATokenIsLinked writes a picture to HOOKD_SCREENSHOT, if that is
// a name.
func TestInABrowserATokenIsLinked(t *testing.T) {
	ctx := chromium(t)
	var kept []string
	w := newWorld(t, linking("drone", &kept))
	w.now = time.Now()
	srv := httptest.NewServer(w.handler)
	defer srv.Close()
	console := &lines{}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return // the browser has ended
			}
			fmt.Fprintf(console, "%s: %s %s\n", m.Type, m.Text, m.URL)
		}
	}()
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("open", chromedp.Navigate(srv.URL+"/link"), chromedp.WaitVisible("#token"))
	if name := os.Getenv("HOOKD_SCREENSHOT"); name != "" {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do("link", chromedp.SendKeys("#token", canary+"\r"), chromedp.WaitVisible("p[role=status]"))
	said, err := chromedp.Run(ctx, chromedp.Text("main"))
	if err != nil || !strings.Contains(said, "This token is ana<b>’s, linked.") || strings.Contains(said, "canary") {
		t.Errorf("the page says %q, %v", said, err)
	}
	address, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil || address != srv.URL+"/link" {
		t.Errorf("the address is %q, %v", address, err)
	}
	if said := console.String(); said != "" {
		t.Errorf("the console says\n%s", said)
	}
	if len(kept) != 1 {
		t.Errorf("kept %d times", len(kept))
	}
}
