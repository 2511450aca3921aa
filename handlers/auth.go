package handlers

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/go-chi/httprate"
)

func (r Role) String() string {
	switch r {
	case Viewer:
		return "viewer"
	case Operator:
		return "operator"
	case Administrator:
		return "admin"
	}
	return "none"
}

type tokenKey struct{}

// caller is the token that a request was let in with.
func caller(ctx context.Context) Token {
	t, _ := ctx.Value(tokenKey{}).(Token)
	return t
}

// tokenName is the caller's name, as a key for limits.
func tokenName(r *http.Request) (string, error) { return caller(r.Context()).Name, nil }

// need lets requests through whose token has at least the role. What changes
// anything is logged before it is done.
//
// Refusals are limited for each remote address; a valid token never is, so
// that nobody can lock operators out from behind the same proxy. Guessing is
// hopeless without that limit: it only keeps floods short.
func (s *api) need(role Role) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t, ok := s.identify(r)
			if !ok {
				s.unauthorized(w, r)
				return
			}
			changes := r.Method != http.MethodGet && r.Method != http.MethodHead
			if t.Role < role {
				s.Log.Warn("denied", "token", t.Name, "role", t.Role.String(), "method", r.Method, "path", r.URL.Path)
				writeProblem(w, http.StatusForbidden, "this asks for the role "+role.String()+"; the token has "+t.Role.String())
				return
			}
			if changes {
				s.Log.Info("audit", "token", t.Name, "role", t.Role.String(), "method", r.Method, "path", r.URL.Path, "query", r.URL.RawQuery, "remote", r.RemoteAddr)
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tokenKey{}, t)))
		})
	}
}

// identify finds the caller's token.
func (s *api) identify(r *http.Request) (Token, bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Token{}, false
	}
	return Gate{s.Tokens}.find(strings.TrimSpace(secret))
}

func (s *api) unauthorized(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		if s.failures.RespondOnLimit(w, r, remoteAddr(r)) {
			return
		}
		s.Log.Warn("admin token refused", "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr)
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="hookd"`)
	writeProblem(w, http.StatusUnauthorized, "send Authorization: Bearer and an admin token")
}

// remoteAddr is whom the connection comes from: a header that names somebody
// else could be written by anybody.
func remoteAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return httprate.CanonicalizeIP(host)
}
