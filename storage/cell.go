package storage

import (
	"time"

	"github.com/hookd/hookd/providers"
)

// A Cell is what one user is believed to hold on one repository. Permission
// None is a tombstone: it says that the access was taken away, by which read,
// and which targets have not confirmed that yet.
type Cell struct {
	Repo       providers.Repo
	Permission providers.Permission
	Was        providers.Permission // what it was before it last changed
	Read       uint64               // fence of the read that wrote it
	Version    uint64               // the user's version at which it last changed
	Changed    time.Time            // when it last changed
	Asked      time.Time            // when the delivery that led to the change was received; zero if none did
	Cause      string               // a delivery's id, or "poll", "sweep", "fill", "operator NAME"
	Why        string               // what was seen of the change, in words; "" if only its result was
	Shown      map[string]time.Time // target -> since when the CI server shows it
	Gone       map[string]time.Time // of a tombstone: target -> since when it does not show it any more
	Hidden     map[string]string    // target -> evidence that it will never show there
}

// A Verdict is what becomes of a write to a cell.
type Verdict uint8

// The verdicts.
const (
	Keep  Verdict = iota // nothing differs; the cell's fence may still rise
	Write                // the permission differs and the read is the latest
	Stale                // the permission differs but a later read decided it
)

// Judge decides a write of permission p, read at fence read, over the cell old
// (zero if there is none) whose row and column have the floors user and repo.
// Equal fences belong to one lease and may write again. Pass the row's floor
// through RowFloor first.
func Judge(old Cell, user, repo, read uint64, p providers.Permission) Verdict {
	switch {
	case p == old.Permission:
		return Keep
	case read < max(old.Read, user, repo):
		return Stale
	}
	return Write
}

// RowFloor is what the floor of a user's row says about a repository that was
// first seen under the lease fence born: nothing, if the list was read before
// the repository was known. Without this a cached team model, whose fence is
// older than the latest sweep of some user, could never announce a new
// repository to him.
func RowFloor(floor, born uint64) uint64 {
	if born > floor {
		return 0
	}
	return floor
}

// Holdings is what a user is believed to hold, and what each target confirmed.
type Holdings struct {
	User     providers.User
	Version  uint64    // rises with every effective change
	Complete bool      // a complete List was applied at least once
	Floor    uint64    // fence of the latest complete List
	Checked  time.Time // when that was
	Cells    []Cell    // by repository id; tombstones included
	Targets  map[string]Published
}

// Published is what a target has confirmed of a user.
type Published struct {
	Version    uint64    `json:"version"`
	At         time.Time `json:"at,omitzero"`
	Credential string    `json:"credential,omitempty"` // see the target package
	Note       string    `json:"note,omitempty"`
}

// Behind reports whether target has not confirmed the newest version.
func (h Holdings) Behind(target string) bool { return h.Targets[target].Version < h.Version }

// Present returns the accesses held, without tombstones.
func (h Holdings) Present() []providers.Access {
	out := make([]providers.Access, 0, len(h.Cells))
	for _, c := range h.Cells {
		if c.Permission > providers.None {
			out = append(out, providers.Access{User: h.User, Repo: c.Repo, Permission: c.Permission})
		}
	}
	return out
}

// Absent returns what was taken away and not yet confirmed by target.
func (h Holdings) Absent(target string) []providers.Access {
	var out []providers.Access
	for _, c := range h.Cells {
		if c.Permission == providers.None && c.Version > h.Targets[target].Version {
			out = append(out, providers.Access{User: h.User, Repo: c.Repo})
		}
	}
	return out
}
