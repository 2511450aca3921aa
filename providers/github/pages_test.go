package github_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
)

// page is one scripted answer.
type page struct {
	body string
	link string
	kind string // Content-Type, GitHub's by default
}

// items is a page of the users with ids from and up to.
func items(from, to int) string {
	var all []string
	for id := from; id <= to; id++ {
		all = append(all, fmt.Sprintf(`{"id":%d,"login":"u%d","permissions":{"pull":true}}`, id, id))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// TestListsAreCompleteOrAnError scripts the collaborators answer by answer. In
// the links, HOME is the server's own address.
func TestListsAreCompleteOrAnError(t *testing.T) {
	more := func(next, last int) string {
		return fmt.Sprintf(`<HOME/x?page=%d>; rel="next", <HOME/x?page=%d>; rel="last"`, next, last)
	}
	end := `<HOME/x?page=1>; rel="prev", <HOME/x?page=1>; rel="first"`
	for name, c := range map[string]struct {
		answers []page // in the order of requests, the last one for ever
		want    int    // people, -1 for ErrNonsense
		calls   int
	}{
		"nobody":                         {[]page{{body: "[]"}}, -1, 1},
		"null is no empty list":          {[]page{{body: "null"}}, -1, 1},
		"an object is no list":           {[]page{{body: "{}"}}, -1, 1},
		"no content":                     {[]page{{body: ""}}, -1, 1},
		"null in the list":               {[]page{{body: "[null]"}}, -1, 1},
		"an item without an id":          {[]page{{body: `[{"login":"a"}]`}}, -1, 1},
		"JSON that says to be text":      {[]page{{body: items(1, 1), kind: "text/plain"}}, -1, 1},
		"more than a bounded answer":     {[]page{{body: "[]" + strings.Repeat(" ", 17<<20)}}, -1, 1},
		"one page":                       {[]page{{body: items(1, 3)}}, 3, 1},
		"two pages":                      {[]page{{body: items(1, 100), link: more(2, 2)}, {body: items(101, 101), link: end}}, 101, 2},
		"a last page that is full":       {[]page{{body: items(1, 100), link: more(2, 2)}, {body: items(101, 200), link: end}}, 200, 2},
		"a full page that says nothing":  {[]page{{body: items(1, 100)}, {body: items(101, 160)}}, 160, 2},
		"one page exactly":               {[]page{{body: items(1, 100)}, {body: "[]"}}, 100, 2},
		"the same page for ever":         {[]page{{body: items(1, 100), link: more(2, 9)}}, -1, 4},
		"the same page, without links":   {[]page{{body: items(1, 100)}}, -1, 4},
		"a link back":                    {[]page{{body: items(1, 100), link: more(1, 2)}}, -1, 1},
		"a link over a page":             {[]page{{body: items(1, 100), link: more(3, 3)}}, -1, 1},
		"a link to another origin":       {[]page{{body: items(1, 100), link: `<https://elsewhere.example.com/x?page=2>; rel="next"`}}, -1, 1},
		"an empty page with more behind": {[]page{{body: "[]", link: more(2, 2)}}, -1, 1},
		"inserted while it was read":     {[]page{{body: items(2, 101), link: more(2, 2)}, {body: items(101, 102), link: end}, {body: items(1, 100), link: more(2, 2)}, {body: items(101, 102), link: end}}, 102, 4},
		"longer while it was read":       {[]page{{body: items(1, 100), link: more(2, 2)}, {body: items(101, 200), link: more(3, 3)}, {body: items(1, 100), link: more(2, 3)}, {body: items(101, 200), link: more(3, 3)}, {body: items(201, 201), link: end}}, 201, 5},
		"it ends before its last page":   {[]page{{body: items(1, 100), link: more(2, 3)}, {body: items(101, 110), link: end}, {body: items(1, 100), link: more(2, 2)}, {body: items(101, 110), link: end}}, 110, 4},
		"it does so twice":               {[]page{{body: items(1, 100), link: more(2, 3)}, {body: items(101, 110), link: end}, {body: items(1, 100), link: more(2, 3)}, {body: items(101, 110), link: end}}, -1, 4},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := c.answers[min(calls, len(c.answers)-1)]
				calls++
				if a.link != "" {
					w.Header().Set("Link", strings.ReplaceAll(a.link, "HOME", "http://"+r.Host))
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				if a.kind != "" {
					w.Header().Set("Content-Type", a.kind)
				}
				w.Write([]byte(a.body))
			}))
			defer s.Close()
			f := made[*github.Forge](t)(github.New(github.Config{URL: s.URL, Token: "t"}))
			n, err := read(f.RepoAccess(t.Context(), providers.Repo{ID: "7", Path: "acme/app"}))
			if c.want < 0 {
				if n != 0 || !errors.Is(err, providers.ErrNonsense) {
					t.Errorf("%d yielded, %v", n, err)
				}
			} else if n != c.want || err != nil {
				t.Errorf("%d of %d, %v", n, c.want, err)
			}
			if calls != c.calls {
				t.Errorf("%d calls, want %d", calls, c.calls)
			}
		})
	}
}
