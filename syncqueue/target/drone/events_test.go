package drone_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"net/http"
	"net/textproto"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/drone"
)

// eventsSecret is the DRONE_WEBHOOK_SECRET under which a Drone 2.28.1 sent what
// is in testdata/events.
const eventsSecret = "drone-says-who-came-in-0123456789"

func events(t testing.TB, now time.Time, keys ...string) *drone.Events {
	t.Helper()
	var raw [][]byte
	for _, k := range keys {
		raw = append(raw, []byte(k))
	}
	secrets, err := providers.NewSecrets(raw...)
	if err != nil {
		t.Fatal(err)
	}
	return drone.NewEvents(secrets, func() time.Time { return now })
}

// recorded is an announcement as it was received, and when.
func recorded(t testing.TB, name string) (http.Header, []byte, time.Time) {
	t.Helper()
	body, err := os.ReadFile("testdata/events/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/events/" + name + ".headers")
	if err != nil {
		t.Fatal(err)
	}
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(string(text) + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return http.Header(h), body, at
}

func TestWhatADroneSentIsUnderstood(t *testing.T) {
	for name, want := range map[string]struct{ event, login, ignored string }{
		"user_created":    {"user.created", "fnew1", ""},
		"user_deleted":    {"user.deleted", "", "no account"},
		"machine_created": {"user.created", "", "machine"},
		"repo_enabled":    {"repo.enabled", "", "from the forge"},
		"repo_disabled":   {"repo.disabled", "", "from the forge"},
		"build_created":   {"build.created", "", "a build"},
	} {
		t.Run(name, func(t *testing.T) {
			h, body, at := recorded(t, name)
			e := events(t, at.Add(time.Second), "the-secret-of-tomorrow", eventsSecret)
			if i, err := e.Verify(h, body); err != nil || i != 1 {
				t.Fatalf("verified by secret %d, %v", i, err)
			}
			ev, err := e.Parse(body)
			if ev.Name != want.event {
				t.Errorf("event %q, want %q", ev.Name, want.event)
			}
			var ignored *providers.Ignored
			switch {
			case want.ignored != "":
				if !errors.As(err, &ignored) || !strings.Contains(ignored.Reason, want.ignored) {
					t.Errorf("got %v, want it ignored", err)
				}
			case err != nil || ev.User.Login != want.login || ev.User.ID != "" || ev.Effect != providers.EffectUser:
				t.Errorf("got %+v, %v", ev, err)
			}
		})
	}
}

func TestAnAnnouncementThatIsNotAuthenticIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(h http.Header, body []byte, at *time.Time) []byte{
		"no signature": func(h http.Header, b []byte, _ *time.Time) []byte { h.Del("Signature"); return b },
		"no digest":    func(h http.Header, b []byte, _ *time.Time) []byte { h.Del("Digest"); return b },
		"no date":      func(h http.Header, b []byte, _ *time.Time) []byte { h.Del("Date"); return b },
		"another body": func(_ http.Header, b []byte, _ *time.Time) []byte { return append(b, ' ') },
		"another date": func(h http.Header, b []byte, at *time.Time) []byte {
			h.Set("Date", at.Add(time.Second).UTC().Format(http.TimeFormat))
			return b
		},
		"too old": func(_ http.Header, b []byte, at *time.Time) []byte {
			*at = at.Add(5*time.Minute + time.Second)
			return b
		},
		"of the future": func(_ http.Header, b []byte, at *time.Time) []byte {
			*at = at.Add(-5*time.Minute - time.Second)
			return b
		},
		"less is signed": func(h http.Header, b []byte, _ *time.Time) []byte { replace(h, "date digest", "date"); return b },
		"another algorithm": func(h http.Header, b []byte, _ *time.Time) []byte {
			replace(h, "hmac-sha256", "hmac-sha1")
			return b
		},
		"cut signature": func(h http.Header, b []byte, _ *time.Time) []byte { replace(h, "bFIS", ""); return b },
		"no base64":     func(h http.Header, b []byte, _ *time.Time) []byte { replace(h, "bFIS", "!!!!"); return b },
		"other's signature": func(h http.Header, b []byte, _ *time.Time) []byte {
			h.Set("Signature", `keyId="hmac-key",algorithm="hmac-sha256",signature="`+base64.StdEncoding.EncodeToString(make([]byte, 32))+`",headers="date digest"`)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, body, at := recorded(t, "user_created")
			body = spoil(h, body, &at)
			if _, err := events(t, at, eventsSecret).Verify(h, body); !errors.Is(err, providers.ErrSignature) {
				t.Errorf("got %v", err)
			}
		})
	}
	h, body, at := recorded(t, "user_created")
	if _, err := events(t, at, "the-secret-of-another").Verify(h, body); !errors.Is(err, providers.ErrSignature) {
		t.Errorf("another secret: %v", err)
	}
}

func replace(h http.Header, old, new string) {
	h.Set("Signature", strings.Replace(h.Get("Signature"), old, new, 1))
}

func TestAnAnnouncementWithoutAUserIsMalformed(t *testing.T) {
	e := events(t, time.Now(), eventsSecret)
	for _, body := range []string{
		`null`, `7`, `[]`, `{}`, `{"event":1}`, `{"event":"user","action":"created"}`,
		`{"event":"user","action":"created","user":{"login":""}}`,
		`{"event":"user","action":"created","user":{"login":"../repos"}}`,
		`{"event":"user","action":"created","user":{"login":"a\u0000b"}}`,
	} {
		if ev, err := e.Parse([]byte(body)); !errors.Is(err, providers.ErrMalformed) {
			t.Errorf("%s: %+v, %v", body, ev, err)
		}
	}
	// Whatever else Drone may come to say of a user, he is to be looked at again.
	if ev, err := e.Parse([]byte(`{"event":"user","action":"merged","user":{"login":"ana"}}`)); err != nil || ev.User.Login != "ana" {
		t.Errorf("unheard-of action: %+v, %v", ev, err)
	}
}

func FuzzAnnouncement(f *testing.F) {
	for _, name := range []string{"user_created", "user_deleted", "repo_enabled"} {
		h, body, _ := recorded(f, name)
		f.Add(h.Get("Signature"), h.Get("Date"), h.Get("Digest"), body)
	}
	e := events(f, time.Date(2026, 11, 23, 1, 3, 10, 0, time.UTC), "the-secret-of-another")
	f.Fuzz(func(t *testing.T, signature, date, digest string, body []byte) {
		if _, err := e.Verify(http.Header{"Signature": {signature}, "Date": {date}, "Digest": {digest}}, body); err == nil {
			t.Error("verified what nobody signed")
		}
		if ev, err := e.Parse(body); err == nil && (ev.User == nil || ev.User.Login == "") {
			t.Errorf("%s names nobody", body)
		}
	})
}
