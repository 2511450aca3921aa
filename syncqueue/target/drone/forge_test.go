package drone_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
)

// forge is the part of a Gitea that Drone reads: a user's own list, in pages of
// at most 50 whatever is asked for, and repositories with their webhooks.
type forge struct {
	*httptest.Server

	mu    sync.Mutex
	last  int
	repos map[string]providers.Repo  // by id
	has   map[string]map[string]bool // login -> ids
	heads map[string]map[string]bool // login -> ids that he administers
	hooks map[string]map[int]string  // path -> id -> address

	fail   func(page int) (status int, body string) // status 0: as usual; may be nil
	noLink bool
	gate   func() // called before a list is answered; may be nil
}

func newForge(t testing.TB) *forge {
	f := &forge{repos: map[string]providers.Repo{}, has: map[string]map[string]bool{}, heads: map[string]map[string]bool{}, hooks: map[string]map[int]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

// add makes a repository and gives it to the users.
func (f *forge) add(path string, logins ...string) providers.Repo {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	r := providers.Repo{ID: strconv.Itoa(f.last), Path: path, Visibility: providers.Private}
	f.repos[r.ID] = r
	for _, l := range logins {
		if f.has[l] == nil {
			f.has[l] = map[string]bool{}
		}
		f.has[l][r.ID] = true
	}
	return r
}

func (f *forge) set(login, id string, has bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.has[login] == nil {
		f.has[login] = map[string]bool{}
	}
	f.has[login][id] = has
}

// change replaces what the forge says of a repository.
func (f *forge) change(id string, edit func(*providers.Repo)) providers.Repo {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.repos[id]
	edit(&r)
	f.repos[id] = r
	return r
}

func (f *forge) list(login string) []providers.Repo {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []providers.Repo
	for _, id := range slices.SortedFunc(maps.Keys(f.has[login]), func(a, b string) int {
		return strings.Compare(f.repos[a].Path, f.repos[b].Path)
	}) {
		if f.has[login][id] {
			out = append(out, f.repos[id])
		}
	}
	return out
}

func (f *forge) count(login string) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return len(f.list(login)), nil }
}

// forgeToken is what the forge hands to Drone for a user.
func forgeToken(login string) string { return "forge-token-of-" + login }

func (f *forge) serve(w http.ResponseWriter, r *http.Request) {
	login, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer forge-token-of-")
	if path, about := strings.CutPrefix(r.URL.Path, "/api/v1/repos/"); ok && about {
		f.serveRepo(w, r, login, path)
		return
	}
	if !ok || r.URL.Path != "/api/v1/user/repos" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	if gate != nil {
		gate()
	}
	f.mu.Lock()
	fail, noLink := f.fail, f.noLink
	f.mu.Unlock()
	page := max(1, atoi(r.FormValue("page")))
	if fail != nil {
		if status, body := fail(page); status != 0 {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return
		}
	}
	all := f.list(login)
	limit := min(50, max(1, atoi(r.FormValue("limit"))))
	from := min(len(all), (page-1)*limit)
	to := min(len(all), from+limit)
	if to < len(all) && !noLink {
		w.Header().Set("Link", fmt.Sprintf(`<%s/api/v1/user/repos?limit=%d&page=%d>; rel="next",<%s>; rel="last"`, f.URL, limit, page+1, f.URL))
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	out := []map[string]any{}
	for _, x := range all[from:to] {
		out = append(out, f.wire(x, false))
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *forge) wire(x providers.Repo, admin bool) map[string]any {
	cut := strings.LastIndex(x.Path, "/")
	owner, name := x.Path[:cut], x.Path[cut+1:]
	return map[string]any{
		"id": atoi(x.ID), "owner": map[string]any{"login": owner}, "name": name, "full_name": x.Path,
		"private": x.Visibility != providers.Public, "archived": x.Archived, "default_branch": "main",
		"clone_url": f.URL + "/" + x.Path + ".git", "html_url": f.URL + "/" + x.Path,
		"permissions": map[string]bool{"pull": true, "push": admin, "admin": admin},
	}
}

// head makes a user the administrator of a repository.
func (f *forge) head(login string, r providers.Repo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.heads[login] == nil {
		f.heads[login] = map[string]bool{}
	}
	f.heads[login][r.ID] = true
}

func (f *forge) behead(login string, r providers.Repo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.heads[login], r.ID)
}

func (f *forge) hooksOf(path string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Values(f.hooks[path]))
}

// serveRepo answers about one repository and its webhooks, which are for its
// administrators.
func (f *forge) serveRepo(w http.ResponseWriter, r *http.Request, login, path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, hook, hooks := strings.Cut(path, "/hooks")
	var repo providers.Repo
	for _, x := range f.repos {
		if x.Path == path && f.has[login][x.ID] {
			repo = x
		}
	}
	admin := f.heads[login][repo.ID]
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	switch {
	case repo.ID == "":
		w.WriteHeader(http.StatusNotFound)
	case !hooks:
		_ = json.NewEncoder(w).Encode(f.wire(repo, admin))
	case !admin:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodDelete:
		delete(f.hooks[path], atoi(strings.TrimPrefix(hook, "/")))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost:
		var form struct{ Config map[string]string }
		_ = json.NewDecoder(r.Body).Decode(&form)
		if f.hooks[path] == nil {
			f.hooks[path] = map[int]string{}
		}
		f.last++
		f.hooks[path][f.last] = form.Config["url"]
		w.WriteHeader(http.StatusCreated)
	default:
		list := []map[string]any{}
		for id, address := range f.hooks[path] {
			list = append(list, map[string]any{"id": id, "config": map[string]string{"url": address}})
		}
		_ = json.NewEncoder(w).Encode(list)
	}
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }
