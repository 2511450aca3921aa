package targettest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
)

// woodIndex is what Woodpecker answers, with status 200, to every path that it
// does not know, below /api too (source: server/web/web.go; measured).
const woodIndex = `<!doctype html><html lang="en"><head><title>Woodpecker</title></head><body><div id="app"></div></body></html>`

func (p *Woodpecker) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"source": "https://github.com/woodpecker-ci/woodpecker", "version": "3.17.0"})
	})
	mux.HandleFunc("GET /api/user", p.user(func(w http.ResponseWriter, _ *http.Request, u woodUser) { answer(w, http.StatusOK, u) }))
	mux.HandleFunc("GET /api/user/repos", p.user(p.ownRepos))
	mux.HandleFunc("POST /api/user/repos/refresh", p.user(p.ownRefresh))
	mux.HandleFunc("GET /api/users", p.admin(p.listUsers))
	mux.HandleFunc("GET /api/repos", p.admin(p.listRepos))
	mux.HandleFunc("POST /api/repos", p.user(p.addRepo))
	mux.HandleFunc("GET /api/repos/{id}", p.user(p.getRepo))
	mux.HandleFunc("PATCH /api/repos/{id}", p.user(p.patchRepo))
	mux.HandleFunc("DELETE /api/repos/{id}", p.user(p.deleteRepo))
	mux.HandleFunc("GET /api/repos/{id}/permissions", p.user(p.permissions))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { page(w, http.StatusOK, woodIndex) })
	lookup := p.user(p.lookup)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The name has slashes of its own, which the mux could not tell from
		// those of other paths.
		if name, ok := strings.CutPrefix(r.URL.Path, "/api/repos/lookup/"); ok && r.Method == http.MethodGet {
			r.SetPathValue("path", name)
			lookup(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// woodWords are what Woodpecker says of faults itself. It knows nobody while its
// database does not answer (source: server/router/middleware/session/user.go).
type woodWords struct{}

func (woodWords) internal(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) }
func (woodWords) stranger(w http.ResponseWriter) {
	plain(w, http.StatusUnauthorized, "User not authorized")
}
func (woodWords) emptyList(w http.ResponseWriter) { answer(w, http.StatusOK, []woodRepo{}) }
func (woodWords) truncated() string {
	return `[{"id":1,"forge_remote_id":"1","full_name":"acme/one","active":true},{"id":2,"for`
}
func (woodWords) index() string { return woodIndex }

func plain(w http.ResponseWriter, status int, said string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(said))
}

func (p *Woodpecker) user(h func(http.ResponseWriter, *http.Request, woodUser)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		p.mu.Lock()
		u, ok := p.findUser(func(u woodUser) bool { return token != "" && u.hash == token })
		p.mu.Unlock()
		if !ok {
			plain(w, http.StatusUnauthorized, "User not authorized")
			return
		}
		h(w, r, u)
	}
}

func (p *Woodpecker) admin(h http.HandlerFunc) http.HandlerFunc {
	return p.user(func(w http.ResponseWriter, r *http.Request, u woodUser) {
		if !u.Admin {
			plain(w, http.StatusForbidden, "User not authorized")
			return
		}
		h(w, r)
	})
}

// paged cuts a page of at most 50 (source:
// server/router/middleware/session/pagination.go).
func paged[T any](r *http.Request, all []T) []T {
	const most = 50
	n := number(r.FormValue("page"))
	size := number(r.FormValue("perPage"))
	if size < 1 || size > most {
		size = most
	}
	from := min(int64(len(all)), (max(n, 1)-1)*size)
	return all[from:min(int64(len(all)), from+size)]
}

// listUsers answers null behind the last page (measured).
func (p *Woodpecker) listUsers(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	var all []woodUser
	for _, u := range p.users {
		all = append(all, u)
	}
	p.mu.Unlock()
	slices.SortFunc(all, func(a, b woodUser) int { return strings.Compare(a.Login, b.Login) })
	all = paged(r, all)
	if len(all) == 0 {
		all = nil
	}
	answer(w, http.StatusOK, all)
}

func (p *Woodpecker) listRepos(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	all := []woodRepo{}
	for _, x := range p.repos {
		if x.Active || r.FormValue("active") != "true" {
			all = append(all, x)
		}
	}
	p.mu.Unlock()
	byName(all)
	answer(w, http.StatusOK, paged(r, all))
}

func (p *Woodpecker) ownRepos(w http.ResponseWriter, r *http.Request, u woodUser) {
	if r.FormValue("all") == "true" {
		list, err := p.listAll(r.Context(), u)
		if err != nil {
			plain(w, http.StatusInternalServerError, fmt.Sprintf("Error fetching repository list. %s", err))
			return
		}
		answer(w, http.StatusOK, list)
		return
	}
	p.mu.Lock()
	list := p.listOf(u.ID)
	p.mu.Unlock()
	answer(w, http.StatusOK, list)
}

// ownRefresh hides what went wrong: its error has no body (source:
// server/api/user.go, RefreshRepos; measured).
func (p *Woodpecker) ownRefresh(w http.ResponseWriter, r *http.Request, u woodUser) {
	// It does not end with its caller: the request's context is not handed on.
	if err := p.refresh(context.WithoutCancel(r.Context()), u); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, "Ok")
}

// refresh follows updateRepoPermissions of server/api/login.go: rows of active
// repositories that the forge lists are written, all others of the user are
// deleted, even if the forge lists nothing.
func (p *Woodpecker) refresh(ctx context.Context, u woodUser) error {
	p.mu.Lock()
	p.refreshes[providers.Fold(u.Login)]++
	p.mu.Unlock()
	list, err := p.remote(ctx, u)
	if err != nil {
		return err
	}
	now := p.opt.Now().Unix()
	p.mu.Lock()
	defer p.mu.Unlock()
	keep := map[int64]bool{}
	for _, x := range list {
		if r, ok := p.findRepo(x.RemoteID); ok && r.Active {
			p.upsert(u.ID, r.ID, x.perm, now)
			keep[r.ID] = true
		}
	}
	for k := range p.perms {
		if k.user == u.ID && !keep[k.repo] {
			delete(p.perms, k)
		}
	}
	return nil
}

// listAll is the list to add: of what the forge lists for pushing, what is
// stored of the user, and what he administers; then what is stored and the forge
// does not list. It is null if there is nothing (source: server/api/user.go,
// GetRepos; measured).
func (p *Woodpecker) listAll(ctx context.Context, u woodUser) ([]woodRepo, error) {
	list, err := p.remote(ctx, u)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stored := map[string]woodRepo{}
	for k, perm := range p.perms {
		if k.user == u.ID && (perm.Push || perm.Admin) {
			r := p.repos[k.repo]
			stored[r.RemoteID] = r
		}
	}
	var out []woodRepo
	for _, x := range list {
		if !x.perm.Push {
			continue
		}
		if old, ok := stored[x.RemoteID]; ok {
			old.Owner, old.Name, old.Path = x.Owner, x.Name, x.Path // not written back
			out = append(out, old)
			delete(stored, x.RemoteID)
		} else if x.perm.Admin {
			x.ForgeID = woodForge
			out = append(out, x)
		}
	}
	for i, x := range out {
		for id, old := range stored {
			if strings.EqualFold(old.Path, x.Path) {
				out[i].ID, out[i].Conflict = old.ID, true
				delete(stored, id)
			}
		}
	}
	var stale []woodRepo
	for _, old := range stored {
		old.Lost = true
		stale = append(stale, old)
	}
	byName(stale)
	return append(out, stale...), nil
}
