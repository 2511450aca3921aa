package targettest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// asked is one request about a repository.
type asked struct {
	repo  droneRepo
	user  droneUser
	known bool // the user
	perm  dronePerm
	has   bool // the permission
}

// inject finds the repository and the viewer's permission on it. A permission
// that a sync marked stale, or older than an hour, is read from the forge; any
// failure of that is "Not Found", even to an administrator (source:
// handler/api/acl/repo.go; measured with the forge down).
func (d *Drone) inject(w http.ResponseWriter, r *http.Request) (asked, bool) {
	var a asked
	slug := r.PathValue("owner") + "/" + r.PathValue("name")
	a.user, a.known = d.viewer(r)
	d.mu.Lock()
	repo, found := d.findRepo(func(x droneRepo) bool { return x.Slug == slug })
	a.repo = repo
	key := permKey{a.user.ID, repo.UID}
	if a.known {
		a.perm, a.has = d.perms[key]
	}
	d.mu.Unlock()
	if !found {
		if a.known {
			fail(w, http.StatusNotFound, "Not Found")
		} else {
			fail(w, http.StatusUnauthorized, "Unauthorized")
		}
		return a, false
	}
	now := d.opt.Now()
	if !a.has || !time.Unix(a.perm.synced, 0).Add(time.Hour).Before(now) {
		return a, true
	}
	path, remote := d.opt.Forge.repository(slug)
	if _, err := d.ask(r.Context(), a.user.token, path, remote); err != nil {
		fail(w, http.StatusNotFound, "Not Found")
		return a, false
	}
	a.perm = remote.perm()
	a.perm.synced = now.Unix()
	d.mu.Lock()
	d.perms[key] = a.perm
	d.mu.Unlock()
	return a, true
}

// findRepository grants reading by the stored visibility before it looks at
// permissions, so what was once public stays readable by anybody (source:
// handler/api/acl/check.go:78; measured).
func (d *Drone) findRepository(w http.ResponseWriter, r *http.Request) {
	a, ok := d.inject(w, r)
	if !ok {
		return
	}
	switch {
	case a.known && a.user.Admin, a.repo.Visibility == "public", a.known && a.repo.Visibility == "internal":
	case !a.known:
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return
	case !a.has:
		fail(w, http.StatusNotFound, "Not Found")
		return
	case !a.user.Active:
		fail(w, http.StatusForbidden, "Forbidden")
		return
	case !a.perm.Read:
		fail(w, http.StatusNotFound, "Not Found")
		return
	}
	if a.has {
		a.repo.Perms = &a.perm
	}
	answer(w, http.StatusOK, a.repo)
}

// allRepositories pages through the rows as they were inserted, 25 at a time
// unless told otherwise (source: handler/api/repos/all.go; store/repos, queryAll
// has no order).
func (d *Drone) allRepositories(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	all := []droneRepo{}
	for _, id := range slices.Sorted(maps.Keys(d.repos)) {
		all = append(all, d.repos[id])
	}
	d.mu.Unlock()
	size := int(number(r.FormValue("per_page")))
	if size < 1 {
		size = 25
	}
	from := min(max(0, int(number(r.FormValue("page")))-1)*size, len(all))
	answer(w, http.StatusOK, all[from:min(from+size, len(all))])
}

// administered lets administrators of Drone or of the repository through
// (source: handler/api/acl/check.go, CheckAdminAccess).
func (d *Drone) administered(w http.ResponseWriter, r *http.Request) (asked, bool) {
	a, ok := d.inject(w, r)
	switch {
	case !ok:
		return a, false
	case !a.known:
		fail(w, http.StatusUnauthorized, "Unauthorized")
		return a, false
	case a.user.Admin:
	case !a.has:
		fail(w, http.StatusNotFound, "Not Found")
		return a, false
	case !a.user.Active:
		fail(w, http.StatusForbidden, "Forbidden")
		return a, false
	case !a.perm.Admin:
		fail(w, http.StatusNotFound, "Not Found")
		return a, false
	}
	return a, true
}

// patchRepository changes what is given. Whoever does not administer Drone is
// not told that some of it was left as it was (source:
// handler/api/repos/update.go).
func (d *Drone) patchRepository(w http.ResponseWriter, r *http.Request) {
	a, ok := d.administered(w, r)
	if !ok {
		return
	}
	var in struct {
		Visibility *string `json:"visibility"`
		Config     *string `json:"config_path"`
		Protected  *bool   `json:"protected"`
		Trusted    *bool   `json:"trusted"`
		Timeout    *int64  `json:"timeout"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	d.mu.Lock()
	repo := d.repos[a.repo.ID]
	set(&repo.Visibility, in.Visibility)
	set(&repo.Config, in.Config)
	set(&repo.Protected, in.Protected)
	if a.user.Admin {
		set(&repo.Trusted, in.Trusted)
		set(&repo.Timeout, in.Timeout)
	}
	repo.Version++
	d.repos[repo.ID] = repo
	d.mu.Unlock()
	answer(w, http.StatusOK, repo)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Confuse answers the requests that begin with on with the list that a user has
// now, whoever they are about.
func (d *Drone) Confuse(login, on string) {
	d.mu.Lock()
	u, _ := d.findLogin(login)
	list := d.listOf(u.ID)
	d.mu.Unlock()
	d.breakWith(fault{kind: FaultAnother, on: on, list: list})
}
