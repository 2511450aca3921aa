package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// maxScan bounds the users that one request looks through for a credential.
const maxScan = 20_000

type userView struct {
	Provider   string    `json:"provider"`
	ID         string    `json:"id"`
	Login      string    `json:"login"`
	Repos      int       `json:"repos"`
	Credential *string   `json:"credential"` // null if no target knows him
	Complete   bool      `json:"complete"`
	CheckedAt  time.Time `json:"checked_at,omitzero"`
	Behind     []string  `json:"behind,omitempty"`
	MustLogIn  []string  `json:"must_log_in,omitempty"`
}

func (s *api) viewUser(u storage.UserRow) userView {
	v := userView{
		Provider: u.Provider, ID: u.User.ID, Login: u.User.Login, Repos: u.Repos,
		Complete: u.Complete, CheckedAt: u.Checked, MustLogIn: s.Desk.MustLogIn(u.Provider, u.User.Login),
	}
	if c := s.Desk.Credential(u.Provider, u.User.Login); c != "" {
		v.Credential = &c
	}
	for _, t := range s.Desk.TargetsOf(u.Provider) {
		if u.Targets[t].Version < u.Version {
			v.Behind = append(v.Behind, t)
		}
	}
	return v
}

// listUsers lists by login. With a credential asked for it looks through the
// pages until one is full and another user follows, or enough was looked at: it
// never asks for more rows than the page has room, so the engine's cursor always
// fits.
func (s *api) listUsers(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "provider", "credential", "limit", "cursor")
	uq := storage.UserQuery{Provider: q.text("provider")}
	credential := oneOf(q, "credential", credentials...)
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	var items []userView
	full := "" // the cursor of what follows a full page
	for scanned := 0; ; {
		room := limit - len(items)
		if room == 0 {
			room = limit // only to see whether there are more
		}
		rows, next, err := s.Catalogue.Users(r.Context(), uq, cursor, room)
		if err != nil {
			fail(w, r, s.Log, err)
			return
		}
		for _, row := range rows {
			v := s.viewUser(row)
			if credential != "" && (v.Credential == nil || *v.Credential != credential) {
				continue
			}
			if len(items) == limit {
				writePage(w, items, sealCursor(q.list, full))
				return
			}
			items = append(items, v)
		}
		if len(items) == limit && full == "" {
			full = next
		}
		scanned += len(rows)
		if next == "" || credential == "" || scanned >= maxScan {
			if next != "" {
				next = cmp.Or(full, next)
			}
			writePage(w, items, sealCursor(q.list, next))
			return
		}
		cursor = next
	}
}

type userRepoView struct {
	Repo       string                `json:"repo"`
	ID         string                `json:"id"`
	Permission providers.Permission  `json:"permission"`
	Visible    map[string]*time.Time `json:"visible"`
	Hidden     map[string]string     `json:"hidden,omitempty"`
	ChangedAt  time.Time             `json:"changed_at,omitzero"`
	Cause      string                `json:"cause,omitempty"`
}

// visibleOn tells for each of the targets since when a cell shows.
func visibleOn(targets []string, c storage.Cell) map[string]*time.Time {
	out := make(map[string]*time.Time, len(targets))
	for _, t := range targets {
		out[t] = nil
		if since, ok := c.Shown[t]; ok {
			out[t] = &since
		}
	}
	return out
}

func (s *api) listUserRepos(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "limit", "cursor")
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	h, err := s.holdings(r)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	cells := slices.DeleteFunc(h.Cells, func(c storage.Cell) bool {
		return c.Permission == providers.None || cellKey(c) <= cursor
	})
	slices.SortFunc(cells, func(a, b storage.Cell) int { return cmp.Compare(cellKey(a), cellKey(b)) })
	next := ""
	if len(cells) > limit {
		cells = cells[:limit]
		next = sealCursor(q.list, cellKey(cells[limit-1]))
	}
	targets := s.Desk.TargetsOf(param(r, "provider"))
	items := make([]userRepoView, len(cells))
	for i, c := range cells {
		items[i] = userRepoView{
			Repo: c.Repo.Path, ID: c.Repo.ID, Permission: c.Permission,
			Visible: visibleOn(targets, c), Hidden: c.Hidden, ChangedAt: c.Changed, Cause: c.Cause,
		}
	}
	writePage(w, items, next)
}

// cellKey orders a user's repositories by path, and apart where two claim one.
func cellKey(c storage.Cell) string { return providers.Fold(c.Repo.Path) + "\x00" + c.Repo.ID }

// holdings is what the user that the path names is believed to hold.
func (s *api) holdings(r *http.Request) (storage.Holdings, error) {
	provider, login := param(r, "provider"), param(r, "login")
	if !s.Desk.HasProvider(provider) {
		return storage.Holdings{}, notFound("no provider of this name is configured")
	}
	u, err := s.Catalogue.UserByLogin(r.Context(), provider, login)
	if err != nil {
		return storage.Holdings{}, err
	}
	return s.Catalogue.Holdings(r.Context(), provider, u.ID)
}
