package providerstest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// A HookWorld is a forge with webhooks, the driver that administers them, and
// what only the forge itself knows of them.
type HookWorld interface {
	Admin() providers.HookAdmin
	Place() providers.WebhookPlace
	// Hook reads deliveries signed with a secret.
	Hook(secret string) (providers.Hook, error)
	// Secret is that of a webhook; of a signing token the same.
	Secret(id string) string
	// AddForeign sets another program's webhook at the place.
	AddForeign(url string) error
	// Spoil gives a webhook a flaw, or reports that it cannot have it here.
	Spoil(id string, flaw providers.FlawKind) bool
	// Stranger is the driver with a token that may not administer the place.
	Stranger() providers.HookAdmin
	// Happen makes something happen of which webhooks tell, and waits until they
	// have.
	Happen(ctx context.Context) error
}

// The secrets of the examination.
const (
	examSecret = "a-secret-of-the-examination"
	nextSecret = "the-secret-that-follows-it"
)

// RunHookAdmin examines how a driver administers webhooks. start makes a world
// for each claim.
func RunHookAdmin(t *testing.T, start func(*testing.T) HookWorld) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *hookExam)
	}{
		{"ANewOneIsWhatItHasToBe", newWebhook},
		{"InstallingAgainLeavesOne", installTwice},
		{"WhateverDriftedIsMended", mendFlaws},
		{"OfSeveralTheBestStays", oneOfSeveral},
		{"ThoseOfOthersAreLeftAlone", leaveOthers},
		{"TheNewSecretIsSet", newSecret},
		{"WhatItAlsoHearsItGoesOnHearing", keepEvents},
		{"TheDeletedIsNotFound", deleteWebhook},
		{"AStrangerIsTold", strangerIsTold},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := start(t)
			x := &hookExam{w: w, admin: w.Admin(), place: w.Place()}
			receiver := httptest.NewServer(http.HandlerFunc(x.receive))
			t.Cleanup(receiver.Close)
			x.want = providers.WebhookSpec{Public: receiver.URL, Provider: "git", Secret: examSecret}
			test.run(t, x)
		})
	}
}

type hookExam struct {
	w     HookWorld
	admin providers.HookAdmin
	place providers.WebhookPlace
	want  providers.WebhookSpec

	mu    sync.Mutex
	heard []providers.Delivery
}

func (x *hookExam) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/hooks/git" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.heard = append(x.heard, providers.Delivery{Header: r.Header, Body: body})
}

func (x *hookExam) list(t *testing.T) []providers.Webhook {
	t.Helper()
	return must[[]providers.Webhook](t)(x.admin.Webhooks(t.Context(), x.place))
}

// ours is the only webhook of ours, without a flaw.
func (x *hookExam) ours(t *testing.T) providers.Webhook {
	t.Helper()
	var ours []providers.Webhook
	for _, w := range x.list(t) {
		if x.want.Ours(w) {
			ours = append(ours, w)
		}
	}
	if len(ours) != 1 {
		t.Fatalf("%d webhooks of ours: %+v", len(ours), ours)
	}
	if flaws := x.place.Flaws(ours[0], x.want); len(flaws) > 0 {
		t.Errorf("flaws: %v", flaws)
	}
	if got := x.w.Secret(ours[0].ID); got != x.want.Secret {
		t.Errorf("secret %q, want %q", got, x.want.Secret)
	}
	return ours[0]
}

func (x *hookExam) install(t *testing.T) []providers.WebhookStep {
	t.Helper()
	steps := x.place.Plan(x.list(t), x.want)
	for _, s := range steps {
		if _, err := s.Apply(t.Context(), x.admin, x.place, x.want); err != nil {
			t.Fatalf("%s: %v", s.Do, err)
		}
	}
	return steps
}

func newWebhook(t *testing.T, x *hookExam) {
	if found := x.list(t); len(found) != 0 {
		t.Fatalf("a fresh place has %+v", found)
	}
	made := must[providers.Webhook](t)(x.admin.CreateWebhook(t.Context(), x.place, x.want))
	now := x.ours(t)
	if diff := cmp.Diff(made, now); diff != "" {
		t.Errorf("as created, and as listed:\n%s", diff)
	}
	if now.Created.IsZero() {
		t.Error("it does not tell when it was made")
	}
	ok(t, x.w.Happen(t.Context()))
	hook := must[providers.Hook](t)(x.w.Hook(examSecret))
	x.mu.Lock()
	defer x.mu.Unlock()
	told := 0
	for _, d := range x.heard {
		if _, err := hook.Verify(d.Header, d.Body); err != nil {
			t.Errorf("%s: %v", d.Body, err)
		}
		if _, err := hook.Parse(d); err == nil {
			told++
		}
	}
	if told == 0 {
		t.Errorf("of %d deliveries none tells of what happened", len(x.heard))
	}
}

func installTwice(t *testing.T, x *hookExam) {
	first := x.install(t)
	if len(first) != 1 || first[0].Do != providers.StepCreate {
		t.Errorf("first: %+v", first)
	}
	before := x.ours(t)
	again := x.install(t)
	if len(again) != 1 || again[0].Do != providers.StepKeep && again[0].Do != providers.StepUpdate || len(again[0].Why) > 0 {
		t.Errorf("again: %+v", again)
	}
	if after := x.ours(t); after.ID != before.ID {
		t.Errorf("webhook %s became %s", before.ID, after.ID)
	}
}

func mendFlaws(t *testing.T, x *hookExam) {
	x.install(t)
	for _, flaw := range []providers.FlawKind{
		providers.FlawURL, providers.FlawEvents, providers.FlawContent, providers.FlawTLS,
		providers.FlawInactive, providers.FlawDisabled, providers.FlawSecret, providers.FlawFormat,
	} {
		w := x.ours(t)
		if !x.w.Spoil(w.ID, flaw) {
			continue
		}
		x.want.Public = strings.Replace(x.want.Public, "http:", "https:", 1) // or TLS would not matter
		seen := slices.ContainsFunc(x.list(t), func(w providers.Webhook) bool {
			return slices.ContainsFunc(x.place.Flaws(w, x.want), func(f providers.Flaw) bool { return f.Kind == flaw && f.Text != "" })
		})
		x.want.Public = strings.Replace(x.want.Public, "https:", "http:", 1)
		if !seen {
			t.Errorf("%s: not seen in %+v", flaw, x.list(t))
		}
		x.install(t)
		if now := x.ours(t); now.Insecure {
			t.Errorf("%s: certificates are still not verified", flaw)
		}
	}
}

func oneOfSeveral(t *testing.T, x *hookExam) {
	x.install(t)
	best := x.ours(t)
	elsewhere := x.want
	elsewhere.Public = "http://127.0.0.1:1"
	must[providers.Webhook](t)(x.admin.CreateWebhook(t.Context(), x.place, elsewhere))
	x.want.Former = []string{elsewhere.Public}
	if steps := x.install(t); len(steps) != 2 {
		t.Errorf("%+v", steps)
	}
	if now := x.ours(t); now.ID != best.ID {
		t.Errorf("%s stayed, which was not the best", now.ID)
	}
}

func leaveOthers(t *testing.T, x *hookExam) {
	ok(t, x.w.AddForeign("https://chat.example.com/services/T0/B0"))
	ok(t, x.w.AddForeign("https://other.example.com/hooks/git"))
	before := x.list(t)
	x.install(t)
	after := slices.DeleteFunc(x.list(t), x.want.Ours)
	if diff := cmp.Diff(before, after); diff != "" || len(before) != 2 {
		t.Errorf("-before +after\n%s", diff)
	}
	if strays := slices.DeleteFunc(before, func(w providers.Webhook) bool { return !x.want.Stray(w) }); len(strays) != 1 {
		t.Errorf("strays: %+v", strays)
	}
}

func newSecret(t *testing.T, x *hookExam) {
	x.install(t)
	x.ours(t)
	x.want.Secret, x.want.Other = nextSecret, true
	x.install(t)
	x.ours(t)
}

func keepEvents(t *testing.T, x *hookExam) {
	x.install(t)
	w := x.ours(t)
	x.w.Spoil(w.ID, providers.FlawEvents) // where a webhook's events can be chosen
	spoiled := x.list(t)[0].Events
	x.install(t)
	if now := x.ours(t); slices.ContainsFunc(spoiled, func(e string) bool { return !slices.Contains(now.Events, e) }) {
		t.Errorf("heard %v, hears %v", spoiled, now.Events)
	}
}

func deleteWebhook(t *testing.T, x *hookExam) {
	x.install(t)
	w := x.ours(t)
	ok(t, x.admin.DeleteWebhook(t.Context(), x.place, w.ID))
	if found := x.list(t); len(found) != 0 {
		t.Errorf("deleted, and there is %+v", found)
	}
	if err := x.admin.DeleteWebhook(t.Context(), x.place, w.ID); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("deleted again: %v", err)
	}
}

func strangerIsTold(t *testing.T, x *hookExam) {
	x.install(t)
	w := x.ours(t)
	s := x.w.Stranger()
	_, list := s.Webhooks(t.Context(), x.place)
	_, create := s.CreateWebhook(t.Context(), x.place, x.want)
	_, update := s.UpdateWebhook(t.Context(), x.place, w, x.want)
	for what, err := range map[string]error{"list": list, "create": create, "update": update} {
		if !errors.Is(err, providers.ErrForbidden) || !strings.Contains(err.Error(), "the token needs ") {
			t.Errorf("%s: %v", what, err)
		}
		if strings.Contains(err.Error(), examSecret) {
			t.Errorf("%s: the error tells the secret", what)
		}
	}
	x.ours(t)
}
