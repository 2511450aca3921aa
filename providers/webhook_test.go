package providers_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

var (
	hookPlace = providers.WebhookPlace{Kind: providers.HookOrg, Org: providers.Org{ID: "7", Name: "acme"}, Events: []string{"member", "repository"}}
	hookSpec  = providers.WebhookSpec{Public: "https://hookd.example.com", Provider: "git", Secret: "0123456789abcdef"}
)

// right is a webhook without a flaw, changed as told.
func right(id string, change ...func(*providers.Webhook)) providers.Webhook {
	w := providers.Webhook{
		ID: id, URL: hookSpec.URL(), Events: []string{"member", "repository"}, ContentType: "json",
		Active: true, Secret: providers.SecretSet, Created: time.Unix(1000, 0), Updated: time.Unix(2000, 0),
	}
	for _, c := range change {
		c(&w)
	}
	return w
}

func kinds(flaws []providers.Flaw) []providers.FlawKind {
	var k []providers.FlawKind
	for _, f := range flaws {
		k = append(k, f.Kind)
	}
	return k
}

func TestFlawsOfAWebhook(t *testing.T) {
	signing := hookSpec
	signing.Signing = true
	for name, test := range map[string]struct {
		spec   providers.WebhookSpec
		change func(*providers.Webhook)
		want   []providers.FlawKind
	}{
		"right":               {hookSpec, func(*providers.Webhook) {}, nil},
		"a slash at the end":  {hookSpec, func(w *providers.Webhook) { w.URL += "/" }, []providers.FlawKind{providers.FlawURL}},
		"capitals":            {hookSpec, func(w *providers.Webhook) { w.URL = "https://HOOKD.example.com/hooks/git" }, []providers.FlawKind{providers.FlawURL}},
		"an event less":       {hookSpec, func(w *providers.Webhook) { w.Events = []string{"repository"} }, []providers.FlawKind{providers.FlawEvents}},
		"every event":         {hookSpec, func(w *providers.Webhook) { w.Events = []string{"*"} }, nil},
		"a form":              {hookSpec, func(w *providers.Webhook) { w.ContentType = "form" }, []providers.FlawKind{providers.FlawContent}},
		"no choice of type":   {hookSpec, func(w *providers.Webhook) { w.ContentType = "" }, nil},
		"no verification":     {hookSpec, func(w *providers.Webhook) { w.Insecure = true }, []providers.FlawKind{providers.FlawTLS}},
		"off":                 {hookSpec, func(w *providers.Webhook) { w.Active = false }, []providers.FlawKind{providers.FlawInactive}},
		"stopped":             {hookSpec, func(w *providers.Webhook) { w.Disabled = "after failures" }, []providers.FlawKind{providers.FlawDisabled}},
		"for a chat":          {hookSpec, func(w *providers.Webhook) { w.Foreign = "is of the type slack" }, []providers.FlawKind{providers.FlawFormat}},
		"no secret":           {hookSpec, func(w *providers.Webhook) { w.Secret = providers.SecretNone }, []providers.FlawKind{providers.FlawSecret}},
		"nothing told of one": {hookSpec, func(w *providers.Webhook) { w.Secret = providers.SecretUntold }, nil},
		"plain, not signing":  {signing, func(*providers.Webhook) {}, []providers.FlawKind{providers.FlawSecret}},
		"signing, not plain":  {hookSpec, func(w *providers.Webhook) { w.Secret = providers.SecretSigned }, []providers.FlawKind{providers.FlawSecret}},
		"signing":             {signing, func(w *providers.Webhook) { w.Secret = providers.SecretSigned }, nil},
		"all at once": {
			hookSpec, func(w *providers.Webhook) { w.Active, w.Events, w.ContentType = false, nil, "form" },
			[]providers.FlawKind{providers.FlawEvents, providers.FlawContent, providers.FlawInactive},
		},
	} {
		got := hookPlace.Flaws(right("1", test.change), test.spec)
		if diff := cmp.Diff(test.want, kinds(got)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		for _, f := range got {
			if strings.Contains(f.Text, hookSpec.Secret) {
				t.Errorf("%s tells the secret", name)
			}
		}
	}
	plain := hookSpec
	plain.Public = "http://hookd.example.com"
	if flaws := hookPlace.Flaws(right("1", func(w *providers.Webhook) { w.URL, w.Insecure = plain.URL(), true }), plain); len(flaws) != 0 {
		t.Errorf("without TLS nothing is to be verified: %v", flaws)
	}
}

func TestPlanLeavesOneWebhookOfOurs(t *testing.T) {
	type step struct {
		Do providers.StepKind
		ID string
	}
	theirs := right("1", func(w *providers.Webhook) { w.URL = "https://chat.example.com/x" })
	stray := right("2", func(w *providers.Webhook) { w.URL = "https://old.example.com/hooks/git" })
	off := func(w *providers.Webhook) { w.Active = false }
	stopped := func(w *providers.Webhook) { w.Disabled = "after failures" }
	once, fixed := hookPlace, hookPlace
	once.SecretOnce, fixed.Fixed = true, true
	former, newer, other := hookSpec, hookSpec, hookSpec
	former.Former = []string{"https://old.example.com/"}
	newer.Since = time.Unix(1500, 0) // after it was made, before it was changed
	other.Other = true
	for name, test := range map[string]struct {
		place providers.WebhookPlace
		spec  providers.WebhookSpec
		found []providers.Webhook
		want  []step
	}{
		"nothing there":               {hookPlace, hookSpec, nil, []step{{providers.StepCreate, ""}}},
		"only others":                 {hookPlace, hookSpec, []providers.Webhook{theirs, stray}, []step{{providers.StepCreate, ""}}},
		"right":                       {hookPlace, hookSpec, []providers.Webhook{theirs, right("3")}, []step{{providers.StepUpdate, "3"}}},
		"flawed":                      {hookPlace, hookSpec, []providers.Webhook{right("3", off)}, []step{{providers.StepUpdate, "3"}}},
		"stopped":                     {hookPlace, hookSpec, []providers.Webhook{right("3", stopped)}, []step{{providers.StepReplace, "3"}}},
		"three":                       {hookPlace, hookSpec, []providers.Webhook{right("3", off), right("4"), right("10")}, []step{{providers.StepUpdate, "4"}, {providers.StepDelete, "10"}, {providers.StepDelete, "3"}}},
		"at the former address":       {hookPlace, former, []providers.Webhook{stray}, []step{{providers.StepUpdate, "2"}}},
		"there and here":              {hookPlace, former, []providers.Webhook{stray, right("3")}, []step{{providers.StepUpdate, "3"}, {providers.StepDelete, "2"}}},
		"given once, right":           {once, hookSpec, []providers.Webhook{right("3")}, []step{{providers.StepKeep, "3"}}},
		"given once, flawed":          {once, hookSpec, []providers.Webhook{right("3", off)}, []step{{providers.StepUpdate, "3"}}},
		"given once, older":           {once, newer, []providers.Webhook{right("3")}, []step{{providers.StepReplace, "3"}}},
		"changeable, changed since":   {hookPlace, newer, []providers.Webhook{right("3")}, []step{{providers.StepUpdate, "3"}}},
		"given once, known to differ": {once, other, []providers.Webhook{right("3")}, []step{{providers.StepReplace, "3"}}},
		"made by hand":                {fixed, hookSpec, []providers.Webhook{right("3", stopped)}, []step{{providers.StepUpdate, "3"}}},
	} {
		var got []step
		for _, s := range test.place.Plan(test.found, test.spec) {
			got = append(got, step{s.Do, s.Webhook.ID})
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestOutdatedIsWhoIsOlderThanTheSecret(t *testing.T) {
	once := hookPlace
	once.SecretOnce = true
	for _, test := range []struct {
		place providers.WebhookPlace
		since time.Time
		want  bool
	}{
		{hookPlace, time.Time{}, false},
		{hookPlace, time.Unix(2000, 999), false}, // forges tell whole seconds
		{hookPlace, time.Unix(2001, 0), true},
		{once, time.Unix(1500, 0), true},
		{once, time.Unix(999, 0), false},
	} {
		spec := hookSpec
		spec.Since = test.since
		if got := test.place.Outdated(right("1"), spec); got != test.want {
			t.Errorf("once %v, secret of %v: %v", test.place.SecretOnce, test.since, got)
		}
	}
	spec := hookSpec
	spec.Since = time.Unix(9999, 0)
	if hookPlace.Outdated(providers.Webhook{}, spec) {
		t.Error("a webhook that does not tell its age is older")
	}
}

func TestFullEventsAreThoseThatOneMoreWouldOverfill(t *testing.T) {
	place := hookPlace
	place.PerEvent = 2
	found := []providers.Webhook{
		right("1", func(w *providers.Webhook) { w.Events = []string{"member"} }),
		right("2", func(w *providers.Webhook) { w.Events = []string{"*"} }),
	}
	if got := place.Full(found, providers.Webhook{}); !slices.Equal(got, []string{"member"}) {
		t.Errorf("a new one: %v", got)
	}
	if got := place.Full(found, found[0]); len(got) != 0 {
		t.Errorf("one that hears it already: %v", got)
	}
	if got := hookPlace.Full(found, providers.Webhook{}); got != nil {
		t.Errorf("without a limit: %v", got)
	}
}

// admin records what is asked of it.
type admin struct {
	providers.HookAdmin
	log     []string
	made    providers.Webhook
	missing bool
}

func (a *admin) CreateWebhook(context.Context, providers.WebhookPlace, providers.WebhookSpec) (providers.Webhook, error) {
	a.log = append(a.log, "create")
	return a.made, nil
}

func (a *admin) DeleteWebhook(_ context.Context, _ providers.WebhookPlace, id string) error {
	a.log = append(a.log, "delete "+id)
	if a.missing {
		return providers.ErrNotFound
	}
	return nil
}

func TestAReplacementIsMadeBeforeTheOldOneGoes(t *testing.T) {
	for _, missing := range []bool{false, true} {
		a := &admin{made: right("2"), missing: missing}
		now, err := providers.WebhookStep{Do: providers.StepReplace, Webhook: right("1")}.Apply(t.Context(), a, hookPlace, hookSpec)
		if err != nil || now.ID != "2" || !slices.Equal(a.log, []string{"create", "delete 1"}) {
			t.Errorf("%v, %v, %v", now.ID, a.log, err)
		}
	}
}

func TestAStepThatTheForgeDoesNotTakeIsAnError(t *testing.T) {
	a := &admin{made: right("2", func(w *providers.Webhook) { w.Active = false })}
	_, err := providers.WebhookStep{Do: providers.StepCreate}.Apply(t.Context(), a, hookPlace, hookSpec)
	if !errors.Is(err, providers.ErrRejected) || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("%v", err)
	}
}
