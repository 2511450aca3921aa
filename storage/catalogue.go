package storage

import (
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/providers"
)

// ErrUnknown: the catalogue has no such user, repository or snapshot.
var ErrUnknown = errors.New("storage: unknown")

// ErrFull: the store is over its bound or the disk is full; nothing was
// recorded.
var ErrFull = errors.New("storage: full")

// ErrClosed: the store was closed.
var ErrClosed = errors.New("storage: closed")

// A Catalogue answers what is believed. It never blocks on a writer, and every
// answer is one consistent view. What it returns belongs to the caller.
type Catalogue interface {
	// Holdings returns what the user of this id holds. ErrUnknown.
	Holdings(ctx context.Context, provider, userID string) (Holdings, error)

	// UserByLogin compares case-folded. ErrUnknown.
	UserByLogin(ctx context.Context, provider, login string) (providers.User, error)

	// Repo returns a repository by id with everybody who holds it (tombstones
	// included). ErrUnknown.
	Repo(ctx context.Context, provider, repoID string) (Column, error)

	// RepoByPath compares case-folded; a path that moved from one repository
	// to another belongs to the newer. ErrUnknown.
	RepoByPath(ctx context.Context, provider, path string) (Column, error)

	// Former returns the id of the user or repository (kind) that was the last
	// to give up this name, compared case-folded, and has another now; somebody
	// else may have the name by now. ErrUnknown.
	Former(ctx context.Context, provider string, kind providers.SubjectKind, name string) (id string, err error)

	// Users lists by login, Repos by path, from after a cursor; next is "" at
	// the end. limit is at least 1.
	Users(ctx context.Context, q UserQuery, cursor string, limit int) (users []UserRow, next string, err error)
	Repos(ctx context.Context, q RepoQuery, cursor string, limit int) (repos []RepoRow, next string, err error)

	// Snapshot returns what a poll kept. ErrUnknown.
	Snapshot(ctx context.Context, key string) ([]byte, error)
}

// A Column is a repository with its audience.
type Column struct {
	Repo    providers.Repo
	Gone    bool   // proven deleted
	Floor   uint64 // fence of the latest complete Audience
	Born    uint64 // fence of the lease under which it was first seen
	Seen    time.Time
	Holders []Holder // by user id
}

// A Holder is one user's cell seen from the repository.
type Holder struct {
	User providers.User
	Cell Cell // with Repo left zero
}

// A UserQuery selects users; zero fields select all.
type UserQuery struct {
	Provider      string
	CheckedBefore time.Time // never checked, or before this time
	Behind        string    // not published to this target
}

// A UserRow is one user of a listing.
type UserRow struct {
	Provider string
	User     providers.User
	Repos    int // held, without tombstones
	Version  uint64
	Complete bool
	Checked  time.Time
	Targets  map[string]Published
}

// A RepoQuery selects repositories; zero fields select all. Deleted ones are
// not listed.
type RepoQuery struct {
	Provider string
	Org      string // the owner's name, case-folded, or id
}

// A RepoRow is one repository of a listing.
type RepoRow struct {
	Provider string
	Repo     providers.Repo
	Users    int
	Seen     time.Time
}

// Visibles answers how long changes took to show. Newest last.
type Visibles interface {
	Visible(ctx context.Context, since time.Time) ([]Visible, error)
}
