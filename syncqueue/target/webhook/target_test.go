package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
	"github.com/hookd/hookd/syncqueue/target/webhook"
)

const secret = "0123456789abcdef"

var (
	ana      = providers.User{ID: "7", Login: "ana"}
	at       = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	want     = target.Desired{
		Version: 12,
		Present: []providers.Access{{User: ana, Repo: providers.Repo{ID: "41", Path: "acme/app"}, Permission: providers.Admin}},
		Absent:  []providers.Access{{User: ana, Repo: providers.Repo{ID: "42", Path: "acme/old"}}},
	}
)

// service answers by what a test says and keeps the bodies whose signature is
// right.
type service struct {
	*httptest.Server
	mu     sync.Mutex // one message at a time
	answer func(http.ResponseWriter)
	taken  []target.Message
	bad    []string
}

func serve(t *testing.T) *service {
	s := &service{answer: func(http.ResponseWriter) {}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
		var m target.Message
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
			s.bad = append(s.bad, r.Method+" "+r.Header.Get("Content-Type"))
		case r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)):
			s.bad = append(s.bad, "signature "+r.Header.Get("webhook-signature"))
		case json.Unmarshal(body, &m) != nil || m.ID != id || fmt.Sprint(m.Timestamp.Unix()) != stamp:
			s.bad = append(s.bad, string(body))
		default:
			s.taken = append(s.taken, m)
		}
		s.answer(w)
	}))
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, url string, allow ...netip.Prefix) *webhook.Target {
	t.Helper()
	w, err := webhook.New(webhook.Config{Name: "portal", Provider: "git", URL: url, Secret: secret, Allow: allow, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestContract(t *testing.T) {
	targettest.RunTold(t, func(t *testing.T) (target.Target, *targettest.Receiver) {
		r, s := new(targettest.Receiver), serve(t)
		s.answer = func(w http.ResponseWriter) {
			if n := len(s.taken); n > 0 && !r.Take(s.taken[n-1]) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}
		return open(t, s.URL, loopback...), r
	})
}

func TestSignedMessageIsBelieved(t *testing.T) {
	s := serve(t)
	res, err := open(t, s.URL+"/in", loopback...).Sync(t.Context(), ana, want)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(res.Shown, []string{"41"}) || !slices.Equal(res.Gone, []string{"42"}) || !res.Settled() || !res.Synced {
		t.Errorf("got %+v", res)
	}
	if len(s.bad) > 0 || len(s.taken) != 1 {
		t.Fatalf("taken %v, refused %q", s.taken, s.bad)
	}
	if m := s.taken[0]; !strings.HasPrefix(m.ID, "portal.git.7.12.") || m.Type != "user.access" || m.Data.Present[0].Permission != "admin" || m.Data.Absent[0].Repo != "acme/old" {
		t.Errorf("told %+v", m)
	}
}

func TestTheSameIsToldOnce(t *testing.T) {
	s := serve(t)
	w := open(t, s.URL, loopback...)
	for range 3 {
		if _, err := w.Sync(t.Context(), ana, want); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.taken) != 1 {
		t.Errorf("told %d times", len(s.taken))
	}
	complete := want
	complete.Complete = true // of the same version
	forced := complete
	forced.Force = true
	for _, d := range []target.Desired{complete, forced} {
		if _, err := w.Sync(t.Context(), ana, d); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.taken) != 3 {
		t.Errorf("told %d times, want 3", len(s.taken))
	}
}

// A service that is restarted amid a message may have taken it or not.
func TestServiceThatGoesAwayAmidAMessageIsToldAgain(t *testing.T) {
	s := serve(t)
	s.answer = func(http.ResponseWriter) { panic(http.ErrAbortHandler) }
	w := open(t, s.URL, loopback...)
	if res, err := w.Sync(t.Context(), ana, want); err == nil {
		t.Fatalf("believed %+v of nobody", res)
	}
	s.mu.Lock()
	s.answer = func(http.ResponseWriter) {}
	s.mu.Unlock()
	if res, err := w.Sync(t.Context(), ana, want); err != nil || !res.Settled() {
		t.Errorf("afterwards: %+v, %v", res, err)
	}
	if len(s.taken) != 2 || s.taken[0].ID != s.taken[1].ID {
		t.Errorf("told %v, want one message twice", s.taken)
	}
}

func TestRefusalIsRepeated(t *testing.T) {
	s := serve(t)
	s.answer = func(w http.ResponseWriter) { http.Error(w, "not\x1b[2J now", http.StatusInternalServerError) }
	w := open(t, s.URL, loopback...)
	for range 2 {
		if _, err := w.Sync(t.Context(), ana, want); err == nil || !strings.Contains(err.Error(), `status 500: "not\x1b[2J now"`) {
			t.Errorf("got %v", err)
		}
	}
	if len(s.taken) != 2 || s.taken[0].ID != s.taken[1].ID {
		t.Errorf("a repetition has another id: %v", s.taken)
	}
}

func TestRetryAfterIsObeyedWithinReason(t *testing.T) {
	for value, wait := range map[string]time.Duration{
		"90": 90 * time.Second,
		at.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		"999999999": time.Hour,
	} {
		s := serve(t)
		s.answer = func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusTooManyRequests)
		}
		_, err := open(t, s.URL, loopback...).Sync(t.Context(), ana, want)
		var later *target.LaterError
		if !errors.As(err, &later) || !later.At.Equal(at.Add(wait)) {
			t.Errorf("%s: got %v, want to wait %v", value, err, wait)
		}
	}
	for _, value := range []string{"", "soon", "-5", at.Add(-time.Hour).Format(http.TimeFormat)} {
		s := serve(t)
		s.answer = func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, err := open(t, s.URL, loopback...).Sync(t.Context(), ana, want)
		var later *target.LaterError
		if err == nil || errors.As(err, &later) {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := serve(t)
	s := serve(t)
	s.answer = func(w http.ResponseWriter) {
		w.Header().Set("Location", elsewhere.URL)
		w.WriteHeader(http.StatusPermanentRedirect)
	}
	_, err := open(t, s.URL, loopback...).Sync(t.Context(), ana, want)
	if err == nil || !strings.Contains(err.Error(), "redirects are not followed") || len(elsewhere.taken)+len(elsewhere.bad) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestInnerNetworksAreRefusedUnlessAllowed(t *testing.T) {
	s := serve(t)
	named := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	for _, url := range []string{s.URL, named} {
		_, err := open(t, url).Sync(t.Context(), ana, want)
		if err == nil || !strings.Contains(err.Error(), "loopback address") || !strings.Contains(err.Error(), "allow") {
			t.Errorf("%s: got %v", url, err)
		}
	}
	if len(s.taken)+len(s.bad) > 0 {
		t.Error("the service was reached")
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy := serve(t)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _ = open(t, "http://hookd.invalid/", loopback...).Sync(ctx, ana, want)
	if len(proxy.taken)+len(proxy.bad) > 0 {
		t.Error("a proxy was asked, which would dial for us")
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for _, c := range []struct{ url, secret, says string }{
		{"ftp://x", secret, "http://"},
		{"http://ana:pw-of-ana@x", secret, "no user"},
		{"http://%zz-pw-of-ana", secret, "parsed"},
		{"http://x", "short", "too few"},
		{"http://x", "whsec_!!pw-of-ana", "base64"},
		{"http://x", "whsec_", "base64"},
	} {
		_, err := webhook.New(webhook.Config{URL: c.url, Secret: c.secret})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "pw-of-ana") {
			t.Errorf("%s %s: got %v", c.url, c.secret, err)
		}
	}
}

func TestProbeConnects(t *testing.T) {
	s := serve(t)
	w := open(t, s.URL, loopback...)
	s.answer = func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) }
	if v, err := w.Probe(t.Context()); err != nil || v == "" {
		t.Errorf("%q %v", v, err)
	}
	s.Close()
	if _, err := w.Probe(t.Context()); err == nil {
		t.Error("a service that is down answers")
	}
}
