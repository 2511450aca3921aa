package targettest

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (d *Drone) listUsers(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	list := []droneUser{}
	for _, u := range d.users {
		list = append(list, u)
	}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b droneUser) int { return strings.Compare(a.Login, b.Login) })
	answer(w, http.StatusOK, list)
}

// findUser takes a login, else a numeric id (source: handler/api/users/find.go:34).
func (d *Drone) findUser(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	u, ok := d.findLogin(r.PathValue("user"))
	if !ok {
		u, ok = d.users[number(r.PathValue("user"))]
	}
	d.mu.Unlock()
	if !ok {
		noRows(w)
		return
	}
	answer(w, http.StatusOK, u)
}

func (d *Drone) userRepos(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	u, ok := d.findLogin(r.PathValue("user"))
	list := d.listOf(u.ID)
	d.mu.Unlock()
	if !ok {
		noRows(w)
		return
	}
	answer(w, http.StatusOK, list)
}

// newUser creates a user, with a chosen token if one is given. Whether the
// forge knows him is asked, and the answer ignored (source:
// handler/api/users/create.go:66).
func (d *Drone) newUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Login   string `json:"login"`
		Token   string `json:"token"`
		Admin   bool   `json:"admin"`
		Machine bool   `json:"machine"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if !in.Machine {
		by, _ := d.viewer(r)
		var remote struct {
			Login string `json:"login"`
		}
		if _, err := d.ask(r.Context(), by.token, d.opt.Forge.api()+"/users/"+url.PathEscape(in.Login), &remote); err == nil && remote.Login != "" {
			in.Login = remote.Login
		}
	}
	switch { // what the forge calls him counts (source: core/user.go:106)
	case in.Login == "" || len(in.Login) > 50:
		fail(w, http.StatusBadRequest, "Invalid username length")
		return
	case strings.Trim(in.Login, ".-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		fail(w, http.StatusBadRequest, "Invalid character in username")
		return
	}
	if in.Token == "" {
		in.Token = rand.Text()
	}
	now := d.opt.Now().Unix()
	d.mu.Lock()
	_, taken := d.findLogin(in.Login)
	var u droneUser
	if !taken {
		u = d.createUser(droneUser{Login: in.Login, Active: true, Admin: in.Admin, Machine: in.Machine, Created: now, Updated: now, hash: in.Token})
	}
	d.mu.Unlock()
	if !taken {
		d.announce("created", u)
	}
	switch {
	case taken:
		fail(w, http.StatusInternalServerError, "UNIQUE constraint failed: users.user_login")
	case u.Machine:
		answer(w, http.StatusOK, struct {
			droneUser
			Token string `json:"token"`
		}{u, u.hash})
	default:
		answer(w, http.StatusOK, u)
	}
}

// patchUser changes a row as it is now; a sync that read it earlier puts the
// old values back when it ends (source: syncer.go:66).
func (d *Drone) patchUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Admin  *bool `json:"admin"`
		Active *bool `json:"active"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	d.mu.Lock()
	u, ok := d.findLogin(r.PathValue("user"))
	if ok {
		if in.Active != nil && u.Active && !*in.Active {
			d.ended[u.ID]++
		}
		if in.Admin != nil {
			u.Admin = *in.Admin
		}
		if in.Active != nil {
			u.Active = *in.Active
			u.Admin = u.Admin && u.Active
		}
		d.updateUser(u)
	}
	d.mu.Unlock()
	if !ok {
		noRows(w)
		return
	}
	answer(w, http.StatusOK, u)
	if !u.Active {
		d.transfer(u.ID)
	}
}

// transfer hands what a user owns, among the repositories that Drone lists for
// him, to another who administers it as far as Drone knows, or to nobody. Drone
// has answered by then (source: handler/api/users/update.go,
// service/transfer/transfer.go).
func (d *Drone) transfer(user int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.listOf(user) {
		if r.UserID != user {
			continue
		}
		r.UserID = 0
		for k, p := range d.perms {
			if k.uid == r.UID && k.user != user && p.Admin {
				r.UserID = k.user
				break
			}
		}
		d.repos[r.ID] = r
	}
}

// Active reports whether a user's account is.
func (d *Drone) Active(login string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, _ := d.findLogin(login)
	return u.Active
}

// Deactivations counts how often an active account was deactivated.
func (d *Drone) Deactivations(login string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, _ := d.findLogin(login)
	return d.ended[u.ID]
}

// Own makes somebody the owner of a repository that he activated, which others
// administer.
func (d *Drone) Own(slug, login string, administrators ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, _ := d.findRepo(func(x droneRepo) bool { return x.Slug == slug })
	u, _ := d.findLogin(login)
	r.UserID, r.Active = u.ID, true
	d.repos[r.ID] = r
	for _, name := range administrators {
		a, _ := d.findLogin(name)
		d.perms[permKey{a.ID, r.UID}] = dronePerm{Read: true, Write: true, Admin: true, synced: d.opt.Now().Unix()}
	}
}

func noRows(w http.ResponseWriter) { fail(w, http.StatusNotFound, "sql: no rows in result set") }
