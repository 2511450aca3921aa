package handlers_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

const (
	secretA = "secret-of-provider-a-0123"
	secretB = "secret-of-provider-b-4567"
	secretC = "secret-of-target-drone-89"
)

// dialect is a forge made for these tests: its payload is an Event, so that
// any event can be sent.
type dialect struct{ providers.Secrets }

func (h dialect) Verify(header http.Header, body []byte) (int, error) {
	if header.Get("X-Test-Event") == "panic in verify" {
		panic("verify " + string(body))
	}
	return h.MatchHMAC(header.Get("X-Test-Signature"), body)
}

func (h dialect) GUID(header http.Header) string { return header.Get("X-Test-Delivery") }

func (h dialect) Parse(d providers.Delivery) (providers.Event, error) {
	name := d.Header.Get("X-Test-Event")
	switch name {
	case "ping":
		return providers.Event{Name: name}, &providers.Ignored{Reason: "hello", Ping: true}
	case "push":
		return providers.Event{Name: name}, &providers.Ignored{Reason: "a push changes nobody's access"}
	case "panic":
		panic("parse")
	}
	ev := &providers.Event{Name: name}
	if err := json.Unmarshal(d.Body, &ev); err != nil || ev == nil {
		return providers.Event{Name: name}, fmt.Errorf("dialect: %w", providers.ErrMalformed)
	}
	return *ev, nil
}

func (h dialect) Describe(providers.Delivery) (providers.Details, error) {
	return providers.Details{}, nil
}

func hook(t testing.TB, secrets ...string) providers.Hook {
	t.Helper()
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		keys[i] = []byte(s)
	}
	s, err := providers.NewSecrets(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return dialect{s}
}

// announcements is the dialect of a CI server: its payload is an Event, whose
// name may ask for an error.
type announcements struct{ providers.Hook }

func (announcements) Parse(body []byte) (ev providers.Event, err error) {
	if err := json.Unmarshal(body, &ev); err != nil {
		return ev, providers.ErrMalformed
	}
	if ev.Name == "build.created" {
		err = &providers.Ignored{Reason: "a build"}
	}
	return ev, err
}

// spy counts what reaches the queue and can make it fail.
type spy struct {
	syncqueue.Queue
	mu     sync.Mutex
	pushes int
	err    error
}

func (s *spy) Push(ctx context.Context, e syncqueue.Entry, jobs ...syncqueue.Job) (syncqueue.Receipt, error) {
	s.mu.Lock()
	s.pushes++
	err := s.err
	s.mu.Unlock()
	if err != nil {
		return syncqueue.Receipt{}, err
	}
	return s.Queue.Push(ctx, e, jobs...)
}

func (s *spy) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pushes
}

// world is an intake and an admin API over one engine.
type world struct {
	t        testing.TB
	db       *memory.DB
	queue    *spy
	registry *prometheus.Registry
	log      *strings.Builder
	draining atomic.Bool
	orgsA    *providers.OrgSet
	desk     *desk
	plan     *reconciler
	now      func() time.Time
	visibles storage.Visibles
	backup   func(context.Context) (storage.Backup, error)
	backfill func(provider string, since time.Time) ([]handlers.Backfill, error)

	feed    *handlers.Feed
	revoked atomic.Value // the name of a token that is none any more

	mount  func() // makes these of what there is
	intake http.Handler
	admin  http.Handler

	welcomed []string // logins that announcements named
	welcome  error
}

func newWorld(t testing.TB) *world {
	w := &world{
		t: t, registry: prometheus.NewRegistry(), log: &strings.Builder{},
		orgsA: providers.NewOrgSet("acme"), now: time.Now,
		backup: func(context.Context) (storage.Backup, error) { return newCopy([]byte("the data file")), nil },
	}
	w.db = memory.New(memory.Options{Now: func() time.Time { return w.now() }})
	w.queue, w.visibles = &spy{Queue: w.db}, w.db
	w.plan = &reconciler{}
	w.desk = &desk{credentials: map[string]string{}, standing: why.Standing{Personal: true, Account: true, Healthy: true}}
	metrics := handlers.NewMetrics(w.registry, handlers.Build{Version: "1.2.3", GoVersion: "go"}, handlers.Gauges{Stats: w.db.Stats, Now: func() time.Time { return w.now() }})
	metrics.Known([]string{"a", "b", "form"}, []string{"drone"})
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sources := map[string]handlers.Source{
		"a":    {Name: "a", Kind: "test", Hook: hook(t, secretA, secretA+"-old"), Orgs: w.orgsA},
		"b":    {Name: "b", Kind: "test", Hook: hook(t, secretB), Orgs: providers.NewOrgSet("*")},
		"form": {Name: "form", Kind: "github", Hook: hook(t, secretA), Orgs: providers.NewOrgSet("*"), Forms: true},
	}
	announcers := map[string]handlers.Announcer{"drone": {
		Name: "drone", Hook: announcements{hook(t, secretC)},
		Welcome: func(_ context.Context, login string, c syncqueue.Cause) (int, error) {
			if c.By != "target" || c.Event == "" || c.At.IsZero() {
				t.Errorf("cause %+v", c)
			}
			if w.welcome == nil {
				w.welcomed = append(w.welcomed, login)
			}
			return 1, w.welcome
		},
	}}
	w.mount = func() {
		w.intake = handlers.Public(handlers.Intake{
			Announcers: func() map[string]handlers.Announcer { return announcers },
			Sources:    func() map[string]handlers.Source { return maps.Clone(sources) },
			Queue:      w.queue, Timing: syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second},
			Draining: w.draining.Load, Metrics: metrics, Feed: w.feed, Log: log,
			Now: func() time.Time { return w.now() }, MaxBody: 1 << 20,
		})
		w.admin = handlers.AdminAPI(handlers.Admin{
			Queue: w.db, Journal: w.db, Console: w.db, Catalogue: w.db, Visibles: lately{w}, Desk: w.desk, Reconcile: w.plan,
			Tokens: func() []handlers.Token {
				return slices.DeleteFunc([]handlers.Token{
					{Name: "vera", Role: handlers.Viewer, Secret: []byte("token-of-vera-0123")},
					{Name: "olga", Role: handlers.Operator, Secret: []byte("token-of-olga-0123")},
					{Name: "adam", Role: handlers.Administrator, Secret: []byte("token-of-adam-0123")},
					{Name: "nobody", Role: handlers.Administrator},
				}, func(t handlers.Token) bool { return t.Name == w.revoked.Load() })
			},
			Timing:   syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second},
			Draining: w.draining.Load, Metrics: metrics, Log: log, Now: func() time.Time { return w.now() },
			Backfill: func(_ context.Context, provider string, since time.Time) ([]handlers.Backfill, error) {
				return w.backfill(provider, since)
			},
			Backup: func(ctx context.Context) (storage.Backup, error) { return w.backup(ctx) },
			Ready: func(context.Context) []handlers.Check {
				return []handlers.Check{{Name: "store"}, {Name: "workers", Err: w.desk.unready}}
			},
			Feed:  w.feed,
			Build: handlers.Build{Version: "1.2.3", GoVersion: "go"},
		})
	}
	w.mount()
	return w
}

// startFeed begins a feed, as a start of hookd does.
func (w *world) startFeed() {
	w.feed = handlers.NewFeed(handlers.Past{Journal: w.db, Console: w.db, Visibles: lately{w}}, func() time.Time { return w.now() })
	w.mount()
}

var roleTokens = map[string]string{"viewer": "token-of-vera-0123", "operator": "token-of-olga-0123", "admin": "token-of-adam-0123"}

// lately is what w.visibles is now.
type lately struct{ w *world }

func (l lately) Visible(ctx context.Context, since time.Time) ([]storage.Visible, error) {
	return l.w.visibles.Visible(ctx, since)
}

// visibles is a fixed answer.
type visibles []storage.Visible

func (v visibles) Visible(context.Context, time.Time) ([]storage.Visible, error) { return v, nil }

// desk is what the admin API is told of providers and targets.
type desk struct {
	credentials map[string]string // login -> state
	absent      map[string]bool   // logins that must log in
	coverage    []handlers.ProviderCoverage
	unready     error
	standing    why.Standing
}

func (d *desk) FindUser(_ context.Context, provider, login string) (providers.User, error) {
	switch {
	case login == "down":
		return providers.User{}, &providers.ForgeError{Op: "GET /users/down", Class: providers.ErrUnavailable}
	case !d.HasProvider(provider) || strings.HasPrefix(login, "ghost"):
		return providers.User{}, providers.ErrNotFound
	}
	return providers.User{ID: "7", Login: login}, nil
}
func (d *desk) HasProvider(name string) bool       { return name == "a" || name == "b" }
func (d *desk) TargetsOf(provider string) []string { return []string{"drone"} }
func (d *desk) Credential(_, login string) string  { return d.credentials[login] }
func (d *desk) MustLogIn(_, login string) []string {
	if d.absent[login] {
		return []string{"drone"}
	}
	return nil
}

func (d *desk) Standing(_, login string) why.Standing {
	s := d.standing
	s.Credential = d.credentials[login]
	return s
}

func (d *desk) Providers(context.Context) []handlers.ProviderStatus {
	hook := handlers.HookStatus{
		State: "drift", CheckedAt: time.Now(), Detail: "is switched off",
		Webhooks: []handlers.WebhookStatus{{ID: "3", Place: "organization", Org: "acme", URL: "https://hookd.example.com/hooks/a", Events: []string{"repository"}, State: "drift", Flaws: []string{"is switched off"}}},
	}
	n := 4711
	return []handlers.ProviderStatus{{Name: "a", Kind: "gitea", URL: "https://git.example.com", Healthy: true, CheckedAt: time.Now(), Remaining: &n, Hook: hook}, {Name: "b", Hook: handlers.HookStatus{State: "unknown", Webhooks: []handlers.WebhookStatus{}}}}
}

func (d *desk) Targets(context.Context) []handlers.TargetStatus {
	return []handlers.TargetStatus{{Name: "drone", Kind: "drone", Provider: "a", Error: "down"}}
}

func (d *desk) Coverage(context.Context) ([]handlers.ProviderCoverage, error) {
	return d.coverage, d.unready
}

// post is a delivery that a test may spoil before it is sent.
type post struct {
	provider, event, guid, body string
	method, mediaType           string
	secret                      string
	header                      http.Header
	target                      string // instead of provider
	chunked                     bool
	length                      int64 // declared, if not the body's
}

func created(guid string) post {
	return post{
		provider: "a", event: "repository.created", guid: guid, secret: secretA,
		body: `{"name":"repository.created","repo":{"id":"42","path":"acme/app"},"org":{"id":"5","name":"acme"},"effect":"repo"}`,
	}
}

func sign(secret string, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (p post) request() *http.Request {
	if p.method == "" {
		p.method = http.MethodPost
	}
	if p.mediaType == "" {
		p.mediaType = "application/json"
	}
	var body io.Reader = strings.NewReader(p.body)
	if p.chunked {
		body = io.MultiReader(body)
	}
	path := "/hooks/" + p.provider
	if p.target != "" {
		path = "/targets/" + p.target + "/events"
	}
	r := httptest.NewRequest(p.method, path, body)
	if p.length != 0 {
		r.ContentLength = p.length
	}
	r.Header.Set("Content-Type", p.mediaType)
	r.Header.Set("X-Test-Event", p.event)
	if p.guid != "" {
		r.Header.Set("X-Test-Delivery", p.guid)
	}
	if p.secret != "" {
		r.Header.Set("X-Test-Signature", sign(p.secret, p.body))
	}
	for k, v := range p.header {
		r.Header[k] = v
	}
	return r
}

// send answers with status, headers and the decoded body.
func (w *world) send(p post) (*httptest.ResponseRecorder, map[string]any) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	r := p.request()
	w.intake.ServeHTTP(rec, r)
	checkAnswer(w.t, r, rec)
	return rec, object(w.t, rec.Body.Bytes())
}

// call asks the admin API as a role, "" for nobody, and decodes the answer.
func (w *world) call(role, method, target, body string) (*httptest.ResponseRecorder, map[string]any) {
	w.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+roleTokens[role])
	}
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, r)
	checkAnswer(w.t, r, rec)
	if !strings.Contains(rec.Header().Get("Content-Type"), "json") {
		return rec, nil
	}
	return rec, object(w.t, rec.Body.Bytes())
}

// get is call as a viewer that must succeed.
func (w *world) get(target string) map[string]any {
	w.t.Helper()
	rec, v := w.call("viewer", http.MethodGet, target, "")
	if rec.Code != http.StatusOK {
		w.t.Fatalf("GET %s: %d %s", target, rec.Code, rec.Body)
	}
	return v
}

func object(t testing.TB, b []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("answer %q: %v", b, err)
	}
	return v
}

func items(v map[string]any) []map[string]any {
	var out []map[string]any
	for _, i := range v["items"].([]any) {
		out = append(out, i.(map[string]any))
	}
	return out
}

var errBroken = errors.New("broken")
