package targettest

import (
	"cmp"
	"slices"

	"github.com/hookd/hookd/providers"
)

// woodForge is the id of the only forge that a simulated Woodpecker has.
const woodForge = 1

// woodUser is a row of users, with Woodpecker's JSON (source:
// server/model/user.go).
type woodUser struct {
	ID       int64  `json:"id"`
	ForgeID  int64  `json:"forge_id,omitempty"`
	RemoteID string `json:"forge_remote_id"`
	Login    string `json:"login"`
	Email    string `json:"email"`
	Avatar   string `json:"avatar_url"`
	Admin    bool   `json:"admin,omitempty"`
	OrgID    int64  `json:"org_id"`

	token string // the forge's
	hash  string // the API token
}

// woodRepo is a row of repos, with Woodpecker's JSON (source:
// server/model/repo.go).
type woodRepo struct {
	ID         int64    `json:"id,omitempty"`
	ForgeID    int64    `json:"forge_id,omitempty"`
	RemoteID   string   `json:"forge_remote_id"`
	Owner      string   `json:"owner"`
	Name       string   `json:"name"`
	Path       string   `json:"full_name"`
	ForgeURL   string   `json:"forge_url,omitempty"`
	Branch     string   `json:"default_branch,omitempty"`
	Timeout    int64    `json:"timeout,omitempty"`
	Visibility string   `json:"visibility"`
	Private    bool     `json:"private"`
	Trusted    woodTrue `json:"trusted"`
	Approval   string   `json:"require_approval"`
	Active     bool     `json:"active"`
	AllowPull  bool     `json:"allow_pr"`
	Config     string   `json:"config_file"`
	Conflict   bool     `json:"has_forge_name_conflict,omitempty"`
	Lost       bool     `json:"has_no_forge_repo,omitempty"`

	perm woodPerm // the forge's, of who asked for it
	by   int64    // the user as whom Woodpecker asks the forge
}

// woodTrue is what a repository's pipelines may do beyond others'.
type woodTrue struct {
	Network  bool `json:"network"`
	Volumes  bool `json:"volumes"`
	Security bool `json:"security"`
}

// woodPerm is a row of perms (source: server/model/perm.go).
type woodPerm struct {
	Pull    bool  `json:"pull"`
	Push    bool  `json:"push"`
	Admin   bool  `json:"admin"`
	Synced  int64 `json:"synced"`
	Created int64 `json:"created"`
	Updated int64 `json:"updated"`
}

// woodKey names a row of perms by Woodpecker's own ids.
type woodKey struct{ user, repo int64 }

// woodStore is Woodpecker's database. Its methods want Woodpecker.mu held.
type woodStore struct {
	last  int64
	users map[int64]woodUser
	repos map[int64]woodRepo
	perms map[woodKey]woodPerm
}

func newWoodStore() woodStore {
	return woodStore{users: map[int64]woodUser{}, repos: map[int64]woodRepo{}, perms: map[woodKey]woodPerm{}}
}

func (s *woodStore) id() int64 { s.last++; return s.last }

func (s *woodStore) createUser(u woodUser) woodUser {
	u.ID, u.ForgeID = s.id(), woodForge
	s.users[u.ID] = u
	return u
}

func (s *woodStore) findUser(match func(woodUser) bool) (woodUser, bool) {
	for _, u := range s.users {
		if match(u) {
			return u, true
		}
	}
	return woodUser{}, false
}

func (s *woodStore) findLogin(login string) (woodUser, bool) {
	return s.findUser(func(u woodUser) bool { return providers.Fold(u.Login) == providers.Fold(login) })
}

func (s *woodStore) findRepo(remoteID string) (woodRepo, bool) {
	for _, r := range s.repos {
		if r.RemoteID == remoteID {
			return r, true
		}
	}
	return woodRepo{}, false
}

// listOf joins repos and perms: active ones on which the user may push or
// administer (source: server/store/datastore/repo.go, RepoList; measured: a row
// that only lets him read is in no list).
func (s *woodStore) listOf(user int64) []woodRepo {
	list := []woodRepo{}
	for k, perm := range s.perms {
		if r := s.repos[k.repo]; k.user == user && r.Active && (perm.Push || perm.Admin) {
			list = append(list, r)
		}
	}
	byName(list)
	return list
}

func byName(list []woodRepo) {
	slices.SortFunc(list, func(a, b woodRepo) int { return cmp.Compare(a.Path, b.Path) })
}

// upsert writes a row as the forge told it.
func (s *woodStore) upsert(user, repo int64, perm woodPerm, now int64) {
	k := woodKey{user, repo}
	perm.Synced, perm.Created, perm.Updated = now, now, now
	if old, ok := s.perms[k]; ok {
		perm.Created = old.Created
	}
	s.perms[k] = perm
}
