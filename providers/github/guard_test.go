package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

// questions asks the forge everything there is to ask.
func questions(t *testing.T, f *github.Forge, o providers.Org, u providers.User, r providers.Repo) map[string]func() error {
	seq := func(n int, err error) error {
		if err == nil && n == 0 {
			return errors.New("nothing yielded")
		}
		if err != nil && n > 0 {
			t.Errorf("%d yielded before %v", n, err)
		}
		return err
	}
	org := providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
	return map[string]func() error{
		"Repo":          func() error { _, err := f.Repo(t.Context(), r.ID); return err },
		"User":          func() error { _, err := f.User(t.Context(), u.Login); return err },
		"Org":           func() error { _, err := f.Org(t.Context(), o.Name); return err },
		"Probe":         func() error { _, err := f.Probe(t.Context()); return err },
		"Prove":         func() error { return f.Prove(t.Context(), o) },
		"Activity":      func() error { _, err := f.Activity(t.Context(), o); return err },
		"Model":         func() error { _, err := f.Model(t.Context(), o); return err },
		"Orgs":          func() error { return seq(read(f.Orgs(t.Context()))) },
		"Repos":         func() error { return seq(read(f.Repos(t.Context(), o))) },
		"RepoAccess":    func() error { return seq(read(f.RepoAccess(t.Context(), r))) },
		"UserAccess":    func() error { return seq(read(f.UserAccess(t.Context(), u))) },
		"ScopeAccess":   func() error { return seq(read(f.ScopeAccess(t.Context(), u, org))) },
		"Members":       func() error { return seq(read(f.Members(t.Context(), org))) },
		"Collaborators": func() error { return seq(read(f.Collaborators(t.Context(), r))) },
	}
}

func TestFailuresAreToldApartAndNeverNotFound(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o, u, r := acme(t, g)
	must(t, g.AddCollaborator(r.Path, "ana", providers.Write))
	ask := questions(t, f, o, u, r)
	for kind, class := range map[providerstest.FaultKind]error{
		providerstest.FaultProxy404:     providers.ErrNonsense,
		providerstest.FaultHTML:         providers.ErrNonsense,
		providerstest.FaultNull:         providers.ErrNonsense,
		providerstest.FaultTruncated:    providers.ErrNonsense,
		providerstest.FaultError:        providers.ErrUnavailable,
		providerstest.FaultForbidden:    providers.ErrForbidden,
		providerstest.FaultSSO:          providers.ErrForbidden,
		providerstest.FaultUnauthorized: providers.ErrUnauthorized,
		providerstest.FaultLimit:        providers.ErrLimited,
		providerstest.FaultSecondary:    providers.ErrLimited,
		providerstest.FaultPrimary:      providers.ErrLimited,
	} {
		heal := g.Break(providerstest.Fault{Kind: kind, After: time.Minute})
		for name, question := range ask {
			if class == providers.ErrLimited { // whoever was refused once does not ask again
				f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.AdminToken()}))
				question = questions(t, f, o, u, r)[name]
			}
			if err := question(); !errors.Is(err, class) || errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
		heal()
	}
	for name, question := range ask {
		if err := question(); err != nil {
			t.Errorf("%s after everything healed: %v", name, err)
		}
	}
}

// A hidden answer of the GraphQL API must not look like "reaches nothing".
func TestFailuresOfGraphQLAreNoAnswers(t *testing.T) {
	for body, class := range map[string]error{
		`{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`:                     providers.ErrLimited,
		`{"data":null,"errors":[{"type":"FORBIDDEN","message":"Resource not accessible"}]}`:            providers.ErrForbidden,
		`{"data":{"organization":null},"errors":[{"type":"NOT_FOUND","message":"Could not resolve"}]}`: providers.ErrNotFound,
		`{"errors":[{"message":"Something went wrong while executing your query."}]}`:                  providers.ErrUnavailable,
		`{"errors":[{"message":"anything else"}]}`:                                                     providers.ErrNonsense,
		`{}`:                             providers.ErrNonsense,
		`{"data":{"organization":null}}`: providers.ErrNonsense,
		`{"data":{"organization":{}}}`:   providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":2,"nodes":[` + node + `]}}}}`:                                                         providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[null]}}}}`:                                                                 providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[{"databaseId":7,"owner":{"databaseId":6}}]}}}}`:                            providers.ErrForbidden,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[` + node + `],"pageInfo":{"hasNextPage":true}}}}}`:                         providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[` + strings.Replace(node, `"databaseId":3`, `"databaseId":4`, 1) + `]}}}}`: providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[` + strings.Replace(node, `WRITE`, `OWNER`, 1) + `]}}}}`:                   providers.ErrNonsense,
		`{"data":{"organization":{"repositories":{"totalCount":1,"nodes":[` + node + `]}}}}`:                                                         nil,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			switch r.URL.Path {
			case "/api/v3/users/ana":
				io.WriteString(w, `{"id":3,"login":"ana","type":"User"}`)
			case "/api/v3/user/orgs":
				io.WriteString(w, `[{"id":6,"login":"acme"}]`)
			default:
				io.WriteString(w, body)
			}
		}))
		f := made[*github.Forge](t)(github.New(github.Config{URL: s.URL, Token: "t"}))
		n, err := read(f.UserAccess(t.Context(), providers.User{ID: "3", Login: "ana"}))
		if class == nil && (err != nil || n != 1) || class != nil && (!errors.Is(err, class) || n != 0) {
			t.Errorf("%s: %d yielded, %v", body, n, err)
		}
		s.Close()
	}
}

const node = `{"databaseId":7,"nameWithOwner":"acme/app","visibility":"PRIVATE","owner":{"__typename":"Organization","databaseId":6,"login":"acme"},` +
	`"collaborators":{"edges":[{"permission":"WRITE","node":{"databaseId":3,"login":"ana"}}]}}`

// The time until which a limit holds comes from whichever header tells it.
func TestLimitsSayUntilWhen(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	g := made[*providerstest.GitHub](t)(providerstest.StartGitHub(providerstest.GitHubOptions{Now: func() time.Time { return now }}))
	defer g.Close()
	for kind, want := range map[providerstest.FaultKind]time.Duration{
		providerstest.FaultLimit: 90 * time.Second, providerstest.FaultPrimary: 90 * time.Second, providerstest.FaultSecondary: time.Minute,
	} {
		f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.AdminToken(), Now: func() time.Time { return now }}))
		heal := g.Break(providerstest.Fault{Kind: kind, After: 90 * time.Second})
		for range 2 { // the second one is not even sent
			_, err := f.Repo(t.Context(), "1")
			var fe *providers.ForgeError
			if !errors.As(err, &fe) || fe.Class != providers.ErrLimited || !fe.After.Equal(now.Add(want)) {
				t.Errorf("%s: %v until %v", kind, err, fe.After)
			}
		}
		if n := f.Requests(); n != 1 {
			t.Errorf("%s: %d requests", kind, n)
		}
		heal()
	}
}

func TestAnExhaustedHourIsALimit(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{RateLimit: 2})
	o, _, _ := acme(t, g)
	for want := 1; want >= 0; want-- {
		made[providers.Org](t)(f.Org(t.Context(), "acme"))
		must(t, g.SetBasePermission(o.Name, providers.Permission(want))) // so that no 304 is free
		if left, ok := remaining(f); left != want || !ok {
			t.Errorf("%d left, want %d", left, want)
		}
	}
	if _, err := f.Org(t.Context(), "acme"); !errors.Is(err, providers.ErrLimited) {
		t.Errorf("%v", err)
	}
}

// The token goes to one origin only: not to another host, port or scheme.
func TestTheTokenNeverLeavesItsOrigin(t *testing.T) {
	var leaked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	defer other.Close()
	g, f := start(t, providerstest.GitHubOptions{})
	o, u, r := acme(t, g)
	must(t, g.AddCollaborator(r.Path, "ana", providers.Write))
	for _, to := range []string{other.URL + "/api/v3/user", strings.Replace(g.URL(), "http:", "https:", 1) + "/api/v3/user"} {
		heal := g.Break(providerstest.Fault{Kind: providerstest.FaultElsewhere, To: to})
		for name, question := range questions(t, f, o, u, r) {
			if err := question(); !errors.Is(err, providers.ErrNonsense) {
				t.Errorf("%s to %s: %v", name, to, err)
			}
		}
		heal()
	}
	if leaked.Load() != 0 {
		t.Errorf("%d requests arrived elsewhere", leaked.Load())
	}
}

// A repository that was renamed between two calls is found where it is now.
func TestRedirectsWithinTheOriginAreFollowed(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	_, _, r := acme(t, g)
	must(t, g.RenameRepo(r.Path, "www"))
	if n, err := read(f.RepoAccess(t.Context(), r)); n != 2 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
}

// Whoever is outside is shown the public members, which are not the members.
func TestPublicMembersDoNotPassForMembers(t *testing.T) {
	g, _ := start(t, providerstest.GitHubOptions{})
	o, _, _ := acme(t, g)
	made[providers.User](t)(g.CreateUser("stranger"))
	f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.Token("stranger")}))
	if n, err := read(f.Members(t.Context(), providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name})); n != 0 || !errors.Is(err, providers.ErrForbidden) {
		t.Errorf("%d, %v", n, err)
	}
}

// Only who sees everything can tell from a 404 that something is not there.
func TestOnlyOwnersProveAnything(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o, _, _ := acme(t, g)
	must(t, f.Prove(t.Context(), o))
	made[providers.User](t)(g.CreateUser("stranger"))
	for _, login := range []string{"ana", "stranger"} {
		f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.Token(login)}))
		if err := f.Prove(t.Context(), o); !errors.Is(err, providers.ErrForbidden) {
			t.Errorf("%s: %v", login, err)
		}
	}
}

func TestANewRepositoryMayBeHiddenAtFirst(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{HideNew: 2})
	_, _, r := acme(t, g)
	for range 2 {
		if _, err := f.Repo(t.Context(), r.ID); !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}
	if now := made[providers.Repo](t)(f.Repo(t.Context(), r.ID)); now.Path != r.Path {
		t.Errorf("%+v", now)
	}
}

func TestAHangingForgeIsLeftWhenTheContextEnds(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	for _, kind := range []providerstest.FaultKind{providerstest.FaultHang, providerstest.FaultDrip} {
		heal := g.Break(providerstest.Fault{Kind: kind, After: time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := f.Org(ctx, "acme"); !errors.Is(err, providers.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", kind, err)
		}
		cancel()
		heal()
	}
}

// Where the APIs are follows from the web root.
func TestTheAPIIsFoundFromTheWebRoot(t *testing.T) {
	for root, want := range map[string]string{
		"":                               "https://api.github.com/meta",
		"https://github.com/":            "https://api.github.com/meta",
		"https://acme.ghe.com":           "https://api.acme.ghe.com/meta",
		"https://git.example.com":        "https://git.example.com/api/v3/meta",
		"https://example.com:8443/git/":  "https://example.com:8443/git/api/v3/meta",
		"http://localhost:3000":          "http://localhost:3000/api/v3/meta",
		"https://github.example.com?a=b": "https://github.example.com/api/v3/meta",
	} {
		asked := ""
		f := made[*github.Forge](t)(github.New(github.Config{URL: root, Token: "t", HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = r.URL.String()
			return nil, fmt.Errorf("no network")
		})}}))
		if _, err := f.Probe(t.Context()); !errors.Is(err, providers.ErrUnavailable) || asked != want {
			t.Errorf("%q: asked %s, %v", root, asked, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
