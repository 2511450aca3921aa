package dronedb_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/providers"
)

// Whatever happens on the forge: every user sees what he holds, no row is ever
// lost or another's, and Drone's own sync finds nothing to change. Names are few,
// so that they are taken again, swapped and passed on.
func TestDronesOwnSyncAgrees(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(rt *rapid.T) { newHistory(t, rt, w).run() })
	})
}

// history is one random history, in a world that is emptied for it.
type history struct {
	t     *testing.T
	rt    *rapid.T
	w     *world
	users []providers.User
	rows  map[string]string          // row of each id that Drone ever had
	had   map[string]map[string]bool // login -> ids that he was ever granted
}

func newHistory(t *testing.T, rt *rapid.T, w *world) *history {
	for _, table := range []string{"perms", "repos", "users"} {
		w.exec(t, "DELETE FROM "+table)
	}
	w.now = w.now.Add(time.Hour) // what the driver keeps is old
	w.repos, w.grants, w.broken = map[string]providers.Repo{}, map[string]map[string]bool{}, map[string]error{}
	h := &history{t: t, rt: rt, w: w, rows: map[string]string{}, had: map[string]map[string]bool{}}
	for _, login := range []string{"ana", "li"} {
		h.users = append(h.users, w.join(t, login))
		w.grants[login], h.had[login] = map[string]bool{}, map[string]bool{}
	}
	return h
}

func (h *history) run() {
	for range rapid.IntRange(1, 8).Draw(h.rt, "rounds") {
		for range rapid.IntRange(1, 4).Draw(h.rt, "steps") {
			h.step()
		}
		h.w.now = h.w.now.Add(5 * time.Second)
		for range 2 { // one whose name is still another's has to wait for that one's turn
			for _, u := range rapid.Permutation(h.users).Draw(h.rt, "order") {
				h.publish(u)
			}
		}
		h.conceal()
		h.examine()
	}
}

// conceal does what a sweep does.
func (h *history) conceal() {
	shown, err := h.w.driver.Exposed(h.t.Context())
	if err != nil {
		h.rt.Fatal(err)
	}
	for _, r := range shown {
		if now := h.w.repos[r.ID]; now.Visibility == providers.Private {
			if got, err := h.w.driver.Conceal(h.t.Context(), now); err != nil || !got.Closed {
				h.rt.Fatalf("concealing %s: %+v, %v", now.Path, got, err)
			}
		}
	}
}

// alive are the repositories that the forge has, ordered.
func (h *history) alive() []string {
	ids := slices.Sorted(maps.Keys(h.w.repos))
	return slices.DeleteFunc(ids, func(id string) bool { return h.w.broken[id] != nil })
}

func (h *history) free() []string {
	names := []string{"acme/a", "acme/b", "acme/c", "other/a"}
	for _, id := range h.alive() {
		names = slices.DeleteFunc(names, func(n string) bool { return n == h.w.repos[id].Path })
	}
	return names
}

func (h *history) step() {
	alive, free := h.alive(), h.free()
	pick := func() providers.Repo { return h.w.repos[rapid.SampledFrom(alive).Draw(h.rt, "repo")] }
	switch what := rapid.SampledFrom([]string{"create", "create", "rename", "swap", "delete", "grant", "grant", "revoke", "privatize"}).Draw(h.rt, "what"); {
	case what == "create" && len(free) > 0:
		r := h.w.repo(rapid.SampledFrom(free).Draw(h.rt, "name"))
		public := rapid.Bool().Draw(h.rt, "public")
		h.w.change(r.ID, func(r *providers.Repo) {
			if public {
				r.Visibility = providers.Public
			}
		})
		h.grant(r.ID, rapid.SampledFrom(h.users).Draw(h.rt, "user"), true)
	case len(alive) == 0:
	case what == "rename" && len(free) > 0:
		h.w.rename(pick(), rapid.SampledFrom(free).Draw(h.rt, "name"))
	case what == "swap":
		a, b := pick(), pick()
		h.w.rename(a, b.Path)
		h.w.rename(b, a.Path)
	case what == "delete":
		h.w.gone(pick())
	case what == "grant", what == "revoke":
		h.grant(pick().ID, rapid.SampledFrom(h.users).Draw(h.rt, "user"), what == "grant")
	case what == "privatize":
		h.w.change(pick().ID, func(r *providers.Repo) { r.Visibility = providers.Private })
	}
}

func (h *history) grant(id string, u providers.User, has bool) {
	h.w.grants[u.Login][id] = has
	h.had[u.Login][id] = h.had[u.Login][id] || has
}

// holds are the ids that a user holds on the forge, ordered.
func (h *history) holds(u providers.User) []string {
	return slices.DeleteFunc(h.alive(), func(id string) bool { return !h.w.grants[u.Login][id] })
}

func (h *history) publish(u providers.User) {
	held := h.holds(u)
	want := h.w.want()
	for _, id := range slices.Sorted(maps.Keys(h.had[u.Login])) {
		if slices.Contains(held, id) {
			want.Present = append(want.Present, of(h.w.repos[id])...)
		} else {
			want.Absent = append(want.Absent, of(h.w.repos[id])...)
		}
	}
	if _, err := h.w.driver.Sync(h.t.Context(), u, want); err != nil {
		h.rt.Fatal(err)
	}
}

// examine compares Drone with the forge as Drone's sync does: what its list
// lacks, what it has too much, and what its diff calls different (source:
// service/syncer/util.go).
func (h *history) examine() {
	w := h.w
	for _, u := range h.users {
		held := h.holds(u)
		local := strings.Fields(w.text(h.t, "SELECT coalesce("+w.concat("repo_uid")+", '') FROM users JOIN perms ON perm_user_id = user_id JOIN repos ON repo_uid = perm_repo_uid WHERE user_login = '"+u.Login+"'"))
		slices.Sort(local)
		if !slices.Equal(local, held) {
			h.rt.Fatalf("%s sees %v, holds %v", u.Login, local, held)
		}
		for _, id := range held {
			r, a := w.repos[id], remoteOf(w.repos[id])
			for column, want := range map[string]string{
				"repo_slug": r.Path, "repo_namespace": providers.OwnerOf(r.Path), "repo_name": r.Path[strings.LastIndex(r.Path, "/")+1:],
				"repo_clone_url": a.Clone, "repo_ssh_url": a.SSH, "repo_html_url": a.Link, "repo_branch": a.Branch,
				"repo_private": fmt.Sprint(a.Private), "repo_visibility": string(r.Visibility),
			} {
				if got := w.text(h.t, "SELECT "+column+" FROM repos WHERE repo_uid = '"+id+"'"); got != want {
					h.rt.Fatalf("%s of %s is %q, want %q", column, r.Path, got, want)
				}
			}
		}
	}
	for id := range w.repos {
		now := w.rowID(h.t, w.repos[id])
		if was, ok := h.rows[id]; ok && was != now {
			h.rt.Fatalf("the row of %s was %s and is %q", w.repos[id].Path, was, now)
		}
		if now != "" {
			h.rows[id] = now
		}
	}
}

// concat is the expression that joins a column's values by blanks.
func (w *world) concat(column string) string {
	if w.engine == "PostgreSQL" {
		return "string_agg(" + column + ", ' ')"
	}
	return "group_concat(" + column + ", ' ')"
}
