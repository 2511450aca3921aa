package drone

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/hookd/hookd/providers"
)

// account is what Drone tells of a user.
type account struct {
	ID      int64  `json:"id"`
	Login   string `json:"login"`
	Active  bool   `json:"active"`
	Machine bool   `json:"machine"`
	Admin   bool   `json:"admin"`
	Syncing bool   `json:"syncing"`
	// LastLogin is in seconds, 0 if he never logged in, and nil if Drone does
	// not tell.
	LastLogin *int64 `json:"last_login"`
}

// row is what matters of a repository in Drone's lists.
type row struct {
	UID      string `json:"uid"` // the forge's id, as text
	Slug     string `json:"slug"`
	Archived bool   `json:"archived"` // only in the remote list: Drone does not store it
}

// rows is a user's list, by UID.
type rows map[string]row

// bySlug finds the repository that holds a name, whatever its id.
func (l rows) bySlug() map[string]row {
	out := make(map[string]row, len(l))
	for _, r := range l {
		out[providers.Fold(r.Slug)] = r
	}
	return out
}

// read decodes a list row by row: Drone sends all of a user's repositories at
// once, 600 bytes each. null is no list, and a row without an id is no row.
func (l rows) read(d *json.Decoder) error {
	switch t, err := d.Token(); {
	case err != nil:
		return err
	case t != json.Delim('['):
		return errors.New("not a list")
	}
	for d.More() {
		var r row
		if err := d.Decode(&r); err != nil {
			return err
		}
		if r.UID == "" || r.Slug == "" {
			return errors.New("a repository without id or name")
		}
		l[r.UID] = r
	}
	_, err := d.Token()
	return err
}

// nested reports whether Drone skips a path because it lies in a subgroup.
func nested(path string) bool { return strings.Count(path, "/") > 1 }
