package gitlab_test

import (
	"context"
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

// acme fills g with a group of enough projects, members and subgroups for every
// list to have three pages, and returns what to ask about.
func acme(t testing.TB, g *providerstest.GitLab) (o providers.Org, ana providers.User, r providers.Repo) {
	t.Helper()
	o = must[providers.Org](t)(g.CreateOrg("acme", "private"))
	ana = must[providers.User](t)(g.CreateUser("ana"))
	check(t, g.AddGroupMember("acme", "ana", providerstest.GitLabMaintainer))
	for i := range 220 {
		login := fmt.Sprintf("user-%03d", i)
		must[providers.User](t)(g.CreateUser(login))
		check(t, g.AddGroupMember("acme", login, providerstest.GitLabDeveloper))
		must[providers.Org](t)(g.CreateOrg(fmt.Sprintf("org-%03d", i), "private"))
		r = must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: fmt.Sprintf("repo-%03d", i), Private: true}))
	}
	for i := range 220 {
		check(t, g.AddCollaborator(r.Path, fmt.Sprintf("user-%03d", i), providers.Read))
	}
	return o, ana, r
}

// A question is one of the lists a forge is asked for: the path that it reads,
// and how many things a complete answer has.
type question struct {
	name, path string
	want       int
	ask        func(context.Context, *gitlab.Forge) (int, error)
}

func questions(o providers.Org, ana providers.User, r providers.Repo) []question {
	org := providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
	return []question{
		{"UserAccess", "/projects", 220, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.UserAccess(ctx, ana)) }},
		{"ScopeAccess", "/groups/" + o.ID + "/projects", 220, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.ScopeAccess(ctx, ana, org)) }},
		{"Repos", "/groups/" + o.ID + "/projects", 220, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.Repos(ctx, o)) }},
		{"Members", "/members/all", 222, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.Members(ctx, org)) }},
		{"Collaborators", "/members", 220, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.Collaborators(ctx, r)) }},
		{"RepoAccess", "/members/all", 222, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.RepoAccess(ctx, r)) }},
		{"Orgs", "/groups", 221, func(ctx context.Context, f *gitlab.Forge) (int, error) { return read(f.Orgs(ctx)) }},
		{"Model by members", "/members/all", 2, func(ctx context.Context, f *gitlab.Forge) (int, error) {
			m, err := f.Model(ctx, o)
			return len(m.Teams), err
		}},
		{"Model by projects", "/projects", 2, func(ctx context.Context, f *gitlab.Forge) (int, error) {
			m, err := f.Model(ctx, o)
			return len(m.Teams), err
		}},
	}
}

// Whatever goes wrong, no sequence may look complete that is not: nothing is
// yielded, and the error has its class. What is only told otherwise is read all
// the same.
func TestNoFaultLooksLikeACompleteAnswer(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	asked := questions(acme(t, g))
	for _, q := range asked {
		if n, err := q.ask(t.Context(), f); n != q.want || err != nil {
			t.Errorf("%s by a sound forge: %d of %d, %v", q.name, n, q.want, err)
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was followed elsewhere with %v", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	for _, x := range []struct {
		fault providerstest.Fault
		class error // nil for an answer that is complete all the same
	}{
		{providerstest.Fault{Kind: providerstest.FaultStub}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultHollow}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultHollow, Page: 2}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultEmpty, Page: 2}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultHTML}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultHTML, Page: 3}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultNull, Page: 3}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultTruncated, Page: 2}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultLoop}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultProxy404, Page: 2}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultElsewhere, To: elsewhere.URL, Page: 2}, providers.ErrNonsense},
		{providerstest.Fault{Kind: providerstest.FaultError, Page: 3}, providers.ErrUnavailable},
		{providerstest.Fault{Kind: providerstest.FaultLimit, Page: 2, After: time.Minute}, providers.ErrLimited},
		{providerstest.Fault{Kind: providerstest.FaultUnauthorized, Page: 2}, providers.ErrUnauthorized},
		{providerstest.Fault{Kind: providerstest.FaultForbidden, Page: 2}, providers.ErrForbidden},
		{providerstest.Fault{Kind: providerstest.FaultNoLink}, nil},
		{providerstest.Fault{Kind: providerstest.FaultNoTotal}, nil},
		{providerstest.Fault{Kind: providerstest.FaultBare}, nil},
		{providerstest.Fault{Kind: providerstest.FaultHollow, Page: 2, Times: 1}, nil}, // read once more
	} {
		for _, q := range asked {
			t.Run(fmt.Sprintf("%s page %d/%s", x.fault.Kind, x.fault.Page, q.name), func(t *testing.T) {
				fault := x.fault
				fault.Path = q.path
				defer g.Break(fault)()
				f := f
				if x.class == providers.ErrLimited { // whoever was refused once does not ask again
					f = must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken()}))
				}
				n, err := q.ask(t.Context(), f)
				switch {
				case x.class == nil && (n != q.want || err != nil):
					t.Errorf("%d of %d, %v", n, q.want, err)
				case x.class != nil && (n != 0 || !errors.Is(err, x.class)):
					t.Errorf("%d, %v: want %v", n, err, x.class)
				case err != nil && (strings.Contains(err.Error(), g.AdminToken()) || !strings.HasPrefix(err.Error(), "gitlab: ")):
					t.Errorf("the error says %v", err)
				}
			})
		}
	}
}

// Above its limit GitLab does not count a list.
func TestListsThatAreNotCountedAreReadToTheirEnd(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{CountLimit: 150})
	o, ana, r := acme(t, g)
	for _, q := range questions(o, ana, r) {
		if n, err := q.ask(t.Context(), f); n != q.want || err != nil {
			t.Errorf("%s: %d of %d, %v", q.name, n, q.want, err)
		}
	}
	if n := must[int](t)(f.Count(t.Context(), ana)); n != 220 {
		t.Errorf("counted %d", n)
	}
}

func TestCountFailsOnAListThatCannotBePaged(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	_, ana, _ := acme(t, g)
	for _, kind := range []providerstest.FaultKind{providerstest.FaultBare, providerstest.FaultHollow, providerstest.FaultStub} {
		heal := g.Break(providerstest.Fault{Kind: kind, Path: "/projects"})
		if n, err := f.Count(t.Context(), ana); !errors.Is(err, providers.ErrNonsense) {
			t.Errorf("%s: %d, %v", kind, n, err)
		}
		heal()
	}
}

// A list that grows while it is read is read again.
func TestAListThatChangesMeanwhileIsWhole(t *testing.T) {
	g, _ := start(t, providerstest.GitLabOptions{})
	o, _, _ := acme(t, g)
	pages := 0
	f := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken(), Observe: func(int) {
		if pages++; pages == 2 {
			check(t, g.DeleteRepo("acme/repo-000"))
		}
	}}))
	if n, err := read(f.Repos(t.Context(), o)); n != 219 || err != nil {
		t.Errorf("%d projects, %v", n, err)
	}
	if pages < 5 {
		t.Errorf("%d pages were read, want some twice", pages)
	}
}
