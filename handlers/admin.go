package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"

	"github.com/hookd/hookd/storage"
)

const (
	failuresPerMinute = 300 // of authentication, for each remote address
	replaysPerMinute  = 600 // for each token
)

// api serves the admin listener.
type api struct {
	Admin
	steering Steering
	failures *httprate.RateLimiter
	dry      sync.Mutex // held by the dry run that is going on
}

// AdminAPI serves the admin listener. Every route names the role it asks for;
// health, version, metrics and the description of the API need none, and the
// page asks for itself.
func AdminAPI(a Admin) http.Handler {
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	if a.Ready == nil {
		a.Ready = func(context.Context) []Check { return nil }
	}
	if a.Draining == nil {
		a.Draining = func() bool { return false }
	}
	if a.Backfill == nil {
		a.Backfill = func(context.Context, string, time.Time) ([]Backfill, error) { return nil, nil }
	}
	if a.Backup == nil {
		a.Backup = func(context.Context) (storage.Backup, error) { return nil, conflict("this store cannot be copied") }
	}
	s := &api{Admin: a, steering: a.Steering(), failures: httprate.NewRateLimiter(failuresPerMinute, time.Minute, onlyRetryAfter, tooMany)}

	// A browser that is signed in somewhere must not be made to act here.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusForbidden, "cross-origin requests may not change anything")
	}))
	return guard.Handler(s.routes())
}

var (
	onlyRetryAfter = httprate.WithResponseHeaders(httprate.ResponseHeaders{RetryAfter: "Retry-After"})
	tooMany        = httprate.WithLimitHandler(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusTooManyRequests, "too many of these in a minute")
	})
)

// routes is every route of the listener with the role it asks for.
func (s *api) routes() chi.Router {
	replays := httprate.LimitBy(replaysPerMinute, time.Minute, tokenName, onlyRetryAfter, tooMany)
	r := chi.NewRouter()
	r.Use(recovered(s.Log), bodyWithin(bodyTimeout), routeMethod)
	unrouted(r)
	viewer, operator, admin := r.With(s.need(Viewer)), r.With(s.need(Operator)), r.With(s.need(Administrator))

	viewer.Get("/api/v1/deliveries", s.listDeliveries)
	viewer.Get("/api/v1/deliveries/{id}", s.showDelivery)
	operator.Get("/api/v1/deliveries/{id}/body", s.deliveryBody)
	operator.With(replays).Post("/api/v1/deliveries/{id}/replay", s.replayOne)
	operator.With(replays).Post("/api/v1/replays", s.replayMany)
	operator.Post("/api/v1/backfills", s.backfill)

	viewer.Get("/api/v1/jobs", s.listJobs)
	viewer.Get("/api/v1/jobs/{id}", s.showJob)
	operator.Delete("/api/v1/jobs/{id}", s.dropJob)
	operator.Post("/api/v1/jobs/{id}/retry", s.retryJob)
	operator.With(replays).Post("/api/v1/reconcile", s.reconcile)
	operator.Post("/api/v1/queue/pause", s.pause(true))
	operator.Post("/api/v1/queue/resume", s.pause(false))

	viewer.Get("/api/v1/users", s.listUsers)
	viewer.Get("/api/v1/users/{provider}/{login}/repos", s.listUserRepos)
	operator.Post("/api/v1/users/{provider}/{login}/sync", s.syncUser)
	viewer.Get("/api/v1/repos", s.listRepos)
	viewer.Get("/api/v1/repos/{provider}/*", s.showRepo)
	viewer.Get("/api/v1/why", s.why)
	viewer.Get("/api/v1/stats/visible", s.visibleStats)

	viewer.Get("/api/v1/events", s.events)
	viewer.Get("/api/v1/coverage", s.coverage)
	viewer.Get("/api/v1/providers", s.listProviders)
	viewer.Get("/api/v1/targets", s.listTargets)

	admin.Post("/api/v1/db/backup", s.backup)

	r.Get("/api/v1/openapi.yaml", serveOpenAPI)
	r.Get("/livez", livez)
	r.Get("/readyz", s.readyz)
	r.Get("/healthz", s.readyz)
	r.Get("/version", s.version)
	r.Method(http.MethodGet, "/metrics", s.Metrics.Handler())

	if s.Page != nil {
		for _, path := range []string{"/", "/favicon.ico", "/link", "/dashboard", "/dashboard/*"} {
			r.Handle(path, s.Page)
		}
	}
	return r
}
