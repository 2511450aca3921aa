package handlers

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Public serves the listener that strangers reach: POST /hooks/{provider} and
// GET /livez, and nothing else. A verified delivery is answered 202 only after
// it was committed and synced together with its jobs.
func Public(in Intake) http.Handler {
	if in.Log == nil {
		in.Log = slog.New(slog.DiscardHandler)
	}
	if in.Draining == nil {
		in.Draining = func() bool { return false }
	}
	rc := &receiver{Intake: in, bodies: newBodyReader(in.MaxBody, in.Budget)}
	r := chi.NewRouter()
	r.Use(recovered(in.Log), bodyWithin(bodyTimeout), routeMethod)
	unrouted(r)
	// Every method, because an unknown provider is 404 whatever is asked of it.
	r.HandleFunc("/hooks/{provider}", rc.receive)
	r.Get("/livez", livez)
	return r
}
