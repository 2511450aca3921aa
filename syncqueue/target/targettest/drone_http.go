package targettest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dchest/authcookie"
)

// index is what Drone answers, with status 200, to every path that it does not
// know (source: handler/web/pages.go); below /api it is a plain 404 (measured).
const index = `<!DOCTYPE html><html lang="en"><head><title>Drone</title></head><body><div id="root"></div></body></html>`

func (d *Drone) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("OK")) })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"version": "2.28.1"})
	})
	mux.HandleFunc("GET /api/user", d.user(func(w http.ResponseWriter, _ *http.Request, u droneUser) { answer(w, http.StatusOK, u) }))
	mux.HandleFunc("GET /api/user/repos", d.user(d.ownRepos))
	mux.HandleFunc("POST /api/user/repos", d.user(d.ownSync))
	mux.HandleFunc("GET /api/user/remote/repos", d.user(d.remoteRepos))
	mux.HandleFunc("GET /api/users", d.admin(d.listUsers))
	mux.HandleFunc("POST /api/users", d.admin(d.newUser))
	mux.HandleFunc("GET /api/users/{user}", d.admin(d.findUser))
	mux.HandleFunc("PATCH /api/users/{user}", d.admin(d.patchUser))
	mux.HandleFunc("GET /api/users/{user}/repos", d.admin(d.userRepos))
	mux.HandleFunc("GET /api/repos", d.admin(d.allRepositories))
	mux.HandleFunc("GET /api/repos/{owner}/{name}", d.findRepository)
	mux.HandleFunc("PATCH /api/repos/{owner}/{name}", d.patchRepository)
	mux.HandleFunc("POST /api/repos/{owner}/{name}", d.enableRepository)
	mux.HandleFunc("DELETE /api/repos/{owner}/{name}", d.disableRepository)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			http.NotFound(w, r)
			return
		}
		page(w, http.StatusOK, index)
	})
	return mux
}

// droneWords are what Drone says of faults itself. It knows nobody while its
// database does not answer (source: session/session.go).
type droneWords struct{}

func (droneWords) internal(w http.ResponseWriter) {
	fail(w, http.StatusInternalServerError, "database is locked")
}

func (droneWords) stranger(w http.ResponseWriter) { fail(w, http.StatusUnauthorized, "Unauthorized") }

func (droneWords) emptyList(w http.ResponseWriter) {
	answer(w, http.StatusOK, []droneRepo{})
}
func (droneWords) truncated() string { return `[{"id":1,"uid":"1","slug":"acme/one"},{"id":2,"ui` }
func (droneWords) index() string     { return index }

// viewer finds who asks. A header goes before a cookie, though it be wrong; a
// session names a login and a time, and is good for an inactive user too (source:
// session/session.go:69). The row is a copy, read before the handler runs.
func (d *Drone) viewer(r *http.Request) (droneUser, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := r.Header.Get("Authorization"); h != "" {
		return d.findToken(strings.TrimPrefix(h, "Bearer "))
	}
	c, err := r.Cookie("_session_")
	if err != nil {
		return droneUser{}, false
	}
	login, until, err := authcookie.Parse(c.Value, []byte(d.opt.Cookies))
	if err != nil || until.Before(d.opt.Now()) {
		return droneUser{}, false
	}
	d.sessions = append(d.sessions, Session{Login: login, For: until.Sub(d.opt.Now())})
	return d.findLogin(login)
}

// A Session is one request that came with a session.
type Session struct {
	Login string
	For   time.Duration // how long it was still good
}

// Sessions lists the sessions that came, in their order.
func (d *Drone) Sessions() []Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sessions)
}

func (d *Drone) user(h func(http.ResponseWriter, *http.Request, droneUser)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, ok := d.viewer(r)
		if !ok {
			fail(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		h(w, r, u)
	}
}

func (d *Drone) admin(h http.HandlerFunc) http.HandlerFunc {
	return d.user(func(w http.ResponseWriter, r *http.Request, u droneUser) {
		if !u.Admin {
			fail(w, http.StatusForbidden, "Forbidden")
			return
		}
		h(w, r)
	})
}

func (d *Drone) ownRepos(w http.ResponseWriter, _ *http.Request, u droneUser) {
	d.mu.Lock()
	list := d.listOf(u.ID)
	d.mu.Unlock()
	answer(w, http.StatusOK, list)
}

// ownSync is the Sync button. Asynchronously it hides every error; else it ends
// with its caller (source: handler/api/user/sync.go:29).
func (d *Drone) ownSync(w http.ResponseWriter, r *http.Request, u droneUser) {
	if r.FormValue("async") == "true" {
		d.work.Go(func() { _ = d.sync(d.serve, u) })
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if err := d.sync(r.Context(), u); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	d.ownRepos(w, r, u)
}

func (d *Drone) remoteRepos(w http.ResponseWriter, r *http.Request, u droneUser) {
	list, err := d.remote(r.Context(), &u)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, http.StatusOK, list)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller is gone
}

func fail(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}

func page(w http.ResponseWriter, status int, html string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html))
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
