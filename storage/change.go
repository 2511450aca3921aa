package storage

import "github.com/hookd/hookd/providers"

// A Change is what one read of the forge says about the catalogue. It is a
// value: only an engine applies it, and only while the job's lease is held.
//
// Nothing is taken away except what the Change names: users absent from a
// complete Audience, repositories absent from a complete List, cells with
// permission None, and repositories that are Gone.
type Change struct {
	Provider string
	// Read is the fence of the oldest answer the Change rests on: the lease's,
	// or that of a cached model. Zero stands for the lease's.
	Read uint64
	// Labels is the fence of the answer that Repos and the repositories of
	// Audiences are described by. Zero stands for Read.
	Labels uint64

	Repos     []providers.Repo   // seen: inserted or relabelled
	Gone      []string           // ids of repositories proven deleted: everybody loses them
	Audiences []Audience         // complete reads of one repository
	Lists     []List             // complete reads of one user
	Cells     []providers.Access // single facts, None included
	Users     []providers.User   // seen: inserted or relabelled
	Snapshots map[string][]byte  // what a poll compares with next time; nil value deletes
}

// An Audience is everybody in whose own list Repo appears.
type Audience struct {
	Repo  providers.Repo
	Users []Member
}

// A Member is one user of an Audience.
type Member struct {
	User       providers.User
	Permission providers.Permission
}

// A List is everything a user holds in the organizations the provider entry is
// responsible for. It makes the user's holdings complete.
type List struct {
	User  providers.User
	Repos []providers.Access
}

// Empty reports whether c says nothing at all.
func (c *Change) Empty() bool {
	return c == nil || len(c.Repos)+len(c.Gone)+len(c.Audiences)+len(c.Lists)+len(c.Cells)+len(c.Users)+len(c.Snapshots) == 0
}

// Applied is what an engine made of a Change and a Confirm.
type Applied struct {
	Granted  int // cells from None to some permission
	Altered  int // cells from one permission to another, and cells whose repository was relabelled
	Revoked  int // cells to None
	Stale    int // writes refused because a later read had already decided otherwise
	First    int // of Granted: cells of users who never held anything before, or whose whole list was never read
	Users    int // users whose holdings changed
	Visible  []Visible
	Rerun    bool // the job was pushed again while it ran, or its cached read was too old
	Followed int  // jobs pushed as a consequence
}

// Changed is the number of cells that differ now.
func (a Applied) Changed() int { return a.Granted + a.Altered + a.Revoked }
