package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var ranks = []string{"", "viewer", "operator", "admin"}

func rank(role string) int {
	for i, r := range ranks {
		if r == role {
			return i
		}
	}
	return -1
}

// TestEveryRouteAsksForItsRole tries each described operation with every role:
// nobody and strangers read 401, the lower roles 403, and the others neither.
func TestEveryRouteAsksForItsRole(t *testing.T) {
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	n := 0
	for path, item := range doc.Paths.Map() {
		if strings.HasPrefix(path, "/hooks/") {
			continue
		}
		target := strings.NewReplacer("{provider}", "a", "{login}", "ana", "{owner}", "acme", "{name}", "app", "{id}", "01ARZ").Replace(path)
		for method, op := range item.Operations() {
			n++
			need, _ := op.Extensions["x-role"].(string)
			if open := op.Security != nil && len(*op.Security) == 0; open != (need == "") {
				t.Errorf("%s %s: x-role is %q", method, path, need)
			}
			for _, role := range ranks {
				rec, _ := w.call(role, method, target, "")
				refused := rec.Code == http.StatusUnauthorized || rec.Code == http.StatusForbidden
				switch {
				case need != "" && role == "":
					if rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") == "" {
						t.Errorf("%s %s without a token: %d", method, path, rec.Code)
					}
				case rank(role) < rank(need):
					if rec.Code != http.StatusForbidden {
						t.Errorf("%s %s as %s: %d", method, path, role, rec.Code)
					}
				case refused:
					t.Errorf("%s %s as %q: %d, though %q is enough", method, path, role, rec.Code, need)
				}
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d operations were tried", n)
	}
}

func TestStrangersReadTheSame401(t *testing.T) {
	w := newWorld(t)
	for _, auth := range []string{
		"", "Bearer", "Bearer ", "Bearer x", "Basic " + roleTokens["admin"], roleTokens["admin"],
		"Bearer " + roleTokens["admin"] + "x", "Bearer " + strings.ToUpper(roleTokens["admin"]), "Bearer \x00",
		"Bearer " + roleTokens["admin"][:10], "Bearer " + strings.Repeat("x", 8000),
	} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/jobs", nil)
		r.Header.Set("Authorization", auth)
		rec := httptest.NewRecorder()
		w.admin.ServeHTTP(rec, r)
		checkAnswer(t, r, rec)
		if rec.Code != http.StatusUnauthorized || rec.Header().Get("WWW-Authenticate") != `Bearer realm="hookd"` {
			t.Errorf("%.40q: %d %v", auth, rec.Code, rec.Header())
		}
	}
	if strings.Contains(w.log.String(), "token-of-") {
		t.Error("the log holds a token")
	}
}

func TestTheSchemeIsNotCaseSensitive(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/jobs", nil)
	r.Header.Set("Authorization", "bearer "+roleTokens["viewer"])
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Error(rec.Code)
	}
}

// TestFloodsOfBadTokensAreCutShort and lock nobody out who has a good one.
func TestFloodsOfBadTokensAreCutShort(t *testing.T) {
	w := newWorld(t)
	try := func(addr, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/jobs", nil)
		r.RemoteAddr = addr
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		w.admin.ServeHTTP(rec, r)
		checkAnswer(t, r, rec)
		return rec
	}
	for i := range 300 {
		if rec := try("192.0.2.1:1000", fmt.Sprint("wrong", i)); rec.Code != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, rec.Code)
		}
	}
	rec := try("192.0.2.1:2000", "wrong")
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("after the flood: %d %v", rec.Code, rec.Header())
	}
	if rec := try("192.0.2.2:1000", "wrong"); rec.Code != http.StatusUnauthorized {
		t.Errorf("from elsewhere: %d", rec.Code)
	}
	if rec := try("192.0.2.1:3000", roleTokens["viewer"]); rec.Code != http.StatusOK {
		t.Errorf("a good token from there: %d", rec.Code)
	}
}

func TestAnotherSitesPageMayNotChangeAnything(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/queue/pause", nil)
	r.Header.Set("Authorization", "Bearer "+roleTokens["admin"])
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, r)
	checkAnswer(t, r, rec)
	if s, _ := w.db.Stats(t.Context()); rec.Code != http.StatusForbidden || s.Paused {
		t.Errorf("%d, paused %v", rec.Code, s.Paused)
	}
}

func TestWhatChangesSomethingIsLoggedWithItsToken(t *testing.T) {
	w := newWorld(t)
	w.call("operator", http.MethodPost, "/api/v1/queue/pause", "")
	w.call("viewer", http.MethodPost, "/api/v1/queue/resume", "")
	w.call("viewer", http.MethodGet, "/api/v1/jobs", "")
	log := w.log.String()
	if !strings.Contains(log, "msg=audit token=olga role=operator method=POST path=/api/v1/queue/pause") ||
		!strings.Contains(log, "msg=denied token=vera") || strings.Count(log, "token=") != 2 {
		t.Errorf("log: %s", log)
	}
}

func TestUnknownPathsAreProblems(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"GET", "/", 404, ""},
		{"GET", "/api/v1", 404, ""},
		{"GET", "/api/v1/nowhere", 404, ""},
		{"POST", "/api/v1/nothing", 404, ""},
		{"POST", "/hooks/a", 404, ""},
		{"BREW", "/api/v1/nothing", 404, ""},
		{"BREW", "/api/v1/jobs/x", 405, "GET, DELETE, HEAD"},
		{"POST", "/api/v1/deliveries", 405, "GET, HEAD"},
		{"GET", "/api/v1/replays", 405, "POST"},
		{"PUT", "/livez", 405, "GET, HEAD"},
	} {
		rec, _ := w.call("admin", c.method, c.path, "")
		if rec.Code != c.want || rec.Header().Get("Content-Type") != "application/problem+json" || rec.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %v", c.method, c.path, rec.Code, rec.Header())
		}
	}
}
