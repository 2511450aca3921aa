package dashboard_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hookd/hookd/syncqueue"
)

// chromium starts a browser, and skips the test where there is none. A build
// server that has none must not pass.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no Chromium: apt-get install chromium")
		}
		t.Skip("there is no Chromium, so nobody looks at the page: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	// Started before there is a timeout, which would else end the browser.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	ctx, stop = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	return ctx
}

func TestInABrowserADeliveryIsRedelivered(t *testing.T) {
	ctx := chromium(t)
	w := newWorld(t)
	w.now = time.Now()
	id := w.full()
	srv := httptest.NewServer(w.handler)
	defer srv.Close()

	// What the policy blocks, and what is missing, a browser says there.
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
	text := func(selector string) string {
		t.Helper()
		s, err := chromedp.Run(ctx, chromedp.Text(selector))
		if err != nil {
			t.Fatalf("%s: %v", selector, err)
		}
		return s
	}
	do("sign in",
		chromedp.Navigate(srv.URL),
		chromedp.SendKeys("#token", tokens["operator"]+"\r"),
		chromedp.WaitVisible("#deliveries table"))
	if s := text("#deliveries tbody"); !strings.Contains(s, id) || !strings.Contains(s, "acme/done") {
		t.Fatalf("the delivery is not listed:\n%s", s)
	}
	do("redeliver", chromedp.Click(`button[aria-label="Redeliver `+id+`"]`), chromedp.WaitVisible("#delivery table"))
	if s := text(".notice"); s != "Delivery "+id+" was delivered again: 1 job." {
		t.Errorf("the notice says %q", s)
	}
	if s := text("#delivery tbody"); !strings.Contains(s, string(syncqueue.Done)) || !strings.Contains(s, string(syncqueue.Ready)) {
		t.Errorf("the jobs are\n%s", s)
	}
	if w.jobs(syncqueue.Ready) != 1 {
		t.Errorf("%d jobs are ready", w.jobs(syncqueue.Ready))
	}
	do("drop the dead letters",
		chromedp.Click("#dead .cause details.confirm summary"),
		chromedp.Click("#dead .cause details.confirm button"),
		chromedp.WaitNotPresent("#dead table"))
	if w.jobs(syncqueue.Dead) != 0 {
		t.Error("the dead letter is there still")
	}
	styled, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`getComputedStyle(document.querySelector("header")).display === "flex"`))
	if err != nil || !styled {
		t.Errorf("the style sheet does not apply: %v", err)
	}
	do("sign out", chromedp.Click(".who button"), chromedp.WaitVisible("#token"))
	if said := console.String(); said != "" {
		t.Errorf("the console says\n%s", said)
	}
}
