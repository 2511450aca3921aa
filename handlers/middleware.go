package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// bodyTimeout is how long a request may take to send its body.
const bodyTimeout = 10 * time.Second

// recovered turns a panic into a 500. The request is logged without its body,
// query and headers, since those may hold secrets.
func recovered(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				log.Error("panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				w.Header().Set("Connection", "close")
				writeProblem(w, http.StatusInternalServerError, "see the log of hookd")
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// bodyWithin bounds the time in which a body must arrive, also one that no
// handler reads: the server itself drains it after the answer.
func bodyWithin(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 0 {
				// Only a test's recorder has no deadline to set.
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(d))
			}
			next.ServeHTTP(w, r)
		})
	}
}

// methods are those that any route of hookd answers.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodDelete}

// routeMethod lets chi route HEAD as GET, and methods that it has never heard
// of like those that no route has, so that 404 goes before 405 for them too.
func routeMethod(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rctx := chi.RouteContext(r.Context())
		switch {
		case r.Method == http.MethodHead:
			rctx.RouteMethod = http.MethodGet
		case !slices.Contains(methods, r.Method):
			rctx.RouteMethod = http.MethodTrace
		}
		next.ServeHTTP(w, r)
	})
}

// unrouted makes r answer what it has no route for with a problem, and 405 with
// what the path does allow.
func unrouted(r chi.Router) {
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusNotFound, "nothing is served here")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		path := req.URL.EscapedPath()
		var allow []string
		for _, m := range methods {
			if r.Match(chi.NewRouteContext(), m, path) {
				allow = append(allow, m)
			}
		}
		refuseMethod(w, allow...)
	})
}

func refuseMethod(w http.ResponseWriter, allow ...string) {
	if slices.Contains(allow, http.MethodGet) {
		allow = append(allow, http.MethodHead)
	}
	list := strings.Join(allow, ", ")
	w.Header().Set("Allow", list)
	writeProblem(w, http.StatusMethodNotAllowed, "allowed here: "+list)
}
