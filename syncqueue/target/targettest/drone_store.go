package targettest

import (
	"cmp"
	"slices"

	"github.com/hookd/hookd/providers"
)

// droneUser is a row of users, with Drone's JSON (source: core/user.go:31).
type droneUser struct {
	ID        int64  `json:"id"`
	Login     string `json:"login"`
	Email     string `json:"email"`
	Machine   bool   `json:"machine"`
	Admin     bool   `json:"admin"`
	Active    bool   `json:"active"`
	Avatar    string `json:"avatar"`
	Syncing   bool   `json:"syncing"`
	Synced    int64  `json:"synced"`
	Created   int64  `json:"created"`
	Updated   int64  `json:"updated"`
	LastLogin int64  `json:"last_login"`

	token   string // the forge's
	refresh int    // serial of the forge's refresh token, 0 for none
	expiry  int64
	hash    string // the API token
}

// droneRepo is a row of repos, with Drone's JSON (source: core/repo.go:34).
type droneRepo struct {
	ID            int64      `json:"id"`
	UID           string     `json:"uid"`
	UserID        int64      `json:"user_id"`
	Namespace     string     `json:"namespace"`
	Name          string     `json:"name"`
	Slug          string     `json:"slug"`
	SCM           string     `json:"scm"`
	HTTPURL       string     `json:"git_http_url"`
	SSHURL        string     `json:"git_ssh_url"`
	Link          string     `json:"link"`
	Branch        string     `json:"default_branch"`
	Private       bool       `json:"private"`
	Visibility    string     `json:"visibility"`
	Active        bool       `json:"active"`
	Config        string     `json:"config_path"`
	Trusted       bool       `json:"trusted"`
	Protected     bool       `json:"protected"`
	IgnoreForks   bool       `json:"ignore_forks"`
	IgnorePulls   bool       `json:"ignore_pull_requests"`
	CancelPulls   bool       `json:"auto_cancel_pull_requests"`
	CancelPush    bool       `json:"auto_cancel_pushes"`
	CancelRunning bool       `json:"auto_cancel_running"`
	Timeout       int64      `json:"timeout"`
	Counter       int64      `json:"counter"`
	Synced        int64      `json:"synced"`
	Created       int64      `json:"created"`
	Updated       int64      `json:"updated"`
	Version       int64      `json:"version"`
	Perms         *dronePerm `json:"permissions,omitempty"`
	Archived      bool       `json:"archived"` // not stored: false in every list but the remote one
}

// dronePerm is a row of perms.
type dronePerm struct {
	Read  bool `json:"read"`
	Write bool `json:"write"`
	Admin bool `json:"admin"`

	synced int64
}

// permKey names a row of perms. It holds the forge's id, so rows outlive the
// repository's own row and count again when one of that id comes back
// (measured).
type permKey struct {
	user int64
	uid  string
}

// store is Drone's database. Rows are values: who read one holds a copy, as
// Drone does. Its methods want Drone.mu held.
type store struct {
	last  int64
	users map[int64]droneUser
	repos map[int64]droneRepo
	perms map[permKey]dronePerm
	taken map[string]bool // forge ids of rows that were deleted for a namesake, and did not come back
}

func newStore() store {
	return store{users: map[int64]droneUser{}, repos: map[int64]droneRepo{}, perms: map[permKey]dronePerm{}, taken: map[string]bool{}}
}

func (s *store) id() int64 { s.last++; return s.last }

func (s *store) createUser(u droneUser) droneUser {
	u.ID = s.id()
	s.users[u.ID] = u
	return u
}

// updateUser writes the whole row but login and machine (source:
// store/user/user.go:271), whatever was changed since u was read.
func (s *store) updateUser(u droneUser) {
	if old, ok := s.users[u.ID]; ok {
		u.Login, u.Machine = old.Login, old.Machine
		s.users[u.ID] = u
	}
}

// findLogin compares without regard to case, as on SQLite (measured).
func (s *store) findLogin(login string) (droneUser, bool) {
	for _, u := range s.users {
		if providers.Fold(u.Login) == providers.Fold(login) {
			return u, true
		}
	}
	return droneUser{}, false
}

func (s *store) findToken(hash string) (droneUser, bool) {
	for _, u := range s.users {
		if hash != "" && u.hash == hash {
			return u, true
		}
	}
	return droneUser{}, false
}

func (s *store) findRepo(match func(droneRepo) bool) (droneRepo, bool) {
	for _, r := range s.repos {
		if match(r) {
			return r, true
		}
	}
	return droneRepo{}, false
}

// listOf joins repos and perms, ordered by slug (source: store/repos/repos.go:362).
func (s *store) listOf(user int64) []droneRepo {
	list := []droneRepo{}
	for _, r := range s.repos {
		if _, ok := s.perms[permKey{user, r.UID}]; ok {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b droneRepo) int { return cmp.Compare(a.Slug, b.Slug) })
	return list
}

// insertRepo ignores a row whose id or name is taken (source: batch2, INSERT OR
// IGNORE).
func (s *store) insertRepo(r droneRepo) {
	if _, taken := s.findRepo(func(x droneRepo) bool { return x.UID == r.UID || x.Slug == r.Slug }); !taken {
		r.ID = s.id()
		s.repos[r.ID] = r
		delete(s.taken, r.UID)
	}
}

// insertPerm ignores a permission that is there.
func (s *store) insertPerm(user int64, uid string) {
	k := permKey{user, uid}
	if _, ok := s.perms[k]; !ok {
		s.perms[k] = dronePerm{Read: true}
	}
}

// deleteNamesake removes rows of that name and another id: DELETE FROM repos
// WHERE repo_slug = … AND repo_uid != … (source: store/batch2/batch.go:395).
func (s *store) deleteNamesake(r droneRepo) (hit bool) {
	for id, x := range s.repos {
		if x.Slug == r.Slug && x.UID != r.UID {
			delete(s.repos, id)
			s.taken[x.UID] = true
			hit = true
		}
	}
	return hit
}
