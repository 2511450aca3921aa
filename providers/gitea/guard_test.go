package gitea_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestLookupsTellNotFoundFromNonsense(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, _, r := acme(t, g)
	lookups := map[string]func() error{
		"Repo":     func() error { _, err := f.Repo(t.Context(), r.ID); return err },
		"User":     func() error { _, err := f.User(t.Context(), "ana"); return err },
		"Org":      func() error { _, err := f.Org(t.Context(), "acme"); return err },
		"Probe":    func() error { _, err := f.Probe(t.Context()); return err },
		"Prove":    func() error { return f.Prove(t.Context(), o) },
		"Activity": func() error { _, err := f.Activity(t.Context(), o); return err },
	}
	for name, lookup := range lookups {
		if err := lookup(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for kind, class := range map[providerstest.FaultKind]error{
		providerstest.FaultProxy404:  providers.ErrNonsense,
		providerstest.FaultHTML:      providers.ErrNonsense,
		providerstest.FaultNull:      providers.ErrNonsense,
		providerstest.FaultStub:      providers.ErrNonsense,
		providerstest.FaultTruncated: providers.ErrNonsense,
		providerstest.FaultError:     providers.ErrUnavailable,
		providerstest.FaultForbidden: providers.ErrForbidden,
	} {
		heal := g.Break(providerstest.Fault{Kind: kind})
		for name, lookup := range lookups {
			if err := lookup(); !errors.Is(err, class) || errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
		heal()
	}
}

func TestRetryAfterIsKept(t *testing.T) {
	g, _ := start(t, providerstest.GiteaOptions{})
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	f, err := gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Break(providerstest.Fault{Kind: providerstest.FaultLimit, After: 90 * time.Second})()
	_, err = f.Repo(t.Context(), "1")
	var fe *providers.ForgeError
	if !errors.As(err, &fe) || !fe.After.Equal(now.Add(90*time.Second)) {
		t.Errorf("%v", err)
	}
}

func TestAHangingForgeIsLeftWhenTheContextEnds(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	for _, kind := range []providerstest.FaultKind{providerstest.FaultHang, providerstest.FaultDrip} {
		heal := g.Break(providerstest.Fault{Kind: kind, After: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := f.Repo(ctx, "1"); !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", kind, err)
		}
		cancel()
		heal()
	}
}

func TestNobodyListeningIsUnavailable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var codes []int
	f, err := gitea.New(gitea.Config{URL: "http://" + l.Addr().String(), Token: "t", Observe: func(code int) { codes = append(codes, code) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Probe(t.Context()); !errors.Is(err, providers.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if len(codes) != 1 || codes[0] != 0 || f.Requests() != 1 {
		t.Errorf("observed %v, %d requests", codes, f.Requests())
	}
}

// The token goes to one origin only: not to another host, port or scheme.
func TestTheTokenNeverLeavesItsOrigin(t *testing.T) {
	var leaked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"version":"1.25.4"}`)
	}))
	defer other.Close()
	var target atomic.Value
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "token s3cret" {
			t.Error("at home the token is missing")
		}
		http.Redirect(w, r, target.Load().(string), http.StatusFound)
	}))
	defer home.Close()
	f, err := gitea.New(gitea.Config{URL: home.URL, Token: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{
		other.URL + "/api/v1/version",
		strings.Replace(home.URL, "http://", "https://", 1) + "/x",
		strings.Replace(home.URL, "127.0.0.1", "localhost", 1) + "/x",
		home.URL + "/for/ever",
	} {
		target.Store(to)
		if _, err := f.Probe(t.Context()); !errors.Is(err, providers.ErrNonsense) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("to %s: %v", to, err)
		}
	}
	if n := leaked.Load(); n != 0 {
		t.Errorf("the other origin was asked %d times", n)
	}
}

func TestOldPathsAreFollowedAtHome(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, ana, r := acme(t, g)
	if err := g.RenameRepo(r.Path, "renamed"); err != nil {
		t.Fatal(err)
	}
	if n, err := read(f.RepoAccess(t.Context(), r)); n != 122 || err != nil { // r has its old path
		t.Errorf("renamed repository: %d, %v", n, err)
	}
	if err := g.RenameAccount("acme", "acme2"); err != nil {
		t.Fatal(err)
	}
	if n, err := read(f.Repos(t.Context(), o)); n != 120 || err != nil {
		t.Errorf("renamed organization: %d, %v", n, err)
	}
	if _, err := g.CreateOrg("acme", "private"); err != nil { // the old name is another's now
		t.Fatal(err)
	}
	if n, err := read(f.Repos(t.Context(), o)); n != 120 || err != nil {
		t.Errorf("organization whose name was taken: %d, %v", n, err)
	}
	if err := g.RenameAccount("ana", "anna"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateUser("ana"); err != nil { // somebody else, without anything
		t.Fatal(err)
	}
	if n, err := read(f.UserAccess(t.Context(), ana)); n != 120 || err != nil {
		t.Errorf("user whose login was taken: %d, %v", n, err)
	}
}

func TestNewRefusesWhatIsNoWebRoot(t *testing.T) {
	for _, url := range []string{"", "git.example.com", "ftp://git.example.com", "https://", "https://u:p@git.example.com", "https://git\x7f"} {
		if _, err := gitea.New(gitea.Config{URL: url}); err == nil {
			t.Errorf("%q accepted", url)
		}
	}
}

// The owner of a personal repository is no organization, and Gitea says so.
func TestAPersonHasNoTeams(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	acme(t, g)
	u, err := f.User(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := f.Model(t.Context(), providers.Org{ID: u.ID, Name: u.Login}); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("%v, %v", m, err)
	}
}
