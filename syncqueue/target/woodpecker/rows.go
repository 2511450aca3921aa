package woodpecker

import (
	"encoding/json"
	"errors"
)

// account is what Woodpecker tells of a user [server/model/user.go].
type account struct {
	ID       int64  `json:"id"`
	ForgeID  int64  `json:"forge_id"`
	RemoteID string `json:"forge_remote_id"` // the forge's id, as text
	Login    string `json:"login"`
	Admin    bool   `json:"admin"`
}

// row is what matters of a repository in Woodpecker's lists
// [server/model/repo.go].
type row struct {
	ID         int64  `json:"id"` // Woodpecker's; 0 for one that it does not store
	ForgeID    int64  `json:"forge_id"`
	RemoteID   string `json:"forge_remote_id"` // the forge's id, as text
	Path       string `json:"full_name"`
	Active     bool   `json:"active"`
	Visibility string `json:"visibility"`
	Lost       bool   `json:"has_no_forge_repo"` // only in the list to add: stored, and the forge does not list it for pushing
}

// open reports whether everybody who is logged in may look at it, whatever the
// rows say [server/router/middleware/session/repo.go].
func (r row) open() bool { return r.Visibility == "public" || r.Visibility == "internal" }

// rows is a list of one forge's repositories, by the forge's id.
type rows map[string]row

// read decodes a list row by row. null is an empty list: what is listed to add
// is an unset slice if there is nothing [server/api/user.go].
func (l rows) read(d *json.Decoder) error {
	switch t, err := d.Token(); {
	case err != nil:
		return err
	case t == nil:
		return nil
	case t != json.Delim('['):
		return errors.New("not a list")
	}
	for d.More() {
		var r row
		if err := d.Decode(&r); err != nil {
			return err
		}
		if r.RemoteID == "" || r.Path == "" {
			return errors.New("a repository without id or name")
		}
		l[r.RemoteID] = r
	}
	_, err := d.Token()
	return err
}

// perm is a user's permission on one repository [server/model/perm.go].
type perm struct {
	Pull   bool  `json:"pull"`
	Push   bool  `json:"push"`
	Admin  bool  `json:"admin"`
	Synced int64 `json:"synced"` // when it was read from the forge, 0 if there is no row
}
