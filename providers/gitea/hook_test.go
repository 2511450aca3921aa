package gitea_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

var update = flag.Bool("update", false, "write the goldens anew")

const secret = "a-secret-for-the-tests"

func newHook(t testing.TB, secret string) *gitea.Hook {
	t.Helper()
	s, err := providers.NewSecrets([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return gitea.NewHook(s)
}

func sign(h http.Header, body []byte, secret string) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
}

// delivery is body as Gitea would send it for an event.
func delivery(event string, body []byte) providers.Delivery {
	h := http.Header{"X-Gitea-Event": {event}, "X-Gitea-Event-Type": {event}, "X-Gitea-Delivery": {"6f79954d-3ade-48cb-80da-c1bf396183a9"}}
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
	all := payloads(t)
	sample := func(name, want string) providerstest.Sample {
		d, ok := all["testdata/webhooks/"+name+".json"]
		if !ok {
			t.Fatalf("no payload %s", name)
		}
		d.Header.Del("X-Gitea-Signature")
		return providerstest.Sample{Header: d.Header, Body: d.Body, Want: want, GUID: "6f79954d-3ade-48cb-80da-c1bf396183a9"}
	}
	deleted := sample("repository-deleted", "repository.deleted")
	deleted.Gone = true
	exam := providerstest.HookExam{
		New:  func(s providers.Secrets) providers.Hook { return gitea.NewHook(s) },
		Sign: sign,
		Changes: []providerstest.Sample{
			sample("repository-created", "repository.created"), deleted,
			sample("repository-renamed", "repository.renamed"), sample("repository-adopted", "repository.adopted"),
			sample("fork-by-user", "fork"),
		},
		Ignored: []providerstest.Sample{
			sample("push", "push"), sample("create-branch", "create"),
			sample("pull_request-opened", "pull_request.opened"), sample("package-published", "package.published"),
		},
	}
	providerstest.RunHook(t, exam)
}

// A Forgejo that stopped sending Gitea's headers must not go unheard.
func TestForgejoHeadersAloneAreEnough(t *testing.T) {
	h := newHook(t, secret)
	for file, d := range payloads(t) {
		want, wantErr := h.Parse(d)
		details, _ := h.Describe(d)
		for _, name := range []string{"Event", "Event-Type", "Delivery", "Signature"} {
			d.Header.Set("X-Forgejo-"+name, d.Header.Get("X-Gitea-"+name))
			d.Header.Del("X-Gitea-" + name)
		}
		if _, err := h.Verify(d.Header, d.Body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if h.GUID(d.Header) == "" {
			t.Errorf("%s: no id", file)
		}
		got, err := h.Parse(d)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v\n%s", file, err, diff)
		}
		if again, err := h.Describe(d); err != nil || !cmp.Equal(details, again) {
			t.Errorf("%s: described otherwise: %v", file, err)
		}
	}
}

// Gitea sends complete GitHub and Gogs headers too; only its own may decide.
func TestSignaturesOfOtherDialectsProveNothing(t *testing.T) {
	h := newHook(t, secret)
	d := payloads(t)["testdata/webhooks/repository-created.json"]
	sum := d.Header.Get("X-Gitea-Signature")
	d.Header.Del("X-Gitea-Signature")
	d.Header.Set("X-Hub-Signature-256", "sha256="+sum)
	d.Header.Set("X-Gogs-Signature", sum)
	if _, err := h.Verify(d.Header, d.Body); err != providers.ErrSignature {
		t.Errorf("accepted: %v", err)
	}
}

func TestForkIsAboutTheNewRepositoryWhateverTheKeysSay(t *testing.T) {
	h := newHook(t, secret)
	for file, d := range payloads(t) {
		if !strings.Contains(file, "/fork-") {
			continue
		}
		e, err := h.Parse(d)
		if err != nil || e.Repo == nil || e.Repo.Path == "acme/app" || e.From != "acme/app" || e.Org != e.Repo.Org {
			t.Errorf("%s: %+v, %v", file, e, err)
		}
	}
}

func TestForksAreToldApartByParentThenFlagThenID(t *testing.T) {
	h := newHook(t, secret)
	const owner = `"owner":{"id":1,"login":"ana"}`
	for what, x := range map[string]struct{ a, b string }{
		"parent, though both are forks and the base is younger": {
			`{"id":3,"full_name":"ana/new","fork":true,"parent":{"id":9},` + owner + `}`,
			`{"id":9,"full_name":"ana/old","fork":true,"parent":{"id":2},` + owner + `}`,
		},
		"flag, though the base is younger": {
			`{"id":3,"full_name":"ana/new","fork":true,` + owner + `}`,
			`{"id":9,"full_name":"ana/old","fork":false,` + owner + `}`,
		},
		"id, as nothing else tells": {
			`{"id":9,"full_name":"ana/new","fork":true,` + owner + `}`,
			`{"id":3,"full_name":"ana/old","fork":true,` + owner + `}`,
		},
	} {
		for _, body := range []string{
			`{"repository":` + x.a + `,"forkee":` + x.b + `}`,
			`{"repository":` + x.b + `,"forkee":` + x.a + `}`,
		} {
			if e, err := h.Parse(delivery("fork", []byte(body))); err != nil || e.Repo.Path != "ana/new" || e.From != "ana/old" {
				t.Errorf("%s: %+v, %v", what, e, err)
			}
		}
	}
}

func TestRepositoryWithoutIDIsMalformed(t *testing.T) {
	h := newHook(t, secret)
	for _, body := range []string{
		`{"action":"created"}`, `{"action":"created","repository":null}`, `{"action":"created","repository":{}}`,
		`{"action":"created","repository":{"id":0}}`, `{"action":"created","repository":{"id":-1}}`,
		`{"action":"created","repository":{"id":"7"}}`, `{"action":"created","repository":[]}`, `{"action":7,"repository":{"id":7}}`,
		`{"action":"created","repository":{"id":99999999999999999999}}`, `{"action":"created","repository":{"id":1.5}}`,
	} {
		for _, event := range []string{"repository", "fork"} {
			if e, err := h.Parse(delivery(event, []byte(body))); !errors.Is(err, providers.ErrMalformed) {
				t.Errorf("%s %s: %+v, %v", event, body, e, err)
			}
		}
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

// The library's own testdata shows payloads of older Giteas.
func TestPayloadsOfTheLibraryAreRead(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-playground/webhooks/v6").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "testdata/gitea/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	h := newHook(t, secret)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		event := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), "-event.json"), "-", "_")
		d := delivery(event, body)
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		if changes := event == "repository" || event == "fork"; changes != (err == nil) || changes == errors.As(err, &ignored) {
			t.Errorf("%s: %v", event, err)
		} else if changes && (e.Repo.ID == "" || e.Org.ID == "" || e.Effect == providers.EffectNone) {
			t.Errorf("%s: %+v", event, e)
		}
		if details, err := h.Describe(d); err != nil || details.Summary == "" {
			t.Errorf("%s: %+v, %v", event, details, err)
		}
	}
}

// HOOKD_FIXTURES is a folder with deliveries captured from a running Gitea.
func TestCapturedDeliveriesVerifyAndRead(t *testing.T) {
	dir := os.Getenv("HOOKD_FIXTURES")
	if dir == "" {
		t.Skip("HOOKD_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "gitea", "captured-*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures in %s: %v", dir, err)
	}
	for _, file := range files {
		var capture struct {
			Secret  string            `json:"secret"`
			Headers map[string]string `json:"headers"`
			Body    string            `json:"body_raw"`
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &capture); err != nil {
			t.Fatal(err)
		}
		d := providers.Delivery{Header: http.Header{}, Body: []byte(capture.Body)}
		for k, v := range capture.Headers {
			d.Header.Set(k, v)
		}
		h := newHook(t, capture.Secret)
		if d.Secret, err = h.Verify(d.Header, d.Body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if h.GUID(d.Header) == "" {
			t.Errorf("%s: no id", file)
		}
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		if err != nil && !errors.As(err, &ignored) {
			t.Errorf("%s: %v", file, err)
		}
		if e.Repo == nil || e.Org.ID == "" || e.Sender.Login == "" {
			t.Errorf("%s: %+v", file, e)
		}
		if _, err := h.Describe(d); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range payloads(f) {
		f.Add(d.Header.Get("X-Gitea-Event"), d.Body)
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
			if e.Effect == providers.EffectNone || e.Repo == nil || e.Repo.ID == "" {
				t.Errorf("a change of nothing: %+v", e)
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
