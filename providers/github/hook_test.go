package github_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	secret = "a-secret-for-the-tests"
	guid   = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
)

func newHook(t testing.TB, secret string) *github.Hook {
	t.Helper()
	s, err := providers.NewSecrets([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return github.NewHook(s)
}

func sign(h http.Header, body []byte, secret string) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// delivery is body as GitHub would send it for an event.
func delivery(event string, body []byte) providers.Delivery {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", guid)
	sign(h, body, secret)
	return providers.Delivery{Header: h, Body: body}
}

// payloads are the written ones, by file name; the event is the name up to its
// first dash.
func payloads(t testing.TB) map[string]providers.Delivery {
	return providerstest.Payloads(t, func(name string, body []byte) providers.Delivery {
		event, _, _ := strings.Cut(name, "-")
		return delivery(event, body)
	})
}

func TestPayloadsReadAsTheirGoldens(t *testing.T) {
	providerstest.RunGoldens(t, newHook(t, secret), payloads(t), *update)
}

func TestHookKeepsItsContract(t *testing.T) {
	h := newHook(t, secret)
	exam := providerstest.HookExam{
		New:  func(s providers.Secrets) providers.Hook { return github.NewHook(s) },
		Sign: sign,
	}
	for file, d := range payloads(t) {
		e, err := h.Parse(d)
		d.Header.Del("X-Hub-Signature-256")
		s := providerstest.Sample{Header: d.Header, Body: d.Body, Want: e.Name, GUID: guid}
		for _, loss := range []string{"repository-deleted", "organization-member-removed", "membership-removed", "member-removed"} {
			s.Gone = s.Gone || strings.HasPrefix(filepath.Base(file), loss)
		}
		if err == nil {
			exam.Changes = append(exam.Changes, s)
		} else {
			exam.Ignored = append(exam.Ignored, s)
		}
	}
	providerstest.RunHook(t, exam)
}

// effects is the matrix of what each event means, by file of fixtures/github.
var effects = map[string]providers.Effect{
	"fork.0": providers.EffectRepo, "public.0": providers.EffectRepo, "team_add.0": providers.EffectRepo,
	"repository.created.1": providers.EffectRepo, "repository.renamed.9": providers.EffectRepo,
	"repository.privatized.5": providers.EffectRepo, "repository.publicized.0": providers.EffectRepo,
	"repository.deleted.ghes-34": providers.EffectGone, "installation.created.1": providers.EffectScope,
	"member.added.0": providers.EffectMember, "membership.added.1": providers.EffectMember, "membership.removed.0": providers.EffectLeft,
	"organization.member_added.0": providers.EffectMember, "organization.member_removed.ghes-34": providers.EffectLeft,
	"organization.member_invited.3": providers.EffectNone, "team.created.2": providers.EffectNone,
	"ping.0": providers.EffectNone, "push.0": providers.EffectNone,
}

// HOOKD_FIXTURES is a folder with GitHub's own published examples.
func TestPublishedExamplesMeanWhatTheySay(t *testing.T) {
	dir := os.Getenv("HOOKD_FIXTURES")
	if dir == "" {
		t.Skip("HOOKD_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "github", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples in %s: %v", dir, err)
	}
	h := newHook(t, secret)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		event, _, _ := strings.Cut(name, ".")
		d := delivery(event, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		if err != nil && !errors.As(err, &ignored) {
			t.Errorf("%s: %v", name, err)
		}
		if want, ok := effects[name]; ok && e.Effect != want || (e.Effect == providers.EffectNone) != (ignored != nil) {
			t.Errorf("%s: effect %q (%v), want %q", name, e.Effect, err, want)
		}
		if e.Effect != providers.EffectNone && (e.Org.ID == "" || e.Repo == nil && e.User == nil && e.Org.ID == "") {
			t.Errorf("%s: about nothing: %+v", name, e)
		}
		if details, err := h.Describe(d); err != nil || details.Summary == "" {
			t.Errorf("%s: %+v, %v", name, details, err)
		}
	}
}

// A form's signature covers the form. What Parse gets is the JSON in it.
func TestFormsVerifyOverTheBytesSent(t *testing.T) {
	h := newHook(t, secret)
	d := payloads(t)["testdata/webhooks/repository-created.json"]
	form := []byte(url.Values{"payload": {string(d.Body)}}.Encode())
	header := d.Header.Clone()
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	sign(header, form, secret)
	if _, err := h.Verify(header, form); err != nil {
		t.Error(err)
	}
	if _, err := h.Verify(header, d.Body); err != providers.ErrSignature {
		t.Errorf("the JSON under the form's signature: %v", err)
	}
	want, _ := h.Describe(d)
	header.Del("X-Hub-Signature-256") // as the journal keeps it
	got, err := h.Describe(providers.Delivery{Header: header, Body: d.Body})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestOnlyTheSignatureOf256BitsProvesAnything(t *testing.T) {
	h := newHook(t, secret)
	d := payloads(t)["testdata/webhooks/repository-created.json"]
	sum := d.Header.Get("X-Hub-Signature-256")
	for name, value := range map[string]string{
		"X-Hub-Signature": sum, "X-Gitea-Signature": strings.TrimPrefix(sum, "sha256="), "X-Hub-Signature-256": strings.TrimPrefix(sum, "sha256="),
	} {
		header := d.Header.Clone()
		header.Del("X-Hub-Signature-256")
		header.Set(name, value)
		if _, err := h.Verify(header, d.Body); err != providers.ErrSignature {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the typed payloads refuse or drop is described all the same.
func TestWhatTheLibrariesCannotReadIsDescribed(t *testing.T) {
	h := newHook(t, secret)
	all := payloads(t)
	for name, want := range map[string]map[string]string{
		"repository-transferred-from-organization": {"from": "lab/app", "repository": "acme/app", "default_branch": "main"},
		"repository-transferred-from-user":         {"from": "li/app", "clone_url": "https://github.com/acme/app.git"},
		"installation-created":                     {"organization": "acme", "repositories": "1", "repository_selection": "all"},
		"installation_repositories-removed":        {"organization": "acme", "repositories_removed": "1"},
		"team-added-to-repository":                 {"repository": "acme/app", "team": "acme/core-team", "team_permission": "pull"},
		"organization-renamed":                     {"organization": "acme", "from": "acme-inc"},
	} {
		details, err := h.Describe(all["testdata/webhooks/"+name+".json"])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for fact, value := range want {
			if details.Facts[fact] != value {
				t.Errorf("%s: %s is %q, want %q", name, fact, details.Facts[fact], value)
			}
		}
	}
}

func TestEventsWithoutTheirSubjectAreMalformed(t *testing.T) {
	h := newHook(t, secret)
	for event, bodies := range map[string][]string{
		"repository": {
			`{"action":"created"}`, `{"action":"created","repository":null}`, `{"action":"created","repository":{}}`,
			`{"action":"created","repository":{"id":0}}`, `{"action":"created","repository":{"id":-1}}`, `{"action":"created","repository":{"id":"7"}}`,
			`{"action":"created","repository":[]}`, `{"action":7,"repository":{"id":7}}`,
			`{"action":"created","repository":{"id":99999999999999999999}}`, `{"action":"created","repository":{"id":1.5}}`,
		},
		"public": {`{}`}, "team_add": {`{}`}, "fork": {`{"repository":{"id":1}}`}, "repository_import": {`{"status":"success"}`},
		"organization":              {`{"action":"member_added","organization":{"id":1}}`, `{"action":"renamed"}`, `{"action":"member_removed","membership":{"user":{"id":1}}}`},
		"membership":                {`{"action":"added","organization":{"id":1}}`, `{"action":"added","member":{"id":1}}`, `{"action":"added","member":{"id":1},"organization":7}`},
		"member":                    {`{"action":"added","repository":{"id":1}}`, `{"action":"added","member":{"id":1}}`},
		"team":                      {`{"action":"deleted"}`, `{"action":"edited","repository":{"id":0}}`},
		"installation":              {`{"action":"created"}`, `{"action":"created","installation":{"id":7}}`},
		"installation_repositories": {`{"action":"added","installation":{"account":null}}`},
		"installation_target":       {`{"action":"renamed","target_type":"User"}`, `{"action":"renamed"}`},
		"user":                      {`{"action":"deleted"}`},
	} {
		for _, body := range bodies {
			if e, err := h.Parse(delivery(event, []byte(body))); !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("%s %s: %+v, %v", event, body, e, err)
			}
		}
	}
	if _, err := h.Parse(providers.Delivery{Header: http.Header{}, Body: []byte("{}")}); !errors.Is(err, providers.ErrMalformed) {
		t.Errorf("without an event name: %v", err)
	}
}

// The intake refuses such bodies, as encoding/json calls them invalid; a parser
// that recursed would not even get that far.
func TestDeepNestingDoesNoHarm(t *testing.T) {
	h := newHook(t, secret)
	deep := append(append([]byte(`{"x":`), bytes.Repeat([]byte("["), 1_000_000)...), bytes.Repeat([]byte("]"), 1_000_000)...)
	deep = append(deep, `,"repository":{"id":1}}`...)
	if e, err := h.Parse(delivery("repository", deep)); err != nil || e.Repo.ID != "1" {
		t.Errorf("%+v, %v", e, err)
	}
}

// The library's own testdata shows payloads of older GitHubs.
func TestPayloadsOfTheLibraryAreRead(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-playground/webhooks/v6").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "testdata/github/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	want := map[string]providers.Effect{
		"fork":         providers.EffectRepo,
		"installation": providers.EffectScope, "installation-repositories": providers.EffectScope,
		"member": providers.EffectMember, "membership": providers.EffectMember, "organization": providers.EffectNone,
		"public": providers.EffectRepo, "repository": providers.EffectRepo, "repository-edited": providers.EffectRepo,
		"team": providers.EffectNone, "team-add": providers.EffectRepo,
	}
	h := newHook(t, secret)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		event := strings.ReplaceAll(strings.TrimSuffix(name, "-edited"), "-", "_")
		d := delivery(event, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		if err != nil && !errors.As(err, &ignored) || e.Effect != want[name] {
			t.Errorf("%s: effect %q, want %q: %v", name, e.Effect, want[name], err)
		}
		if details, err := h.Describe(d); err != nil || details.Summary == "" {
			t.Errorf("%s: %+v, %v", name, details, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range payloads(f) {
		f.Add(d.Header.Get("X-GitHub-Event"), d.Body)
	}
	h := newHook(f, secret)
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		if !json.Valid(body) {
			return // the intake lets no such body in
		}
		d := delivery(event, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		switch {
		case err == nil:
			if e.Effect == providers.EffectNone || e.Repo == nil && e.User == nil && e.Org.ID == "" {
				t.Errorf("a change of nothing: %+v", e)
			}
			if e.Repo != nil && e.Repo.ID == "" || e.User != nil && e.User.ID == "" || e.Team != nil && e.Team.ID == "" {
				t.Errorf("a subject without id: %+v", e)
			}
		case errors.As(err, &ignored):
			if e.Name == "" || e.Effect != providers.EffectNone {
				t.Errorf("ignored as %+v", e)
			}
		case !errors.Is(err, providers.ErrMalformed):
			t.Errorf("error of no class: %v", err)
		}
		if _, described := h.Describe(d); described != nil && !errors.Is(err, providers.ErrMalformed) {
			t.Errorf("parsed (%v) but not described: %v", err, described)
		}
	})
}
