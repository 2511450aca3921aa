package gitlab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

const hookToken = "a-token-of-the-webhook"

// listener takes whatever is sent.
func listener(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	return s.URL + "/hooks/lab"
}

func logWorld(t *testing.T, g *providerstest.GitLab, f *gitlab.Forge, org providers.Org, address string) providerstest.LogWorld {
	n := 0
	return providerstest.LogWorld{
		Log: f, Org: org, Address: address, Outage: g.Outage,
		Happen: func(count int) {
			for range count {
				n++
				must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: org.Name, Name: fmt.Sprintf("app-%d", n), Private: true}))
			}
			check(t, g.Delivered(t.Context()))
		},
		Sent: func() (sent []providerstest.Sent) {
			for _, d := range g.Deliveries() {
				sent = append(sent, providerstest.Sent{GUID: d.UUID, Body: providerstest.Redacted(d.Body)})
			}
			return sent
		},
	}
}

func TestDeliveryLogOfAGroup(t *testing.T) {
	providerstest.RunDeliveryLog(t, func(t *testing.T) providerstest.LogWorld {
		g, f := start(t, providerstest.GitLabOptions{})
		o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
		address := listener(t)
		must[int64](t)(g.AddHook("acme", address, hookToken, "project", "member"))
		return logWorld(t, g, f, o, address)
	})
}

func anybody(string) bool { return true }

func hookLog(t *testing.T, f *gitlab.Forge, o providers.Org) providers.HookLog {
	t.Helper()
	logs := must[[]providers.HookLog](t)(f.DeliveryLogs(t.Context(), o, anybody))
	if len(logs) != 1 {
		t.Fatalf("%+v", logs)
	}
	return logs[0]
}

func TestTheHookOfAGroupAboveIsOurs(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{}, "acme/inner")
	must[providers.Org](t)(g.CreateOrg("acme", "internal"))
	o := must[providers.Org](t)(g.CreateOrg("acme/inner", "internal"))
	id := must[int64](t)(g.AddHook("acme", listener(t), hookToken))
	l := hookLog(t, f, o)
	if l.Hook != fmt.Sprint(id) || l.Lacks != "" {
		t.Errorf("%+v", l)
	}
	logWorld(t, g, f, o, "").Happen(1)
	if n, err := read(f.Attempts(t.Context(), l)); n == 0 || err != nil {
		t.Errorf("%d attempts, %v", n, err)
	}
}

func TestASystemHookHasNoLog(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
	must[int64](t)(g.AddHook("", listener(t), hookToken))
	if l := hookLog(t, f, o); l.Lacks == "" {
		t.Errorf("%+v", l)
	}
}

// GitLab shows neither the token nor the signed bytes, so nobody can tell by
// them whether a delivery is authentic.
func TestNoSignatureOutOfTheLogCanBeChecked(t *testing.T) {
	for _, secret := range []string{hookToken, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="} {
		g, f := start(t, providerstest.GitLabOptions{})
		o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
		must[int64](t)(g.AddHook("acme", listener(t), secret))
		ana := must[providers.User](t)(g.CreateUser("ana"))
		team := must[providers.Team](t)(g.CreateTeam("acme", "all", providers.Write, true))
		check(t, g.AddMember("acme", team.Name, ana.Login))
		logWorld(t, g, f, o, "").Happen(1)
		hook := must[*gitlab.Hook](t)(gitlab.NewHook(must[providers.Secrets](t)(providers.NewSecrets([]byte(secret))), nil))
		n := 0
		for a, err := range f.Attempts(t.Context(), hookLog(t, f, o)) {
			check(t, err)
			n++
			if strings.Contains(fmt.Sprint(a.Header, string(a.Body)), secret) {
				t.Error("the log shows the secret")
			}
			if strings.Contains(string(a.Body), "@") {
				t.Errorf("the log shows an address: %s", a.Body)
			}
			if e, err := hook.Parse(providers.Delivery{Header: a.Header, Body: a.Body}); err != nil || hook.GUID(a.Header) != a.GUID {
				t.Errorf("%s: %v", e.Name, err)
			}
			if secret == hookToken {
				if _, err := hook.Verify(a.Header, a.Body); !errors.Is(err, providers.ErrSignature) {
					t.Errorf("it verifies: %v", err)
				}
			}
		}
		if n == 0 {
			t.Error("nothing was logged")
		}
	}
}

func TestAPayloadThatWasNotLoggedIsNotFound(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{LogLimit: 10})
	o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
	must[int64](t)(g.AddHook("acme", listener(t), hookToken))
	logWorld(t, g, f, o, "").Happen(1)
	l := hookLog(t, f, o)
	for a, err := range f.Attempts(t.Context(), l) {
		check(t, err)
		if _, err := f.Payload(t.Context(), l, a); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
}

func TestASwitchedOffHookSaysSo(t *testing.T) {
	now := time.Now()
	g, f := start(t, providerstest.GitLabOptions{AutoDisable: true, Now: func() time.Time { return now }})
	o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
	must[int64](t)(g.AddHook("acme", listener(t), hookToken, "project"))
	g.Outage(true)
	w := logWorld(t, g, f, o, "")
	for range 6 {
		w.Happen(1)
	}
	l := hookLog(t, f, o)
	n := must[int](t)(read(f.Attempts(t.Context(), l)))
	if l.Off == "" || n != l.GivesUp {
		t.Errorf("after %d logged failures of 6 it is off: %q", n, l.Off)
	}
	now = now.Add(2 * time.Minute)
	if l := hookLog(t, f, o); l.Off != "" {
		t.Errorf("later: %q", l.Off)
	}
}

func TestALogThatMakesNoSenseIsNotRead(t *testing.T) {
	for _, c := range []struct {
		kind providerstest.FaultKind
		most int // attempts before the error
	}{
		{providerstest.FaultNull, 0},
		{providerstest.FaultHTML, 0},
		{providerstest.FaultTruncated, 0},
		{providerstest.FaultForbidden, 0},
		{providerstest.FaultError, 0},
		{providerstest.FaultLimit, 0},
		{providerstest.FaultLoop, 20},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			g, f := start(t, providerstest.GitLabOptions{})
			o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
			must[int64](t)(g.AddHook("acme", listener(t), hookToken, "project"))
			logWorld(t, g, f, o, "").Happen(25)
			l := hookLog(t, f, o)
			g.Break(providerstest.Fault{Kind: c.kind, Path: "/events"})
			if n, err := read(f.Attempts(t.Context(), l)); err == nil || n > c.most {
				t.Errorf("%d attempts, %v", n, err)
			}
		})
	}
	for _, kind := range []providerstest.FaultKind{providerstest.FaultNoLink, providerstest.FaultNoTotal, providerstest.FaultBare} {
		t.Run(string(kind), func(t *testing.T) {
			g, f := start(t, providerstest.GitLabOptions{})
			o := must[providers.Org](t)(g.CreateOrg("acme", "internal"))
			must[int64](t)(g.AddHook("acme", listener(t), hookToken, "project"))
			logWorld(t, g, f, o, "").Happen(45)
			l := hookLog(t, f, o)
			g.Break(providerstest.Fault{Kind: kind, Path: "/events"})
			if n, err := read(f.Attempts(t.Context(), l)); n != 45 || err != nil {
				t.Errorf("%d attempts of 45, %v", n, err)
			}
		})
	}
}
