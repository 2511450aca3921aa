package gitlab_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

var update = flag.Bool("update", false, "write the goldens anew")

const (
	secret = "a-secret-for-the-tests"
	guid   = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
)

func newHook(t testing.TB, secrets ...string) *gitlab.Hook {
	t.Helper()
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		keys[i] = []byte(s)
	}
	s, err := providers.NewSecrets(keys...)
	check(t, err)
	return must[*gitlab.Hook](t)(gitlab.NewHook(s, nil))
}

// delivery is body as GitLab would send it under an X-Gitlab-Event.
func delivery(header string, body []byte) providers.Delivery {
	return providers.Delivery{Body: body, Header: http.Header{
		"X-Gitlab-Event": {header}, "X-Gitlab-Token": {secret}, "Idempotency-Key": {guid},
		"X-Gitlab-Event-Uuid": {"13792a34-cac6-4fda-95a8-c58e00a3954e"}, "X-Gitlab-Instance": {"https://git.example.com"},
	}}
}

// payloads are the written ones, by file name: the header up to the first dot,
// then the event up to a dash.
func payloads(t testing.TB) map[string]providers.Delivery {
	return providerstest.Payloads(t, func(name string, body []byte) providers.Delivery {
		header, _, _ := strings.Cut(name, ".")
		return delivery(strings.ReplaceAll(header, "_", " "), body)
	})
}

func TestPayloadsReadAsTheirGoldens(t *testing.T) {
	providerstest.RunGoldens(t, newHook(t, secret), payloads(t), *update)
}

func TestPayloadsAreOfTheEventsTheyAreNamedFor(t *testing.T) {
	h := newHook(t, secret)
	for file, d := range payloads(t) {
		_, name, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".json"), ".")
		name, _, _ = strings.Cut(name, "-")
		if e, _ := h.Parse(d); e.Name != name {
			t.Errorf("%s: is called %s", file, e.Name)
		}
	}
}

// exam is what both ways to authenticate are examined with.
func exam(t *testing.T) providerstest.HookExam {
	all := payloads(t)
	sample := func(name string) providerstest.Sample {
		d, ok := all["testdata/webhooks/"+name+".json"]
		if !ok {
			t.Fatalf("no payload %s", name)
		}
		d.Header.Del("X-Gitlab-Token")
		_, event, _ := strings.Cut(name, ".")
		event, _, _ = strings.Cut(event, "-")
		return providerstest.Sample{
			Header: d.Header, Body: d.Body, Want: event, GUID: guid,
			Gone: strings.Contains(event, "remove") || event == "project_destroy",
		}
	}
	x := providerstest.HookExam{
		New: func(s providers.Secrets) providers.Hook { return must[*gitlab.Hook](t)(gitlab.NewHook(s, nil)) },
	}
	for _, name := range []string{
		"System_Hook.project_create-nested", "System_Hook.project_destroy", "System_Hook.project_rename", "System_Hook.project_transfer",
		"System_Hook.project_update", "System_Hook.project_archive-unknown", "System_Hook.group_rename", "System_Hook.group_destroy",
		"System_Hook.user_add_to_group", "System_Hook.user_remove_from_group", "System_Hook.user_suspend_from_group-unknown",
		"System_Hook.user_add_to_team", "System_Hook.user_remove_from_team", "System_Hook.user_rename", "System_Hook.user_destroy",
		"Project_Hook.project_create", "Member_Hook.user_remove_from_group", "Subgroup_Hook.subgroup_destroy",
	} {
		x.Changes = append(x.Changes, sample(name))
	}
	for _, name := range []string{
		"System_Hook.user_create", "System_Hook.group_create", "System_Hook.key_create", "System_Hook.push", "System_Hook.merge_request",
		"System_Hook.repository_update", "Member_Hook.user_access_request_to_group", "Subgroup_Hook.subgroup_create", "Push_Hook.push",
	} {
		x.Ignored = append(x.Ignored, sample(name))
	}
	return x
}

func TestHookOfATokenKeepsItsContract(t *testing.T) {
	x := exam(t)
	x.Bearer = true
	x.Sign = func(h http.Header, _ []byte, secret string) { h.Set("X-Gitlab-Token", secret) }
	providerstest.RunHook(t, x)
}

func TestHookOfASigningTokenKeepsItsContract(t *testing.T) {
	x := exam(t)
	x.Secrets = [3]string{signingNew, signingOld, signingOther}
	at := time.Now()
	for _, samples := range [][]providerstest.Sample{x.Changes, x.Ignored} {
		for _, s := range samples {
			providerstest.SignGitLab(s.Header, s.Body, signingNew, guid, at)
			s.Header.Del("Webhook-Signature")
		}
	}
	x.Sign = func(h http.Header, body []byte, secret string) {
		providerstest.SignGitLab(h, body, secret, guid, at)
	}
	providerstest.RunHook(t, x)
}

func TestGUIDIsWhatARepetitionKeeps(t *testing.T) {
	h := newHook(t, secret)
	header := http.Header{}
	for _, x := range []struct{ name, id string }{{"X-Gitlab-Event-UUID", "event"}, {"Idempotency-Key", "key"}, {"webhook-id", "id"}} {
		header.Set(x.name, x.id)
		if got := h.GUID(header); got != x.id {
			t.Errorf("%s: %q, want %q", x.name, got, x.id)
		}
	}
}

func TestWhatChangesWithoutAnIDIsMalformed(t *testing.T) {
	h := newHook(t, secret)
	for _, body := range []string{
		`{"event_name":"project_create"}`, `{"event_name":"project_create","project_id":0}`, `{"event_name":"project_create","project_id":-1}`,
		`{"event_name":"project_create","project_id":"7"}`, `{"event_name":"project_create","project_id":1.5}`,
		`{"event_name":"project_create","project_id":99999999999999999999}`, `{"event_name":"project_create","project_id":7,"path_with_namespace":7}`,
		`{"event_name":"group_rename"}`, `{"event_name":"user_add_to_group","group_id":7}`, `{"event_name":"user_add_to_group","user_id":7}`,
		`{"event_name":"user_add_to_team","user_id":7}`, `{"event_name":"user_rename"}`, `{"event_name":7}`, `{"event_name":["project_create"]}`,
	} {
		if e, err := h.Parse(delivery("System Hook", []byte(body))); !errors.Is(err, providers.ErrMalformed) {
			t.Errorf("%s: %+v, %v", body, e, err)
		}
	}
	var ignored *providers.Ignored
	if _, err := h.Parse(delivery("System Hook", []byte(`{"event_name":"push","project_id":"seven"}`))); !errors.As(err, &ignored) {
		t.Errorf("the shape of a push is worth a refusal: %v", err)
	}
}

// The library's own testdata shows payloads of older GitLabs.
func TestPayloadsOfTheLibraryAreRead(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-playground/webhooks/v6").Output()
	check(t, err)
	readFolder(t, filepath.Join(strings.TrimSpace(string(out)), "testdata/gitlab"))
}

// HOOKD_FIXTURES is a folder with payloads collected elsewhere.
func TestCollectedPayloadsAreRead(t *testing.T) {
	dir := os.Getenv("HOOKD_FIXTURES")
	if dir == "" {
		t.Skip("HOOKD_FIXTURES is not set")
	}
	readFolder(t, filepath.Join(dir, "gitlab"))
}

// changing are the system events that may change somebody's list.
var changing = map[string]providers.Effect{
	"project_create": providers.EffectRepo, "project_update": providers.EffectRepo, "project_rename": providers.EffectRepo,
	"project_transfer": providers.EffectRepo, "project_destroy": providers.EffectGone,
	"group_rename": providers.EffectScope, "group_destroy": providers.EffectScope,
	"user_add_to_group": providers.EffectMember, "user_update_for_group": providers.EffectMember, "user_remove_from_group": providers.EffectLeft,
	"user_add_to_team": providers.EffectMember, "user_update_for_team": providers.EffectMember, "user_remove_from_team": providers.EffectLeft,
	"user_rename": providers.EffectUser, "user_destroy": providers.EffectUser,
}

func readFolder(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no payloads in %s: %v", dir, err)
	}
	h := newHook(t, secret)
	for _, file := range files {
		body, err := os.ReadFile(file)
		check(t, err)
		if !json.Valid(body) {
			continue // the intake lets no such body in
		}
		header := "Issue Hook"
		if strings.HasPrefix(filepath.Base(file), "system-") {
			header = "System Hook"
		}
		d := delivery(header, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		switch want := changing[e.Name]; {
		case want != "" && (err != nil || e.Effect != want):
			t.Errorf("%s: effect %q, %v", file, e.Effect, err)
		case want == "" && !errors.As(err, &ignored):
			t.Errorf("%s: %+v, %v", file, e, err)
		}
		if details, err := h.Describe(d); err != nil || details.Summary == "" {
			t.Errorf("%s: %+v, %v", file, details, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range payloads(f) {
		f.Add(d.Header.Get("X-Gitlab-Event"), d.Body)
	}
	h := newHook(f, secret)
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		if !json.Valid(body) {
			return // the intake lets no such body in
		}
		d := delivery(header, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		switch {
		case err == nil:
			if e.Effect == providers.EffectNone || (e.Repo == nil && e.User == nil && e.Org.ID == "") {
				t.Errorf("a change of nothing: %+v", e)
			}
			if e.Effect == providers.EffectScope && e.Org.ID == "" {
				t.Errorf("a scope without an id: %+v", e)
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
