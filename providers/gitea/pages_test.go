package gitea_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
)

// page is one scripted answer.
type page struct {
	body  string
	total string // X-Total-Count
	link  string
	kind  string // Content-Type, Gitea's by default
}

// items is a page of the repositories with ids from and up to.
func items(from, to int) string {
	var all []string
	for id := from; id <= to; id++ {
		all = append(all, fmt.Sprintf(`{"id":%d,"full_name":"acme/r%d","owner":{"id":1,"login":"acme"}}`, id, id))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// TestListsAreCompleteOrAnError scripts GET /user/repos answer by answer.
func TestListsAreCompleteOrAnError(t *testing.T) {
	next := func(n int) string { return fmt.Sprintf(`<http://x/?page=%d>; rel="next"`, n) }
	for name, c := range map[string]struct {
		answers []page // in the order of requests, the last one for ever
		want    int    // repositories, -1 for ErrNonsense
		calls   int
	}{
		"nothing":                       {[]page{{body: "[]", total: "0"}}, 0, 1},
		"null is no empty list":         {[]page{{body: "null", total: "0"}}, -1, 1},
		"an object is no list":          {[]page{{body: "{}", total: "0"}}, -1, 1},
		"no content":                    {[]page{{body: "", total: "0"}}, -1, 1},
		"null in the list":              {[]page{{body: "[null]", total: "1"}}, -1, 1},
		"an item without an id":         {[]page{{body: `[{"full_name":"a/b"}]`, total: "1"}}, -1, 1},
		"a count that is no number":     {[]page{{body: "[]", total: "many"}}, -1, 1},
		"a negative count":              {[]page{{body: "[]", total: "-1"}}, -1, 1},
		"JSON that says to be text":     {[]page{{body: "[]", total: "0", kind: "text/plain"}}, -1, 1},
		"two values":                    {[]page{{body: "[] []", total: "0"}}, -1, 1},
		"more than a bounded answer":    {[]page{{body: "[]" + strings.Repeat(" ", 17<<20), total: "0"}}, -1, 1},
		"one page":                      {[]page{{body: items(1, 3), total: "3"}}, 3, 1},
		"two pages":                     {[]page{{body: items(1, 50), total: "51", link: next(2)}, {body: items(51, 51), total: "51"}}, 51, 2},
		"fewer than announced, twice":   {[]page{{body: items(1, 3), total: "4"}, {body: "[]", total: "4"}, {body: items(1, 3), total: "4"}, {body: "[]", total: "4"}}, -1, 4},
		"more than announced, twice":    {[]page{{body: items(1, 4), total: "3"}}, -1, 2},
		"fewer at first":                {[]page{{body: items(1, 3), total: "4"}, {body: "[]", total: "4"}, {body: items(1, 4), total: "4"}}, 4, 3},
		"the same page for ever":        {[]page{{body: items(1, 50), total: "100"}}, -1, 4},
		"the same page, uncounted":      {[]page{{body: items(1, 50)}}, -1, 4},
		"renamed while it was read":     {[]page{{body: items(1, 50), total: "51"}, {body: items(50, 50), total: "51"}, {body: items(2, 51), total: "51"}, {body: items(1, 1), total: "51"}}, 51, 4},
		"a link back":                   {[]page{{body: items(1, 50), total: "100", link: next(1)}}, -1, 1},
		"full page without any header":  {[]page{{body: items(1, 50)}, {body: items(51, 60)}, {body: "[]"}}, 60, 3},
		"links without counts":          {[]page{{body: items(1, 50), link: next(2)}, {body: items(51, 60), link: `<http://x/?page=1>; rel="first"`}}, 60, 2},
		"a link beyond the count":       {[]page{{body: items(1, 50), total: "50", link: next(2)}, {body: items(51, 60), total: "50"}}, -1, 4},
		"inserted while it was read":    {[]page{{body: items(2, 51), total: "60", link: next(2)}, {body: items(51, 61), total: "61"}, {body: items(1, 50), total: "61"}, {body: items(51, 61), total: "61"}}, 61, 4},
		"the count changes all the way": {[]page{{body: items(1, 50), total: "60"}, {body: items(51, 60), total: "61"}, {body: items(1, 50), total: "62"}, {body: items(51, 60), total: "63"}}, -1, 4},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := c.answers[min(calls, len(c.answers)-1)]
				calls++
				for name, value := range map[string]string{"X-Total-Count": a.total, "Link": a.link} {
					if value != "" {
						w.Header().Set(name, value)
					}
				}
				w.Header().Set("Content-Type", "application/json;charset=utf-8")
				if a.kind != "" {
					w.Header().Set("Content-Type", a.kind)
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
				w.Write([]byte(a.body))
			}))
			defer s.Close()
			f, err := gitea.New(gitea.Config{URL: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			n, err := read(f.UserAccess(t.Context(), providers.User{Login: "ana"}))
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
