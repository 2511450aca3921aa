package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// hookd runs a command line in this process.
func hookd(t *testing.T, env environ, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"hookd"}, args...), env, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestTokenGoesNowhereElse(t *testing.T) {
	var leaked string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { leaked = r.Header.Get("Authorization") }))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	code, _, stderr := hookd(t, nil, "users", "list", "--admin", srv.URL, "--token-file", write(t, "token", "canary-canary-canary"))
	if code != exitFailed || !strings.Contains(stderr, "is that the admin address?") || leaked != "" {
		t.Errorf("exit %d, the other host got %q, said %q", code, leaked, stderr)
	}
}

// Whoever may read the configuration may use the strongest token in it.
func TestCommandsUseTheStrongestConfiguredToken(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		fmt.Fprint(w, `{"items":[],"next":null}`)
	}))
	defer srv.Close()
	token := func(role string) string {
		return fmt.Sprintf("{name: %s, role: %[1]s, token_file: %q}", role, write(t, role, role+"-token-0123456789"))
	}
	for want, roles := range map[string][]string{
		"viewer": {"viewer"}, "operator": {"viewer", "operator", "viewer"}, "admin": {"operator", "admin", "viewer"},
	} {
		var tokens []string
		for _, r := range roles {
			tokens = append(tokens, token(r))
		}
		env := environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_CONFIG=" + write(t, "hookd.yaml", "admin: {tokens: ["+strings.Join(tokens, ", ")+"]}\n")}
		if code, _, stderr := hookd(t, env, "users", "list"); code != 0 || got != "Bearer "+want+"-token-0123456789" {
			t.Errorf("of %v: exit %d, sent %q, said %q", roles, code, got, stderr)
		}
	}
}

func TestListingFollowsTheCursor(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q.Get("limit")+"@"+q.Get("cursor"))
		next := map[string]string{"": `"a"`, "a": `"b"`, "b": "null"}[q.Get("cursor")]
		fmt.Fprintf(w, `{"items":[{"login":"user-%s","repos":1}],"next":%s}`, q.Get("cursor"), next)
	}))
	defer srv.Close()
	env := environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_TOKEN_FILE=" + write(t, "token", "x")}

	code, out, _ := hookd(t, env, "users", "list", "--limit", "0")
	if code != 0 || strings.Count(out, "user-") != 3 || strings.Join(asked, " ") != "500@ 500@a 500@b" {
		t.Errorf("exit %d, asked %v, printed\n%s", code, asked, out)
	}
	asked = nil
	code, out, stderr := hookd(t, env, "users", "list", "--limit", "2")
	if code != 0 || strings.Count(out, "user-") != 2 || strings.Join(asked, " ") != "2@ 1@a" || !strings.Contains(stderr, "--limit 0 shows all") {
		t.Errorf("exit %d, asked %v, printed\n%s%s", code, asked, out, stderr)
	}
}

// Whoever checks the signature again needs every byte.
func TestABodyIsPrintedAsTheForgeSentIt(t *testing.T) {
	const body = " {\"a\": \"\xff\"}\n\n"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
	defer srv.Close()
	env := environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_TOKEN_FILE=" + write(t, "token", "x")}
	if code, out, stderr := hookd(t, env, "deliveries", "show", "--body", "01J"); code != 0 || out != body {
		t.Errorf("exit %d, printed %q, said %q", code, out, stderr)
	}
}

// Only a job that waits for something can be retried.
func TestAJobThatIsDoneIsNotToBeRetried(t *testing.T) {
	for state, want := range map[string]bool{"waiting": true, "parked": true, "dead": true, "leased": false, "done": false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"id":"01J","kind":"repo","state":%q,"last_error":"the forge does not answer"}`, state)
		}))
		defer srv.Close()
		env := environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_TOKEN_FILE=" + write(t, "token", "x")}
		if code, out, _ := hookd(t, env, "queue", "show", "01J"); code != 0 || strings.Contains(out, "hookd queue retry 01J") != want {
			t.Errorf("%s: exit %d, printed\n%s", state, code, out)
		}
	}
}

func TestTablesShowNoControlCharacters(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items":[{"repo":"acme/\u001b[2J\u202eevil\nname"}],"next":null}`)
	}))
	defer srv.Close()
	_, out, _ := hookd(t, environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_TOKEN_FILE=" + write(t, "token", "x")}, "repos", "list")
	if strings.ContainsAny(out, "\x1b\u202e") || strings.Count(out, "\n") != 2 {
		t.Errorf("printed %q", out)
	}
}

func TestReplayTellsTheSameUntilAsItCounted(t *testing.T) {
	var bodies []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(b))
		fmt.Fprint(w, `{"deliveries":3,"jobs":4,"ids":[],"truncated":false,"dry_run":false}`)
	}))
	defer srv.Close()
	env := environ{"HOOKD_ADMIN=" + srv.URL, "HOOKD_TOKEN_FILE=" + write(t, "token", "x")}
	code, out, stderr := hookd(t, env, "deliveries", "replay", "--since", "2h", "--yes")
	if code != 0 || len(bodies) != 2 || !strings.Contains(stderr, "will replay 3 deliveries (4 jobs)") || !strings.Contains(out, "replayed 3 deliveries") {
		t.Fatalf("exit %d, %d requests, said %q and %q", code, len(bodies), out, stderr)
	}
	if dry := strings.Replace(bodies[0], `"dry_run":true`, `"dry_run":false`, 1); dry != bodies[1] || !strings.Contains(dry, `"until":"`) {
		t.Errorf("counted\n%s\nand replayed\n%s", bodies[0], bodies[1])
	}
	bodies = nil
	if code, _, stderr := hookd(t, env, "deliveries", "replay", "--since", "2h"); code != exitUsage || len(bodies) != 1 || !strings.Contains(stderr, "--yes") {
		t.Errorf("without a terminal: exit %d after %d requests, said %q", code, len(bodies), stderr)
	}
}

func TestMomentsAreTimesOrDurationsAgo(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2h":                        now.Add(-2 * time.Hour),
		"7d":                        now.Add(-7 * day),
		"2026-01-30T00:00:00Z":      time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC),
		"2026-01-30T02:00:00+02:00": time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := parseWhen(text, now); err != nil || !got.Equal(want) {
			t.Errorf("parseWhen(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-2h", "2026-01-30", ""} {
		if _, err := parseWhen(text, now); err == nil {
			t.Errorf("parseWhen(%q) passes", text)
		}
	}
}

func TestListenAddressesCanBeReached(t *testing.T) {
	for listen, want := range map[string]string{
		":8081": "http://127.0.0.1:8081", "0.0.0.0:8081": "http://127.0.0.1:8081", "[::]:8081": "http://[::1]:8081",
		"10.0.0.1:80": "http://10.0.0.1:80", "hookd:80": "http://hookd:80",
	} {
		if got, err := reachable(listen); err != nil || got != want {
			t.Errorf("reachable(%q) = %q, %v, want %q", listen, got, err, want)
		}
	}
	if got, err := reachable("127.0.0.1:0"); err == nil {
		t.Errorf("a port that is chosen at start is reachable at %q", got)
	}
}

func TestOverridesKeepTypes(t *testing.T) {
	body := giteaRepository("created", giteaUser(5, "acme", time.Now()), time.Now())
	for _, o := range []string{"repository.id=77", "repository.private=false", "repository.name=123", "organization.login=labs"} {
		if err := overrideValue(body, o); err != nil {
			t.Errorf("%s: %v", o, err)
		}
	}
	repo := body["repository"].(object)
	if repo["id"] != 77.0 || repo["private"] != false || repo["name"] != "123" || body["organization"].(object)["login"] != "labs" {
		t.Errorf("id %v, private %v, name %v", repo["id"], repo["private"], repo["name"])
	}
	for _, o := range []string{"repository", "repository.nme=x", "repositry.id=1", "repository.id.x=1"} {
		if overrideValue(body, o) == nil {
			t.Errorf("%s passes", o)
		}
	}
}

func TestLiveTokenReplacesOnlyItself(t *testing.T) {
	var got []string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = append(got, r.Header.Get("Authorization"))
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	l := newLiveToken(base, "old")
	send := func(auth string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://x/", nil)
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		resp, err := l.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if r.Header.Get("Authorization") != auth {
			t.Error("the caller's request was changed")
		}
	}
	send("token old")
	l.follow("new")
	send("token old")
	send("Bearer old")
	send("Bearer a-user's")
	send("")
	if want := "token old|token new|Bearer new|Bearer a-user's|"; strings.Join(got, "|") != want {
		t.Errorf("sent %q, want %q", strings.Join(got, "|"), want)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
