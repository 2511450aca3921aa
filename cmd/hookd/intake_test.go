package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The providers of the intake's tests. Nobody listens where they are: what is
// tested here is decided before a forge is asked.
var intakeParties = []*providerConfig{
	{Name: "git", Kind: "gitea", URL: "http://127.0.0.1:1", Token: "t", Secret: "secret-of-the-gitea"},
	{Name: "hub", Kind: "github", URL: "http://127.0.0.1:1", Token: "t", Secret: "secret-of-the-github"},
	{Name: "lab", Kind: "gitlab", URL: "http://127.0.0.1:1", Token: "t", Secret: "secret-of-the-gitlab"},
	{Name: "signed", Kind: "gitlab", URL: "http://127.0.0.1:1", Token: "t", Secret: secret(signingPrefix + base64.StdEncoding.EncodeToString([]byte("key-of-the-other-gitlab")))},
}

// intake is the handler of a running server with all of them.
func intake(t *testing.T) http.Handler {
	t.Helper()
	s := intakeServer(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s.public.Handler
}

func intakeServer(t *testing.T) *server {
	t.Helper()
	c := defaults()
	c.Listen, c.AdminListen, c.DataDir = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	for _, p := range intakeParties {
		p := *p
		p.Orgs, p.Poll = []string{"acme"}, pollConfig{Members: time.Hour, Repos: time.Hour, Deliveries: time.Hour}
		c.Providers = append(c.Providers, &p)
	}
	f := &faults{}
	if c.check(f); len(f.list) > 0 {
		t.Fatal(f)
	}
	s, err := newServer(c, slog.New(slog.DiscardHandler), &slog.LevelVar{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whoever stops hookd before it is ready has not met a failure.
func TestStopAmidTheStartIsOrderly(t *testing.T) {
	s := intakeServer(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.run(ctx); err != nil {
		t.Error(err)
	}
}

// A letter is a delivery to be posted.
type letter struct {
	method string
	header http.Header
	body   []byte
}

// announce writes the news of a new repository of an organization, in the words of
// a provider's forge and authenticated by a secret.
func announce(t *testing.T, p *providerConfig, key secret, org sampleOrg) letter {
	t.Helper()
	s := news(p)
	body, err := json.Marshal(s.body(org, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return seal(p, key, s.header, org, body)
}

// news is a provider's sample of a new repository.
func news(p *providerConfig) sample {
	if p.Kind == "gitlab" {
		return gitlabSamples["project_create"]
	}
	return samplesOf(p.Kind)["repository.created"]
}

func seal(p *providerConfig, key secret, event string, org sampleOrg, body []byte) letter {
	as := &providerConfig{Kind: p.Kind, Hooks: []secret{key}}
	return letter{http.MethodPost, sampleHeader(as, event, newUUID(), org, body, time.Now()), body}
}

// post returns the status and what the answer says of it.
func (l letter) post(h http.Handler, provider string) (status int, answer string) {
	req := httptest.NewRequest(l.method, "/hooks/"+provider, bytes.NewReader(l.body))
	req.Header = l.header.Clone()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Code, rec.Body.String()
}

var acme = sampleOrg{5, "acme"}

// Of all secrets in all hands only a provider's own opens its door.
func TestOnlyItsOwnSecretOpensAProvider(t *testing.T) {
	h := intake(t)
	for _, at := range intakeParties {
		for _, by := range intakeParties {
			want := http.StatusUnauthorized
			if at == by {
				want = http.StatusAccepted
			}
			if got, answer := announce(t, at, by.Secret, acme).post(h, at.Name); got != want {
				t.Errorf("%s with the secret of %s: %d, want %d: %s", at.Name, by.Name, got, want, answer)
			}
			// A genuine delivery, brought to another door.
			if got, answer := announce(t, by, by.Secret, acme).post(h, at.Name); got != want {
				t.Errorf("a delivery of %s at %s: %d, want %d: %s", by.Name, at.Name, got, want, answer)
			}
		}
		for name, l := range map[string]letter{
			"wrong":  announce(t, at, "a-secret-of-nobody-here", acme),
			"absent": {http.MethodPost, http.Header{"Content-Type": {"application/json"}}, announce(t, at, at.Secret, acme).body},
		} {
			if got, _ := l.post(h, at.Name); got != http.StatusUnauthorized {
				t.Errorf("%s with a secret that is %s: %d", at.Name, name, got)
			}
		}
		changed := announce(t, at, at.Secret, acme)
		changed.body = bytes.Replace(changed.body, []byte("sample"), []byte("simple"), 1)
		want := http.StatusUnauthorized
		if at.Name == "lab" {
			want = http.StatusAccepted // a plain token says nothing of the body
		}
		if got, _ := changed.post(h, at.Name); got != want {
			t.Errorf("%s with another body than was signed: %d, want %d", at.Name, got, want)
		}
	}
}

func TestIntakeIsStrictAboutForm(t *testing.T) {
	h := intake(t)
	for _, p := range intakeParties {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			l := announce(t, p, p.Secret, acme)
			l.method = method
			if got, _ := l.post(h, p.Name); got != http.StatusMethodNotAllowed {
				t.Errorf("%s of %s: %d", method, p.Name, got)
			}
		}
		for kind, want := range map[string]int{
			"application/json": 202, "application/json; charset=utf-8": 202,
			"text/plain": 415, "": 415, "multipart/form-data": 415,
		} {
			l := announce(t, p, p.Secret, acme)
			l.header.Set("Content-Type", kind)
			if got, _ := l.post(h, p.Name); got != want {
				t.Errorf("type %q of %s: %d, want %d", kind, p.Name, got, want)
			}
		}
		packed := announce(t, p, p.Secret, acme)
		packed.header.Set("Content-Encoding", "gzip")
		if got, _ := packed.post(h, p.Name); got != http.StatusUnsupportedMediaType {
			t.Errorf("gzip of %s: %d", p.Name, got)
		}

		// GitHub alone sends forms, which it signs as such.
		plain := announce(t, p, p.Secret, acme)
		form := seal(p, p.Secret, news(p).header, acme, []byte(url.Values{"payload": {string(plain.body)}}.Encode()))
		form.header.Set("Content-Type", "application/x-www-form-urlencoded")
		want := http.StatusUnsupportedMediaType
		if p.Kind == "github" {
			want = http.StatusAccepted
		}
		if got, answer := form.post(h, p.Name); got != want {
			t.Errorf("a form of %s: %d, want %d: %s", p.Name, got, want, answer)
		}
	}
}

func TestIntakeTakesWhatForgesSend(t *testing.T) {
	h := intake(t)
	for _, p := range intakeParties {
		large, event := announce(t, p, p.Secret, acme), news(p).header
		padded := append(bytes.TrimSuffix(large.body, []byte("}")), (`,"padding":"` + strings.Repeat("x", 1<<20) + `"}`)...)
		if got, answer := seal(p, p.Secret, event, acme, padded).post(h, p.Name); got != http.StatusAccepted {
			t.Errorf("a megabyte of %s: %d: %s", p.Name, got, answer)
		}
		huge := seal(p, p.Secret, event, acme, bytes.Repeat([]byte(" "), 25<<20+1))
		if got, _ := huge.post(h, p.Name); got != http.StatusRequestEntityTooLarge {
			t.Errorf("more than 25 MiB of %s: %d", p.Name, got)
		}
		if got, _ := seal(p, p.Secret, event, acme, []byte(`{"action":`)).post(h, p.Name); got != http.StatusBadRequest {
			t.Errorf("half a document of %s: %d", p.Name, got)
		}

		twice := announce(t, p, p.Secret, acme)
		if got, answer := twice.post(h, p.Name); got != http.StatusAccepted {
			t.Errorf("the first of %s: %d: %s", p.Name, got, answer)
		}
		if got, answer := twice.post(h, p.Name); got != http.StatusOK || !strings.Contains(answer, `"result":"duplicate"`) {
			t.Errorf("the same of %s again: %d: %s", p.Name, got, answer)
		}
		if got, answer := announce(t, p, p.Secret, sampleOrg{6, "others"}).post(h, p.Name); got != http.StatusOK || !strings.Contains(answer, `"result":"ignored"`) {
			t.Errorf("another organization of %s: %d: %s", p.Name, got, answer)
		}
	}
}

// Every sample of every kind can be read, and means what its name says.
func TestSamplesAreWhatTheyAreCalled(t *testing.T) {
	h := intake(t)
	for _, p := range intakeParties {
		for name, s := range samplesOf(p.Kind) {
			body, err := json.Marshal(s.body(acme, time.Now()))
			if err != nil {
				t.Fatal(err)
			}
			got, answer := seal(p, p.Secret, s.header, acme, body).post(h, p.Name)
			switch {
			case name == "push" && got == http.StatusOK && strings.Contains(answer, `"result":"ignored"`):
			case name == "ping" && got == http.StatusOK && strings.Contains(answer, `"result":"ping"`):
			case got == http.StatusAccepted && strings.Contains(answer, `"event":"`+name+`"`):
			default:
				t.Errorf("%s of %s: %d: %s", name, p.Name, got, answer)
			}
		}
	}
}
