package dashboard_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/handlers/dashboard"
	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
)

var tokens = map[string]string{"viewer": "token-of-vera-0123", "operator": "token-of-olga-0123", "admin": "token-of-adam-0123"}

// world is the page as it is mounted, over an engine that a test fills.
type world struct {
	feed        *handlers.Feed
	t           testing.TB
	db          *memory.DB
	log         *lines
	now         time.Time
	tokens      []handlers.Token
	credentials map[string]string // login -> state
	absent      map[string]bool   // logins that must log in
	visibles    []storage.Visible

	handler http.Handler
}

func newWorld(t testing.TB, linkings ...dashboard.Linking) *world {
	w := &world{
		t: t, log: &lines{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), credentials: map[string]string{},
		tokens: []handlers.Token{
			{Name: "vera", Role: handlers.Viewer, Secret: []byte(tokens["viewer"])},
			{Name: "olga", Role: handlers.Operator, Secret: []byte(tokens["operator"])},
			{Name: "adam", Role: handlers.Administrator, Secret: []byte(tokens["admin"])},
			{Name: "nobody", Role: handlers.Administrator},
		},
	}
	now := func() time.Time { return w.now }
	w.db = memory.New(memory.Options{Now: now})
	log := slog.New(slog.NewTextHandler(w.log, nil))
	admin := handlers.Admin{
		Queue: w.db, Journal: w.db, Console: w.db, Catalogue: w.db, Visibles: w, Log: log, Now: now,
		Tokens: func() []handlers.Token { return w.tokens },
	}
	steering := admin.Steering()
	steering.Provider = func(name string) bool { return name == "git" }
	w.feed = handlers.NewFeed(handlers.Past{Journal: w.db, Console: w.db, Visibles: w}, now)
	admin.Page = dashboard.New(dashboard.Config{
		Events:  w.feed.Serve,
		Journal: w.db, Console: w.db, Catalogue: w.db, Visibles: w, Log: log, Now: now,
		Steering: steering, Gate: handlers.Gate{Tokens: admin.Tokens}, Providers: []string{"git"},
		Credential: func(_, login string) string { return w.credentials[login] },
		MustLogIn: func(_, login string) []string {
			if w.absent[login] {
				return []string{"drone"}
			}
			return nil
		},
		Linkings: linkings, PublicURL: "https://hookd.example.com",
		Why: func(ctx context.Context, q why.Question) (why.Answer, error) {
			return why.Ask(ctx, why.Sources{Catalogue: w.db, Journal: w.db, Console: w.db, Desk: w, Now: now}, q)
		},
	})
	w.handler = handlers.AdminAPI(admin)
	return w
}

func (w *world) TargetsOf(string) []string { return []string{"drone"} }

func (w *world) Standing(_, login string) why.Standing {
	return why.Standing{Personal: true, Account: true, Healthy: true, Credential: w.credentials[login]}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// browser holds cookies as a browser does, and follows nothing by itself.
type browser struct {
	*world
	host    string
	cookies map[string]string
	set     []*http.Cookie // of the last answer
	header  http.Header    // sent with each request
}

func (w *world) browser() *browser {
	return &browser{world: w, host: "127.0.0.1:8081", cookies: map[string]string{}, header: http.Header{}}
}

// signedIn is a browser whose user has signed in with the token of a role.
func (w *world) signedIn(role string) *browser {
	w.t.Helper()
	b := w.browser()
	if rec := b.post("/dashboard/sign-in", url.Values{"token": {tokens[role]}}); rec.Code != http.StatusSeeOther || len(b.cookies) != 1 {
		w.t.Fatalf("sign in as %s: %d %s", role, rec.Code, rec.Body)
	}
	return b
}

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	r.Host = b.host
	for k, v := range b.header {
		r.Header[k] = v
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	b.handler.ServeHTTP(rec, r)
	b.set = rec.Result().Cookies()
	for _, c := range b.set {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return rec
}

func (b *browser) get(target string) *httptest.ResponseRecorder {
	target, _, _ = strings.Cut(target, "#") // browsers keep that to themselves
	return b.do(httptest.NewRequest(http.MethodGet, target, nil))
}

func (b *browser) post(target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// page is what the browser shows at an address.
func (b *browser) page(target string) string {
	b.t.Helper()
	rec := b.get(target)
	if rec.Code != http.StatusOK {
		b.t.Fatalf("GET %s: %d %s", target, rec.Code, rec.Body)
	}
	return rec.Body.String()
}

var unescape = strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">")

// form finds the fields of the form that sends to an address which contains
// what is given.
func (b *browser) form(page, action string) (target string, fields url.Values) {
	b.t.Helper()
	for _, m := range regexp.MustCompile(`(?s)<form method="post" action="([^"]*)"[^>]*>(.*?)</form>`).FindAllStringSubmatch(page, -1) {
		if target = unescape.Replace(m[1]); !strings.Contains(target, action) {
			continue
		}
		fields = url.Values{}
		for _, f := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(m[2], -1) {
			fields.Set(f[1], unescape.Replace(f[2]))
		}
		return target, fields
	}
	b.t.Fatalf("no form sends to %s", action)
	return "", nil
}

// press sends that form as it stands, and returns the page it leads to.
func (b *browser) press(page, action string) string {
	b.t.Helper()
	rec := b.post(b.form(page, action))
	if rec.Code != http.StatusSeeOther {
		b.t.Fatalf("pressing %s: %d %s", action, rec.Code, rec.Body)
	}
	return b.page(rec.Header().Get("Location"))
}

func (w *world) Visible(_ context.Context, since time.Time) ([]storage.Visible, error) {
	var out []storage.Visible
	for _, v := range w.visibles {
		if !v.At.Before(since) {
			out = append(out, v)
		}
	}
	return out, nil
}

// push journals a delivery about a repository with one job, and returns its id.
func (w *world) push(guid string, event providers.Event) string {
	w.t.Helper()
	d := providers.Delivery{ID: syncqueue.NewID(w.now), Provider: "git", GUID: guid, Received: w.now, Body: []byte("{}")}
	e := syncqueue.Entry{Delivery: d, Event: event, Result: syncqueue.EntryAccepted}
	var jobs []syncqueue.Job
	if event.Repo == nil {
		e.Result, e.Reason = syncqueue.EntryIgnored, event.Detail
	} else {
		jobs = syncqueue.JobsFor(d, event, syncqueue.Timing{}, w.now)
	}
	r, err := w.db.Push(w.t.Context(), e, jobs...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Delivery
}

// created is the event of a new repository.
func created(id, path string) providers.Event {
	return providers.Event{
		Name: "repository.created", Effect: providers.EffectRepo,
		Repo: &providers.Repo{ID: id, Path: path, Org: providers.Org{ID: "5", Name: "acme"}}, Org: providers.Org{ID: "5", Name: "acme"},
	}
}

// work runs every job that is due: it completes with the outcome, or is buried
// with an error.
func (w *world) work(o syncqueue.Outcome, cause error) {
	w.t.Helper()
	ctx := w.t.Context()
	for {
		s, err := w.db.Stats(ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if s.Jobs[syncqueue.Ready] == 0 {
			return
		}
		l, err := w.db.Lease(ctx, time.Minute, syncqueue.Filter{})
		if err == nil && cause != nil {
			err = w.db.Bury(ctx, l, cause)
		} else if err == nil {
			_, err = w.db.Complete(ctx, l, o)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) jobs(state syncqueue.State) int {
	w.t.Helper()
	s, err := w.db.Stats(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Jobs[state]
}

var errBroken = errors.New("the forge is broken")
