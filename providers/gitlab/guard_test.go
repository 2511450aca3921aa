package gitlab_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestNewRefusesWhatIsNoWebRoot(t *testing.T) {
	for _, url := range []string{"git.example.com", "ftp://git.example.com", "https://", "https://u:p@git.example.com", "https://git\x7f"} {
		if _, err := gitlab.New(gitlab.Config{URL: url}); err == nil {
			t.Errorf("%q accepted", url)
		}
	}
	check(t, func() error { _, err := gitlab.New(gitlab.Config{}); return err }())
}

// answering is a forge whose server gives one answer to everything.
func answering(t *testing.T, status int, kind, body string, header ...string) *gitlab.Forge {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	return must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: srv.URL, Token: "glpat-secret", Now: func() time.Time { return time.Unix(1000, 0) }}))
}

func TestAnswersHaveTheirClass(t *testing.T) {
	const json = "application/json"
	for _, x := range []struct {
		status     int
		kind, body string
		class      error
	}{
		{404, json, `{"message":"404 Project Not Found"}`, providers.ErrNotFound},
		{404, json, `{"error":"404 Not Found"}`, providers.ErrNonsense},
		{404, json, `{"detail":"no"}`, providers.ErrNonsense},
		{404, json, `not json`, providers.ErrNonsense},
		{404, "text/html", `{"message":"404 Project Not Found"}`, providers.ErrNonsense},
		{401, json, `{"message":"401 Unauthorized"}`, providers.ErrUnauthorized},
		{403, json, `{"error":"insufficient_scope"}`, providers.ErrForbidden},
		{429, "text/plain", "Retry later\n", providers.ErrLimited},
		{500, json, `{"message":"500 Internal Server Error"}`, providers.ErrUnavailable},
		{502, "text/html", `<html>`, providers.ErrUnavailable},
		{503, "text/html", `<html>maintenance`, providers.ErrUnavailable},
		{200, "text/html", `<html>sign in`, providers.ErrNonsense},
		{200, json, `{"id":8,"path_with_namespace":"a/b","namespace":{"id":1,"full_path":"a","kind":"group"}}`, providers.ErrNonsense},
		{200, json, `{"id":7}`, providers.ErrNonsense},
		{200, json, `null`, providers.ErrNonsense},
		{200, json, `{"id":`, providers.ErrNonsense},
		{204, json, ``, providers.ErrNonsense},
		{400, json, `{"message":{"id":["is wrong"]}}`, providers.ErrNonsense},
		{304, json, ``, providers.ErrNonsense}, // nothing was asked conditionally
	} {
		f := answering(t, x.status, x.kind, x.body)
		_, err := f.Repo(t.Context(), "7")
		var fe *providers.ForgeError
		if !errors.Is(err, x.class) || !errors.As(err, &fe) || strings.Contains(err.Error(), "glpat-secret") {
			t.Errorf("%d %s %s: %v, want %v", x.status, x.kind, x.body, err, x.class)
		} else if n := f.Requests(); n != 1 {
			t.Errorf("%d: %d requests, want no retry", x.status, n)
		}
	}
}

func TestLimitsSayWhenToAskAgain(t *testing.T) {
	window := []string{"RateLimit-Limit", "600", "RateLimit-Remaining", "0", "Date", "Sat, 06 Mar 2027 10:00:00 GMT", "RateLimit-Reset", fmt.Sprint(time.Date(2027, 3, 6, 10, 5, 0, 0, time.UTC).Unix())}
	for _, x := range []struct {
		header []string
		want   time.Duration
	}{
		{[]string{"Retry-After", "60"}, time.Minute},
		{[]string{"Date", "Thu, 01 Jan 1970 00:00:00 GMT", "Retry-After", "Thu, 01 Jan 1970 00:30:00 GMT"}, 30 * time.Minute},
		{window, 5 * time.Minute}, // by GitLab's clock, which is years ahead
		{append(window, "Retry-After", "600"), 10 * time.Minute},
		{[]string{"Retry-After", "99999999"}, 2 * time.Hour},
		{nil, time.Minute},
	} {
		_, err := answering(t, 429, "text/plain", "Retry later\n", x.header...).Repo(t.Context(), "7")
		var fe *providers.ForgeError
		if want := time.Unix(1000, 0).Add(x.want); !errors.As(err, &fe) || !fe.After.Equal(want) {
			t.Errorf("%v: %v until %s, want %s", x.header, err, fe.After, want)
		}
	}
}

func TestAnAnswerWithoutEndIsCut(t *testing.T) {
	f := answering(t, 200, "application/json", `{"id":7,"description":"`+strings.Repeat("x", 17<<20)+`"}`)
	if _, err := f.Repo(t.Context(), "7"); !errors.Is(err, providers.ErrNonsense) {
		t.Errorf("%v", err)
	}
}

func TestARateLimitIsAnAnswerAndNotARetry(t *testing.T) {
	now := time.Unix(2_000_000_000, 0)
	g, f := start(t, providerstest.GitLabOptions{RateLimit: 2, Now: func() time.Time { return now }})
	ctx := providers.Leaving(t.Context(), 0)
	for range 2 {
		must[string](t)(f.Probe(ctx))
	}
	_, err := f.Probe(ctx)
	var fe *providers.ForgeError
	if !errors.As(err, &fe) || fe.Class != providers.ErrLimited || !fe.After.Equal(now.Add(time.Minute)) {
		t.Fatalf("%v", err)
	}
	if n := g.Calls()["GET /version"]; n != 2 { // what is known to be refused is not sent
		t.Errorf("%d calls", n)
	}
	now = fe.After
	must[string](t)(f.Probe(t.Context()))
}

// What one user is answered must never be given for another's list.
func TestKeptAnswersAreOneUsersOwn(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	_, ana, _ := acme(t, g)
	stranger := must[providers.User](t)(g.CreateUser("stranger"))
	for range 2 {
		if n, err := read(f.UserAccess(t.Context(), ana)); n != 220 || err != nil {
			t.Errorf("ana: %d, %v", n, err)
		}
		if n, err := read(f.UserAccess(t.Context(), stranger)); n != 0 || err != nil {
			t.Errorf("stranger: %d, %v", n, err)
		}
	}
}

// Something between GitLab and us may answer 304 with no word of the list.
func TestASilent304IsNotBelieved(t *testing.T) {
	g, _ := start(t, providerstest.GitLabOptions{})
	ana := must[providers.User](t)(g.CreateUser("ana"))
	f := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken(), HTTP: &http.Client{Transport: silent{}}}))
	for i := range 4 {
		must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "ana", Name: fmt.Sprint("r", i)}))
	}
	for left := 4; left > 0; left-- { // the newest, which is the page of one that is counted by, stays
		if n, err := f.Count(t.Context(), ana); n != left || err != nil {
			t.Fatalf("counted %d (%v), want %d", n, err, left)
		}
		if left > 1 {
			check(t, g.DeleteRepo(fmt.Sprint("ana/r", 4-left)))
		}
	}
}

// silent takes the headers from a 304.
type silent struct{}

func (silent) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusNotModified {
		resp.Header = http.Header{"Etag": resp.Header["Etag"]}
	}
	return resp, err
}
