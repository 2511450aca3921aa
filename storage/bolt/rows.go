package bolt

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// A userRecord is a user's row without its cells.
type userRecord struct {
	User     providers.User               `json:"user"`
	Claim    uint64                       `json:"claim,omitempty"` // to the login: the newest holds it
	Read     uint64                       `json:"read,omitempty"`  // fence of the read that the login comes from
	Version  uint64                       `json:"version,omitempty"`
	Complete bool                         `json:"complete,omitempty"`
	Floor    uint64                       `json:"floor,omitempty"`
	Checked  time.Time                    `json:"checked,omitzero"`
	Held     int                          `json:"held,omitempty"` // cells without tombstones
	Targets  map[string]storage.Published `json:"targets,omitempty"`
}

// A repoRecord is a repository's column without its cells.
type repoRecord struct {
	Repo    providers.Repo `json:"repo"`
	Claim   uint64         `json:"claim,omitempty"` // to the path: the newest holds it
	Read    uint64         `json:"read,omitempty"`  // fence of the read that the labels come from
	Floor   uint64         `json:"floor,omitempty"`
	Born    uint64         `json:"born,omitempty"`
	Gone    uint64         `json:"gone,omitempty"` // fence of the read that proved it deleted, zero if none did
	Seen    time.Time      `json:"seen,omitzero"`
	Holders int            `json:"holders,omitempty"` // without tombstones
}

// A cellRecord is a storage.Cell without its repository.
type cellRecord struct {
	Permission uint8                `json:"p,omitempty"`
	Was        uint8                `json:"b,omitempty"`
	Read       uint64               `json:"r"`
	Version    uint64               `json:"v,omitempty"`
	Changed    time.Time            `json:"c"`
	Asked      time.Time            `json:"a,omitzero"`
	Cause      string               `json:"w,omitempty"`
	Why        string               `json:"y,omitempty"`
	Shown      map[string]time.Time `json:"s,omitempty"`
	Gone       map[string]time.Time `json:"g,omitempty"`
	Hidden     map[string]string    `json:"h,omitempty"`
}

func (c cellRecord) cell(r providers.Repo) storage.Cell {
	return storage.Cell{
		Repo: r, Permission: providers.Permission(c.Permission), Was: providers.Permission(c.Was), Read: c.Read, Version: c.Version,
		Changed: c.Changed, Asked: c.Asked, Cause: c.Cause, Why: c.Why, Shown: c.Shown, Gone: c.Gone, Hidden: c.Hidden,
	}
}

// held reports whether the cell is no tombstone.
func (c *cellRecord) held() bool { return c.Permission > uint8(providers.None) }

// at is where a cell stands.
type at struct{ user, repo string }

func userKey(provider, user string) []byte         { return join(provider, user) }
func repoKey(provider, repo string) []byte         { return join(provider, repo) }
func cellKey(provider, user, repo string) []byte   { return join(provider, user, repo) }
func holderKey(provider, repo, user string) []byte { return join(provider, repo, user) }

func tombKey(provider string, where at, c *cellRecord) []byte {
	return append(appendTime(nil, c.Changed), cellKey(provider, where.user, where.repo)...)
}

// claimKey is a login or path with the id of who has or had it.
func claimKey(provider, name, id string) []byte { return join(provider, label(name), id) }

func claimValue(claim uint64) []byte { return binary.BigEndian.AppendUint64(nil, claim) }

// claimant returns the id with the newest claim to a login or path; holds
// decides what the key, which may be cut short, leaves open.
func (v view) claimant(t table, provider, name string, holds func(id string) (bool, error)) (string, error) {
	best, newest := "", uint64(0)
	prefix := join(provider, label(name))
	err := v.each(t, prefix, func(k, record []byte) (bool, error) {
		data, err := unseal(t, k, record)
		if err != nil {
			return false, err
		}
		id, _, ok := cut(k[len(prefix):])
		if claim := binary.BigEndian.Uint64(data); ok && (best == "" || claim > newest) {
			if ok, err = holds(id); ok {
				best, newest = id, claim
			}
		}
		return true, err
	})
	if err == nil && best == "" {
		err = storage.ErrUnknown
	}
	return best, err
}

// cellsOf returns a user's cells by repository id.
func (v view) cellsOf(provider, user string, fn func(repo string, c *cellRecord) error) error {
	prefix := userKey(provider, user)
	return v.each(tCells, prefix, func(k, record []byte) (bool, error) {
		var c cellRecord
		if err := unsealJSON(tCells, k, record, &c); err != nil {
			return false, err
		}
		repo, _, _ := cut(k[len(prefix):])
		return true, fn(repo, &c)
	})
}

// holdersOf returns the ids of the users who have a cell on a repository.
func (v view) holdersOf(provider, repo string) (users []string, err error) {
	prefix := repoKey(provider, repo)
	err = v.each(tHolders, prefix, func(k, _ []byte) (bool, error) {
		user, _, _ := cut(k[len(prefix):])
		users = append(users, user)
		return true, nil
	})
	return slices.Clip(users), err
}
