package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// repoView is a repository as the API tells it. Users is a number in lists and
// an array in the answer about one.
type repoView struct {
	Provider   string               `json:"provider"`
	ID         string               `json:"id"`
	Repo       string               `json:"repo"`
	Org        string               `json:"org"`
	Visibility providers.Visibility `json:"visibility,omitempty"`
	Archived   bool                 `json:"archived"`
	Fork       bool                 `json:"fork"`
	Users      any                  `json:"users"`
	CreatedAt  time.Time            `json:"created_at,omitzero"`
	SeenAt     time.Time            `json:"seen_at,omitzero"`
}

type repoUserView struct {
	ID         string                `json:"id"`
	Login      string                `json:"login"`
	Permission providers.Permission  `json:"permission"`
	Visible    map[string]*time.Time `json:"visible"`
	Hidden     map[string]string     `json:"hidden,omitempty"`
}

func viewRepo(provider string, r providers.Repo, seen time.Time, users any) repoView {
	return repoView{
		Provider: provider, ID: r.ID, Repo: r.Path, Org: r.Org.Name, Visibility: r.Visibility,
		Archived: r.Archived, Fork: r.Fork, Users: users, CreatedAt: r.Created, SeenAt: seen,
	}
}

func (s *api) listRepos(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "provider", "org", "limit", "cursor")
	rq := storage.RepoQuery{Provider: q.text("provider"), Org: q.text("org")}
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	rows, next, err := s.Catalogue.Repos(r.Context(), rq, cursor, limit)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	items := make([]repoView, len(rows))
	for i, row := range rows {
		items[i] = viewRepo(row.Provider, row.Repo, row.Seen, row.Users)
	}
	writePage(w, items, sealCursor(q.list, next))
}

// showRepo answers with a repository and everybody who holds it now. The path
// has at least an owner and a name; an owner may itself be a path.
func (s *api) showRepo(w http.ResponseWriter, r *http.Request) {
	if err := parseQuery(r).err; err != nil {
		fail(w, r, s.Log, err)
		return
	}
	provider, path := param(r, "provider"), param(r, "*")
	if !s.Desk.HasProvider(provider) || !strings.Contains(path, "/") {
		fail(w, r, s.Log, notFound("the path is /api/v1/repos/PROVIDER/OWNER/NAME"))
		return
	}
	c, err := s.Catalogue.RepoByPath(r.Context(), provider, path)
	if err == nil && c.Gone {
		err = notFound("the repository was deleted")
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	targets := s.Desk.TargetsOf(provider)
	users := []repoUserView{}
	for _, h := range c.Holders {
		if h.Cell.Permission == providers.None {
			continue
		}
		users = append(users, repoUserView{
			ID: h.User.ID, Login: h.User.Login, Permission: h.Cell.Permission,
			Visible: visibleOn(targets, h.Cell), Hidden: h.Cell.Hidden,
		})
	}
	slices.SortFunc(users, func(a, b repoUserView) int {
		return cmp.Compare(providers.Fold(a.Login), providers.Fold(b.Login))
	})
	writeJSON(w, http.StatusOK, viewRepo(provider, c.Repo, c.Seen, users))
}
