package dashboard_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/handlers"
)

func TestStrangersReadOnlyTheFormToSignIn(t *testing.T) {
	w := newWorld(t)
	w.push("g1", created("1", "acme/secret-plan"))
	b := w.browser()
	for _, target := range []string{"/", "/?delivery=01A", "/?provider=git"} {
		page := b.page(target)
		if strings.Contains(page, "secret-plan") || strings.Contains(page, "git") || !strings.Contains(page, `name="token"`) {
			t.Errorf("%s shows a stranger\n%s", target, page)
		}
	}
	b.cookies["hookd-8081"] = "made-up"
	if page := b.page("/"); !strings.Contains(page, `name="token"`) {
		t.Errorf("a made-up cookie shows\n%s", page)
	}
}

func TestWrongTokensAreRefusedAndNotRepeated(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	for _, token := range []string{"", "x", tokens["admin"] + "x", tokens["admin"][:10], strings.Repeat("x", 8000), "\x00"} {
		rec := b.post("/dashboard/sign-in", url.Values{"token": {token}})
		if rec.Code != http.StatusUnauthorized || len(b.set) > 0 || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%.20q: %d %v", token, rec.Code, b.set)
		}
		if len(token) > 5 && strings.Contains(rec.Body.String()+w.log.String(), token) {
			t.Errorf("%.20q is repeated", token)
		}
	}
	if rec := b.post("/dashboard/sign-in", url.Values{"token": {strings.Repeat("x", 20_000)}}); rec.Code != http.StatusBadRequest {
		t.Errorf("a form too large: %d", rec.Code)
	}
	if rec := b.get("/dashboard/sign-in?token=" + tokens["admin"]); rec.Code != http.StatusMethodNotAllowed || len(b.set) > 0 {
		t.Errorf("a token in an address: %d", rec.Code)
	}
}

func TestAFloodOfWrongTokensIsCutButNoRightOne(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	var rec *httptest.ResponseRecorder
	for range 301 {
		rec = b.post("/dashboard/sign-in", url.Values{"token": {"wrong"}})
	}
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") == "" {
		t.Errorf("after the flood: %d", rec.Code)
	}
	w.signedIn("viewer")
	w.now = w.now.Add(time.Minute)
	if rec := b.post("/dashboard/sign-in", url.Values{"token": {"wrong"}}); rec.Code != http.StatusUnauthorized {
		t.Errorf("a minute later: %d", rec.Code)
	}
}

func TestTheCookieIsStrict(t *testing.T) {
	w := newWorld(t)
	sign := func(host, origin string, https bool) *http.Cookie {
		t.Helper()
		b := w.browser()
		b.host = host
		r := httptest.NewRequest(http.MethodPost, "/dashboard/sign-in", strings.NewReader("token="+tokens["viewer"]))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		if https {
			r.TLS = &tls.ConnectionState{}
		}
		if rec := b.do(r); rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/" || len(b.set) != 1 {
			t.Fatalf("%s: %d %s", host, rec.Code, rec.Body)
		}
		return b.set[0]
	}
	for _, c := range []struct {
		host, origin string
		https        bool
		name         string
		secure       bool
	}{
		{"127.0.0.1:8081", "http://127.0.0.1:8081", false, "hookd-8081", false},
		{"[::1]:9", "", false, "hookd-9", false},
		{"admin.example.com", "", true, "__Host-hookd", true},
		{"admin.example.com", "https://admin.example.com", false, "__Host-hookd", true},
		{"hookd.example.com", "", false, "__Host-hookd", true}, // public_url
		{"hookd.internal:8081", "http://hookd.internal:8081", false, "hookd-8081", false},
	} {
		got := sign(c.host, c.origin, c.https)
		if got.Name != c.name || got.Secure != c.secure || !got.HttpOnly || got.SameSite != http.SameSiteStrictMode || got.Path != "/" || got.Domain != "" || len(got.Value) < 26 {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if a, b := sign("h", "", false), sign("h", "", false); a.Value == b.Value {
		t.Error("two sessions have one name")
	}
}

func TestASecureCookieOpensThePage(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.host, b.header = "admin.example.com", http.Header{"Origin": {"https://admin.example.com"}}
	b.post("/dashboard/sign-in", url.Values{"token": {tokens["viewer"]}})
	if page := b.page("/"); !strings.Contains(page, "vera") {
		t.Errorf("%s", page)
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("viewer")
	kept := b.cookies["hookd-8081"]
	page := b.page("/")
	if !strings.Contains(page, "vera") {
		t.Fatalf("%s", page)
	}
	if out := b.press(page, "/sign-out"); !strings.Contains(out, `name="token"`) || len(b.cookies) != 0 {
		t.Errorf("%v %s", b.cookies, out)
	}
	b.cookies["hookd-8081"] = kept
	if strings.Contains(b.page("/"), "vera") {
		t.Error("the cookie opens the page after signing out")
	}
}

func TestSigningInAgainEndsTheFirstSession(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("viewer")
	first := b.cookies["hookd-8081"]
	b.post("/dashboard/sign-in", url.Values{"token": {tokens["operator"]}})
	if second := b.cookies["hookd-8081"]; second == first || !strings.Contains(b.page("/"), "olga") {
		t.Error("the session is the old one")
	}
	b.cookies["hookd-8081"] = first
	if strings.Contains(b.page("/"), "vera") {
		t.Error("the first session goes on")
	}
}

func TestASessionEndsWithItsToken(t *testing.T) {
	for what, change := range map[string]func(*handlers.Token){
		"removed": func(t *handlers.Token) {
			*t = handlers.Token{Name: "other", Role: handlers.Operator, Secret: []byte("another-secret-01")}
		},
		"demoted": func(t *handlers.Token) { t.Role = handlers.Viewer },
		"rotated": func(t *handlers.Token) { t.Secret = []byte("token-of-olga-4567") },
	} {
		w := newWorld(t)
		b := w.signedIn("operator")
		page := b.page("/")
		change(&w.tokens[1])
		if !strings.Contains(b.page("/"), `name="token"`) {
			t.Errorf("the token was %s, the session goes on", what)
		}
		if rec := b.post(b.form(page, "/sign-out")); rec.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, rec.Code)
		}
	}
}

func TestASessionEndsAfterTwelveIdleHours(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("viewer")
	for range 3 {
		w.now = w.now.Add(12*time.Hour - time.Second)
		if !strings.Contains(b.page("/"), "vera") {
			t.Fatal("a session in use ended")
		}
	}
	w.now = w.now.Add(12 * time.Hour)
	if strings.Contains(b.page("/"), "vera") {
		t.Error("an idle session goes on")
	}
}

// A page that was left open loads itself for ever.
func TestLoadingByItselfIsNobodysDoing(t *testing.T) {
	w := newWorld(t)
	b := w.signedIn("viewer")
	for range 13 {
		w.now = w.now.Add(59 * time.Minute)
		if page := b.page("/?every=30"); w.now.Hour() < 15 && !strings.Contains(page, `http-equiv="refresh" content="30"`) {
			t.Fatalf("%s", page)
		}
	}
	if page := b.page("/?every=30"); strings.Contains(page, "vera") || strings.Contains(page, "refresh") {
		t.Error("the session of a page that nobody looked at goes on")
	}
}

func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	first := w.signedIn("viewer")
	w.now = w.now.Add(time.Second)
	second := w.signedIn("viewer")
	w.now = w.now.Add(time.Second)
	for range 998 {
		w.signedIn("viewer")
	}
	if !strings.Contains(first.page("/"), "vera") {
		t.Fatal("a thousand sessions are too many")
	}
	w.now = w.now.Add(time.Second)
	w.signedIn("viewer")
	if strings.Contains(second.page("/"), "vera") {
		t.Error("the session idle for longest goes on beside a thousand others")
	}
	if !strings.Contains(first.page("/"), "vera") {
		t.Error("a session used since ended")
	}
}
