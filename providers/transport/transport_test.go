package transport_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/transport"
)

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnOriginIsSchemeHostAndPort(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://git.example.com/x", "https://GIT.example.com:443/y", true},
		{"http://git.example.com", "http://git.example.com:80", true},
		{"https://git.example.com", "http://git.example.com", false},
		{"https://git.example.com", "https://git.example.com:8443", false},
		{"https://git.example.com", "https://git.example.com.evil.test", false},
		{"https://git.example.com", "https://evil.test/git.example.com", false},
	} {
		if got := transport.SameOrigin(parse(t, c.a), parse(t, c.b)); got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestATokenStaysWithinItsOrigin(t *testing.T) {
	origin := parse(t, "https://git.example.com/api")
	for to, stays := range map[string]bool{"https://git.example.com/other": true, "https://evil.test/": false} {
		err := transport.Stay("GET /x", &http.Request{URL: parse(t, to)}, origin)
		if (err == nil) != stays || !stays && !errors.Is(err, providers.ErrNonsense) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestRedirectsAreFollowedOfAGetWithinTheOriginAndNotForEver(t *testing.T) {
	origin := parse(t, "https://git.example.com")
	step := func(method, to string, before int) error {
		via := []*http.Request{{Method: method, URL: origin}}
		for range before {
			via = append(via, via[0])
		}
		return transport.Follow("GET /x", &http.Request{URL: parse(t, to), Response: &http.Response{StatusCode: 301}}, via, origin)
	}
	if err := step(http.MethodGet, "https://git.example.com/renamed", 3); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another origin": step(http.MethodGet, "https://evil.test/renamed", 0),
		"http":           step(http.MethodGet, "http://git.example.com/renamed", 0),
		"a POST":         step(http.MethodPost, "https://git.example.com/renamed", 0),
		"without end":    step(http.MethodGet, "https://git.example.com/renamed", 4),
	} {
		var fe *providers.ForgeError
		if !errors.As(err, &fe) || fe.Class != providers.ErrNonsense || fe.Status != 301 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// endless is a body that never ends.
type endless struct{ read int64 }

func (e *endless) Read(b []byte) (int, error) { e.read += int64(len(b)); return len(b), nil }

func TestAnAnswerIsReadWholeAndNoFurtherThanItsBound(t *testing.T) {
	long := &endless{}
	body, err := transport.Read("GET /x", &http.Response{Body: io.NopCloser(long)})
	if err != nil || len(body) != transport.MaxAnswer+1 || long.read > 2*transport.MaxAnswer {
		t.Fatalf("%d bytes of %d, %v", len(body), long.read, err)
	}
	if e := transport.Sound(&http.Response{}, body, true); e == nil || e.Class != providers.ErrNonsense {
		t.Errorf("an answer of %d bytes is sound: %v", len(body), e)
	}
	torn := io.MultiReader(strings.NewReader(`{"id":`), brokenReader{})
	_, err = transport.Read("GET /x", &http.Response{StatusCode: 200, Body: io.NopCloser(torn)})
	if !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("a torn answer: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestOnlyWhatSaysToBeJSONIsSound(t *testing.T) {
	for kind, want := range map[string]string{"Application/JSON; charset=utf-8": "application/json", "text/html": "text/html", "a b c;;": "", "": ""} {
		resp := &http.Response{Header: http.Header{"Content-Type": {kind}}}
		if got := transport.MediaType(resp); got != want {
			t.Errorf("%q is %q, want %q", kind, got, want)
		}
		isJSON := want == "application/json"
		if e := transport.Sound(resp, nil, isJSON); (e == nil) != isJSON {
			t.Errorf("%q: %v", kind, e)
		}
	}
}

func TestWhatAForgeSaysIsQuotedAndCut(t *testing.T) {
	if transport.Said("") != nil {
		t.Error("nothing was said")
	}
	if got := transport.Said("no\n\x1b[31m" + strings.Repeat("x", 500)).Error(); strings.ContainsAny(got, "\n\x1b") || len(got) > 220 {
		t.Errorf("%q", got)
	}
}
