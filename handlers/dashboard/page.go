// Package dashboard is the page for people on the admin listener: deliveries
// with a button to have each again, what waits for somebody, and how long
// changes took to show. It is rendered here and works without scripts; what it
// does, it does through the same steering as the API.
//
//	GET  /                                   the page, or the form to sign in
//	GET  /dashboard/why                      why a user sees a repository, or does not
//	GET, POST /link                          a user hands over his token for a CI server
//	GET  /dashboard/events                   tells a page that asked for it when to load again
//	POST /dashboard/sign-in, …/sign-out      a token becomes a session, and ends it
//	POST /dashboard/deliveries/{id}/redeliver
//	POST /dashboard/jobs/{id}/retry, …/drop
//	POST /dashboard/causes/retry, …/drop     every job stuck for one cause
//
// Every name on it was chosen by a stranger. The templates escape them, print
// shows what would not be seen, and the policy of each answer lets a browser
// run nothing at all, but for one small script on a page that loads itself.
package dashboard

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookd/hookd/handlers/why"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Config is what the page needs.
type Config struct {
	Journal   syncqueue.Journal
	Console   syncqueue.Console
	Catalogue storage.Catalogue
	Visibles  storage.Visibles
	Steering  Steering
	Gate      Gate

	// Why explains why a user sees a repository, or does not, without asking a
	// forge. A *why.UnknownError says whom or what nobody knows.
	Why func(ctx context.Context, q why.Question) (why.Answer, error)

	// Events answers with what happens, as server-sent events, until the client
	// goes or may no longer listen, which still is asked again and again. May be
	// nil: then no page loads itself when something happened.
	Events func(w http.ResponseWriter, r *http.Request, still func() bool)

	// Credential is the state of a user's credential, as in the API: ok,
	// missing, rejected, unknown, or "".
	Credential func(provider, login string) string
	// MustLogIn names the targets that a user has to log in to, as in the API.
	MustLogIn func(provider, login string) []string
	Providers []string  // the configured ones
	Linkings  []Linking // the CI servers whose users may link their tokens
	PublicURL string    // where strangers reach hookd, may be empty

	Log *slog.Logger // may be nil
	Now func() time.Time
}

// Steering does what the buttons say. It does not ask who may.
type Steering interface {
	// Redeliver pushes a delivery's jobs as if it came now, and counts them.
	Redeliver(ctx context.Context, id string) (jobs int, err error)
	// Retry makes a waiting, parked or dead job due now.
	Retry(ctx context.Context, id string) (syncqueue.Job, error)
	// Drop ends a job that does not run.
	Drop(ctx context.Context, id string) error
	// RetryAll and DropAll count what they did, and leave out what has ended or
	// begun to run meanwhile.
	RetryAll(ctx context.Context, ids []string) (done int, err error)
	DropAll(ctx context.Context, ids []string) (done int, err error)
	// Explain returns what an error means to the caller: a status of HTTP, and
	// words without anything of the store's insides.
	Explain(err error) (status int, detail string)
}

// Gate knows the admin tokens.
type Gate interface {
	// Enter returns a pass for whoever knows a token's secret. It compares in
	// constant time.
	Enter(secret string) (pass string, ok bool)
	// Look tells whose a pass is and whether he may change anything; not ok as
	// soon as the token was removed, or its role or secret changed.
	Look(pass string) (name, role string, acts, ok bool)
}

const (
	maxForm           = 16 << 10 // bytes
	refusalsPerMinute = 300      // of signing in, for each remote address
	actionsPerMinute  = 600      // for each token
)

// page serves the dashboard.
type page struct {
	Config
	sessions sessions
	refusals meter
	actions  meter
	linkings meter
	routes   http.Handler
	links    links
}

// New returns the handler of /, of /link and of everything below /dashboard.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	p := &page{
		Config: c, links: newLinks(),
		refusals: meter{most: refusalsPerMinute}, actions: meter{most: actionsPerMinute}, linkings: meter{most: linksPerMinute},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.overview)
	mux.HandleFunc("GET /dashboard/why", p.why)
	mux.HandleFunc("GET /link", p.showLink)
	mux.HandleFunc("POST /link", p.link)
	mux.HandleFunc("POST /dashboard/sign-in", p.signIn)
	mux.HandleFunc("POST /dashboard/sign-out", p.signedIn(p.signOut))
	mux.HandleFunc("POST /dashboard/deliveries/{id}/redeliver", p.acting(p.redeliver))
	mux.HandleFunc("POST /dashboard/jobs/{id}/retry", p.acting(p.retryJob))
	mux.HandleFunc("POST /dashboard/jobs/{id}/drop", p.acting(p.dropJob))
	mux.HandleFunc("POST /dashboard/causes/retry", p.acting(p.retryCause))
	mux.HandleFunc("POST /dashboard/causes/drop", p.acting(p.dropCause))
	mux.HandleFunc("GET /dashboard/events", p.events)
	mux.HandleFunc("GET /dashboard/live.js", p.script)
	mux.HandleFunc("GET /dashboard/style.css", p.style)
	mux.HandleFunc("GET /dashboard/favicon.svg", p.favicon)
	mux.HandleFunc("GET /favicon.ico", p.favicon)
	home := http.RedirectHandler("/", http.StatusSeeOther)
	mux.Handle("GET /dashboard", home)
	mux.Handle("GET /dashboard/{$}", home)

	// The admin API has this guard too; whoever sets cookies must not rest on
	// that.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusForbidden, "This came from another site's page. Nothing was changed.")
	}))
	p.routes = guard.Handler(mux)
	return p
}

// policy lets a browser load the style sheet and pictures of this page and
// send its forms here, and nothing else: no script, not even an inline style.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// Not no-referrer: a browser would hide the origin of our own forms too, by
	// which the guard tells them from others.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p.routes.ServeHTTP(w, r)
}

// fail answers with a page that says what an error means.
func (p *page) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := p.Steering.Explain(err)
	if status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		p.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	p.refuse(w, status, "It did not work: "+detail+".")
}
