package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

const hookSecret = "a-secret-of-the-webhook"

// listener takes whatever is sent.
func listener(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	return s.URL + "/hooks/hub"
}

func logWorld(t *testing.T, g *providerstest.GitHub, f *github.Forge, org providers.Org, address string) providerstest.LogWorld {
	n := 0
	must(t, g.Delivered(t.Context()))
	return providerstest.LogWorld{
		Log: f, Org: org, Address: address, Outage: g.Outage,
		Happen: func(count int) {
			for range count {
				n++
				made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: org.Name, Name: fmt.Sprintf("app-%d", n)}))
			}
			must(t, g.Delivered(t.Context()))
		},
		Sent: func() (sent []providerstest.Sent) {
			for _, d := range g.Deliveries() {
				sent = append(sent, providerstest.Sent{GUID: d.UUID, Body: d.Body})
			}
			return sent
		},
	}
}

func TestDeliveryLogOfAnOrganization(t *testing.T) {
	for _, reencodes := range []bool{false, true} {
		t.Run(fmt.Sprintf("reencodes=%v", reencodes), func(t *testing.T) {
			providerstest.RunDeliveryLog(t, func(t *testing.T) providerstest.LogWorld {
				g, f := start(t, providerstest.GitHubOptions{LogReencodes: reencodes})
				o := made[providers.Org](t)(g.CreateOrg("acme", ""))
				address := listener(t)
				made[int64](t)(g.AddHook("acme", address, hookSecret))
				return logWorld(t, g, f, o, address)
			})
		})
	}
}

func TestDeliveryLogOfAnApp(t *testing.T) {
	providerstest.RunDeliveryLog(t, func(t *testing.T) providerstest.LogWorld {
		g, _ := start(t, providerstest.GitHubOptions{})
		o := made[providers.Org](t)(g.CreateOrg("acme", ""))
		address := listener(t)
		app := made[providerstest.GitHubApp](t)(g.InstallApp("acme", true))
		must(t, g.AddAppHook(app.InstallationID, address, hookSecret))
		return logWorld(t, g, asApp(t, g, app), o, address)
	})
}

func hookLog(t *testing.T, f *github.Forge, o providers.Org) providers.HookLog {
	t.Helper()
	logs := made[[]providers.HookLog](t)(f.DeliveryLogs(t.Context(), o, func(string) bool { return true }))
	if len(logs) != 1 {
		t.Fatalf("%+v", logs)
	}
	return logs[0]
}

func TestALoggedPayloadCarriesItsSignature(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	made[int64](t)(g.AddHook("acme", listener(t), hookSecret))
	w := logWorld(t, g, f, o, "")
	w.Happen(1)
	hook := github.NewHook(made[providers.Secrets](t)(providers.NewSecrets([]byte(hookSecret))))
	l := hookLog(t, f, o)
	for a, err := range f.Attempts(t.Context(), l) {
		must(t, err)
		if want := a.Event == "ping"; a.Moot != want {
			t.Errorf("%s is moot: %v", a.Event, a.Moot)
		}
		a = made[providers.Attempt](t)(f.Payload(t.Context(), l, a))
		if _, err := hook.Verify(a.Header, a.Body); err != nil || hook.GUID(a.Header) != a.GUID {
			t.Errorf("%s: %v, id %q of %q", a.Event, err, hook.GUID(a.Header), a.GUID)
		}
	}
}

func TestARedeliveryIsAnAttemptUnderTheSameId(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	made[int64](t)(g.AddHook("acme", listener(t), hookSecret))
	g.Outage(true)
	w := logWorld(t, g, f, o, "")
	w.Happen(1)
	g.Outage(false)
	guid := g.Deliveries()[1].UUID
	made[string](t)(g.Redeliver(guid))
	must(t, g.Delivered(t.Context()))
	var taken []bool
	for a, err := range f.Attempts(t.Context(), hookLog(t, f, o)) {
		must(t, err)
		if a.GUID == guid {
			taken = append(taken, a.Taken)
		}
	}
	if len(taken) != 2 || !taken[0] || taken[1] {
		t.Errorf("its attempts were taken: %v", taken)
	}
}

func TestTheLogForgets(t *testing.T) {
	now := time.Now()
	g, f := start(t, providerstest.GitHubOptions{Now: func() time.Time { return now }})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	made[int64](t)(g.AddHook("acme", listener(t), hookSecret))
	w := logWorld(t, g, f, o, "")
	w.Happen(1)
	l := hookLog(t, f, o)
	now = now.Add(l.Kept + time.Minute)
	if n, err := read(f.Attempts(t.Context(), l)); n != 0 || err != nil {
		t.Errorf("after %v there are %d attempts, %v", l.Kept, n, err)
	}
}

func TestWhoMayNotLookAtHooksIsToldSo(t *testing.T) {
	g, _ := start(t, providerstest.GitHubOptions{})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	ana := made[providers.User](t)(g.CreateUser("ana"))
	must(t, g.AddToOrg("acme", "ana", false))
	f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.Token(ana.Login)}))
	if _, err := f.DeliveryLogs(t.Context(), o, func(string) bool { return true }); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("a member who owns nothing: %v", err)
	}
}

func TestALogThatMakesNoSenseIsNotRead(t *testing.T) {
	for _, fault := range []providerstest.Fault{
		{Kind: providerstest.FaultNull},
		{Kind: providerstest.FaultHTML},
		{Kind: providerstest.FaultTruncated},
		{Kind: providerstest.FaultNoLink},
		{Kind: providerstest.FaultForbidden},
		{Kind: providerstest.FaultError},
		{Kind: providerstest.FaultProxy404},
	} {
		t.Run(string(fault.Kind), func(t *testing.T) {
			g, f := start(t, providerstest.GitHubOptions{})
			o := made[providers.Org](t)(g.CreateOrg("acme", ""))
			made[int64](t)(g.AddHook("acme", listener(t), hookSecret))
			w := logWorld(t, g, f, o, "")
			w.Happen(120)
			l := hookLog(t, f, o)
			fault.Path = "/deliveries"
			g.Break(fault)
			if n, err := read(f.Attempts(t.Context(), l)); err == nil || n != 0 {
				t.Errorf("%d attempts, %v", n, err)
			}
		})
	}
}

// A log of just one page has no link, and is whole all the same.
func TestAFullPageMayBeTheLast(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	made[int64](t)(g.AddHook("acme", listener(t), hookSecret))
	logWorld(t, g, f, o, "").Happen(99) // and the ping
	if n, err := read(f.Attempts(t.Context(), hookLog(t, f, o))); n != 100 || err != nil {
		t.Errorf("%d attempts, %v", n, err)
	}
}
