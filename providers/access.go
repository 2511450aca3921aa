package providers

import (
	"fmt"
	"strings"
	"time"
)

// A Permission is the level at which somebody reaches a repository. Levels are
// ordered: None < Read < Write < Admin.
type Permission uint8

// The levels. A forge's finer grades are folded down to the next of these:
// GitHub's triage is Read and its maintain is Write.
const (
	None Permission = iota
	Read
	Write
	Admin
)

var permissionNames = [...]string{"none", "read", "write", "admin"}

func (p Permission) String() string {
	if int(p) < len(permissionNames) {
		return permissionNames[p]
	}
	return fmt.Sprintf("permission(%d)", uint8(p))
}

// MarshalText writes the level's name.
func (p Permission) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a level's name.
func (p *Permission) UnmarshalText(b []byte) error {
	for i, name := range permissionNames {
		if name == string(b) {
			*p = Permission(i)
			return nil
		}
	}
	return fmt.Errorf("providers: unknown permission %q", b)
}

// A User is a person or machine account of a forge.
type User struct {
	ID    string `json:"id"`
	Login string `json:"login,omitempty"`
}

// An Org is an organization, a group, or (when Personal) the account of the
// user who owns a repository directly.
type Org struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Personal bool   `json:"personal,omitempty"`
}

// A Team is a part of an organization.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Visibility says to whom a repository shows beside those who were granted it.
type Visibility string

// The visibilities; Internal means every signed-in user of the instance.
const (
	Public   Visibility = "public"
	Internal Visibility = "internal"
	Private  Visibility = "private"
)

// Narrower reports whether v shows to fewer people than w. One that is not known
// counts as the narrowest.
func (v Visibility) Narrower(w Visibility) bool { return v.width() < w.width() }

func (v Visibility) width() int {
	switch v {
	case Public:
		return 2
	case Internal:
		return 1
	}
	return 0
}

// A Repo is a repository as the forge describes it now. Only ID is identity.
type Repo struct {
	ID         string     `json:"id"`
	Path       string     `json:"path,omitempty"` // the full path, "acme/app"
	Org        Org        `json:"org,omitzero"`   // the owner
	Visibility Visibility `json:"visibility,omitempty"`
	Archived   bool       `json:"archived,omitempty"`
	Fork       bool       `json:"fork,omitempty"`
	Created    time.Time  `json:"created,omitzero"`
}

// A Remote is where a repository is, and what is checked out of it.
type Remote struct {
	Clone  string // by HTTP
	SSH    string
	Link   string // for people
	Branch string // the default one; "" while there is none
	// Private is the forge's own flag: what is internal carries it on GitHub
	// and GitLab, and does not on Gitea.
	Private bool
}

// OwnerOf returns what stands before the name in the path of a repository:
// "acme/sub" for "acme/sub/app".
func OwnerOf(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '/'))]
}

// Labels reports whether r and s carry the same labels, whatever their ids.
func (r Repo) Labels(s Repo) bool {
	return r.Path == s.Path && r.Org == s.Org && r.Visibility == s.Visibility && r.Archived == s.Archived
}

// Access is one user's permission on one repository. Permission None is an
// explicit "not any more", never a missing answer.
type Access struct {
	User       User       `json:"user"`
	Repo       Repo       `json:"repo"`
	Permission Permission `json:"permission"`

	// Until is when the forge will end it by itself, in UTC; zero if it does
	// not, or that is not told.
	Until time.Time `json:"until,omitzero"`
}

// SubjectKind is what a Subject names.
type SubjectKind string

// The kinds of subject.
const (
	SubjectRepo SubjectKind = "repo"
	SubjectUser SubjectKind = "user"
	SubjectTeam SubjectKind = "team"
	SubjectOrg  SubjectKind = "org"
)

// A Subject is whom or what an event touches, and so what has to be looked at
// again. Name is a label for people and for logs.
type Subject struct {
	Kind SubjectKind `json:"kind"`
	ID   string      `json:"id"`
	Name string      `json:"name,omitempty"`
}

func (s Subject) String() string {
	if s.Name == "" {
		return string(s.Kind) + " " + s.ID
	}
	return string(s.Kind) + " " + s.Name
}

// Fold returns the form in which logins, paths and slugs compare.
func Fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
