package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestAWebhookGetsTheNewestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(file, []byte("the-newest-of-the-secrets\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	written := time.Unix(1_700_000_000, 0)
	if err := os.Chtimes(file, written, written); err != nil {
		t.Fatal(err)
	}
	const plain, older, signing = secret("the-newest-of-the-secrets"), secret("an-older-one-of-them"), secret("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")
	for name, test := range map[string]struct {
		p       providerConfig
		want    secret
		signing bool
		since   time.Time
	}{
		"the first":              {providerConfig{Kind: "gitea", Hooks: []secret{plain, older}, SecretFiles: []string{file, "gone"}}, plain, false, written},
		"the only one":           {providerConfig{Kind: "github", Hooks: []secret{plain}, SecretFile: file}, plain, false, written},
		"given in the file":      {providerConfig{Kind: "gitea", Hooks: []secret{plain}}, plain, false, time.Time{}},
		"a signing token":        {providerConfig{Kind: "gitlab", Hooks: []secret{signing}}, signing, true, time.Time{}},
		"while one is live":      {providerConfig{Kind: "gitlab", Hooks: []secret{plain, signing}}, signing, true, time.Time{}},
		"elsewhere it is a text": {providerConfig{Kind: "github", Hooks: []secret{plain, signing}}, plain, false, time.Time{}},
	} {
		test.p.Name = "git"
		got := webhookSpec(&test.p, "https://hookd.example.com")
		if secret(got.Secret) != test.want || got.Signing != test.signing || !got.Since.Equal(test.since) || got.URL() != "https://hookd.example.com/hooks/git" {
			t.Errorf("%s: signing %v, since %v, %s", name, got.Signing, got.Since, got.URL())
		}
	}
}

func TestWhereWebhooksBelong(t *testing.T) {
	want := providers.WebhookSpec{Public: "https://hookd.example.com", Provider: "git"}
	place := func(kind providers.HookType, org string, ours bool) *hookPlace {
		p := &hookPlace{WebhookPlace: providers.WebhookPlace{Kind: kind, Org: providers.Org{Name: org}}}
		if ours {
			p.found = []providers.Webhook{{ID: "1", URL: want.URL()}}
		}
		return p
	}
	org := func(name string, ours bool) *hookPlace { return place(providers.HookOrg, name, ours) }
	system := func(ours bool) *hookPlace { return place(providers.HookSystem, "", ours) }
	for name, test := range map[string]struct {
		c      choice
		places []*hookPlace
		want   string
	}{
		"nothing there, organizations first": {choice{}, []*hookPlace{org("a", false), org("b", false), system(false)}, "a b"},
		"nothing there, the instance first":  {choice{}, []*hookPlace{system(false), org("a", false)}, "(system)"},
		"one organization has it":            {choice{}, []*hookPlace{system(false), org("a", true), org("b", false)}, "a b"},
		"the instance has it":                {choice{}, []*hookPlace{org("a", true), system(true)}, "(system)"},
		"the instance is wanted":             {choice{system: true}, []*hookPlace{org("a", true), system(false)}, "(system)"},
		"an organization is wanted":          {choice{org: "a"}, []*hookPlace{system(false), org("a", false)}, "a"},
		"it is covered by the instance":      {choice{org: "a"}, []*hookPlace{system(true), org("a", false)}, "(system)"},
		"nowhere":                            {choice{}, nil, ""},
	} {
		var got []string
		for _, p := range (&hookSurvey{places: test.places}).choose(test.c, want) {
			got = append(got, p.Name())
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %q, want %q", name, s, test.want)
		}
	}
}

// keeper is one of an organization acme on a simulated GitHub.
func keeper(t *testing.T, opt providerstest.GitHubOptions) (*providerstest.GitHub, *hookKeeper) {
	t.Helper()
	g, err := providerstest.StartGitHub(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	if _, err := g.CreateOrg("acme", ""); err != nil {
		t.Fatal(err)
	}
	p := &providerConfig{Name: "git", Kind: "github", URL: g.URL(), Token: secret(g.AdminToken()), Orgs: []string{"acme"}, Hooks: []secret{"a-secret-of-the-hook"}}
	f, err := newForge(p, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g, newHookKeeper(p, f, "http://127.0.0.1:1")
}

func TestAWebhookTooManyIsToldBefore(t *testing.T) {
	g, k := keeper(t, providerstest.GitHubOptions{})
	for i := range 250 {
		if _, err := g.AddHook("acme", fmt.Sprintf("http://127.0.0.1:1/%d", i), "", "team"); err != nil {
			t.Fatal(err)
		}
	}
	s, err := k.survey(t.Context(), choice{})
	if err != nil {
		t.Fatal(err)
	}
	steps := k.changes(s)
	if len(steps) != 1 || !strings.Contains(steps[0].Error, "250 webhooks hear team already") || steps[0].Fix == "" {
		t.Errorf("%+v", steps[0])
	}
	rows := k.judge(t.Context(), s)
	if len(rows) != 1 || rows[0].State != hookMissing || !strings.Contains(strings.Join(rows[0].Notes, ""), "hear team already") {
		t.Errorf("%+v", rows)
	}
}

func TestAForgeThatHangsIsUnknown(t *testing.T) {
	g, k := keeper(t, providerstest.GitHubOptions{})
	g.Break(providerstest.Fault{Kind: providerstest.FaultHang, Path: "/hooks"})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, rows := k.surveyed(ctx, choice{})
	if len(rows) != 1 || rows[0].State != hookUnknown || !strings.Contains(rows[0].Fix, "reachable") {
		t.Errorf("%+v", rows)
	}
	if status := hookStatus(rows); status.State != hookUnknown || status.Detail == "" {
		t.Errorf("%+v", status)
	}
}

func TestEveryErrorOfAForgeHasAFix(t *testing.T) {
	k := &hookKeeper{cfg: &providerConfig{Name: "git", Kind: "gitea", Token: "t"}, want: providers.WebhookSpec{Public: "https://hookd.example.com", Provider: "git"}}
	p := &hookPlace{WebhookPlace: providers.WebhookPlace{Events: []string{"repository"}}}
	seen := map[string]error{}
	for _, class := range []error{
		providers.ErrUnauthorized, providers.ErrForbidden, providers.ErrLimited, providers.ErrUnavailable, providers.ErrNonsense, providers.ErrRejected, providers.ErrWithheld,
	} {
		fix := k.remedy(p, fmt.Errorf("gitea: %w", &providers.ForgeError{Op: "GET /x", Class: class, Err: errors.New("because")}))
		if before := seen[fix]; before != nil || fix == "" {
			t.Errorf("%v: %q, the same as for %v", class, fix, before)
		}
		seen[fix] = class
	}
	k.cfg.Token = ""
	if fix := k.remedy(p, providers.ErrUnauthorized); fix != "set token_file of provider git" {
		t.Errorf("without a token: %q", fix)
	}
}

func TestTheWorstWebhookSaysHowItIs(t *testing.T) {
	row := func(state, id string) hookRow {
		return hookRow{State: state, ID: id, place: "acme", Flaws: []providers.Flaw{}, Events: []string{}}
	}
	for _, test := range []struct {
		rows []hookRow
		want string
	}{
		{[]hookRow{row(hookOK, "1")}, hookOK},
		{[]hookRow{row(hookOK, "1"), row(hookUnknown, "")}, hookUnknown},
		{[]hookRow{row(hookUnknown, ""), row(hookDrift, "2")}, hookDrift},
		{[]hookRow{row(hookDrift, "2"), row(hookMissing, ""), row(hookOK, "1")}, hookMissing},
	} {
		if got := hookStatus(test.rows).State; got != test.want {
			t.Errorf("%v: %s, want %s", test.rows, got, test.want)
		}
	}
}

func TestAddressesOfOthersKeepTheirSecrets(t *testing.T) {
	k := &hookKeeper{cfg: &providerConfig{Name: "git"}, want: providers.WebhookSpec{Public: "https://hookd.example.com", Provider: "git"}}
	p := &hookPlace{found: []providers.Webhook{
		{ID: "1", URL: "https://chat.example.com/T0/B0/s3cret?token=s3cret"},
		{ID: "2", URL: "https://user:s3cret@old.example.com/hooks/git?key=s3cret"},
		{ID: "3", URL: "s3cret"},
	}}
	rows := k.others(&hookSurvey{places: []*hookPlace{p}})
	var got []string
	for _, r := range append(rows, k.atPlace(t.Context(), p)...) {
		got = append(got, r.URL)
		if strings.Contains(fmt.Sprint(r), "s3cret") {
			t.Errorf("%+v", r)
		}
	}
	want := []string{"https://chat.example.com/…", "https://old.example.com/hooks/git", "…", "https://hookd.example.com/hooks/git"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
