package handlers

import (
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Public serves the listener that strangers reach: POST /hooks/{provider}, POST
// /targets/{target}/events and GET /livez, and nothing else. A verified delivery is answered 202 only after
// it was committed and synced together with its jobs.
func Public(in Intake) http.Handler {
	if in.Log == nil {
		in.Log = slog.New(slog.DiscardHandler)
	}
	if in.Draining == nil {
		in.Draining = func() bool { return false }
	}
	if in.Announcers == nil {
		in.Announcers = func() map[string]Announcer { return nil }
	}
	rc := &receiver{Intake: in, bodies: newBodyReader(in.MaxBody, in.Budget)}
	r := chi.NewRouter()
	r.Use(recovered(in.Log), bodyWithin(bodyTimeout), routeMethod)
	unrouted(r)
	// Every method, because an unknown provider or target is 404 whatever is
	// asked of it.
	r.HandleFunc("/hooks/{provider}", rc.receive)
	r.HandleFunc("/targets/{target}/events", rc.announced)
	r.Get("/livez", livez)
	return r
}
