package storage

import (
	"time"

	"github.com/hookd/hookd/providers"
)

// SeenStep is how exact Column.Seen is: a repository that is seen again and
// again is not written again and again.
const SeenStep = time.Hour

// Relabel returns the repository old with the labels of new: what new does not
// tell stays.
func Relabel(old, new providers.Repo) providers.Repo {
	new.ID = old.ID
	if new.Path == "" {
		return old
	}
	if new.Org.ID == "" && new.Org.Name == "" {
		new.Org = old.Org
	}
	if new.Visibility == "" {
		new.Visibility = old.Visibility
	}
	if new.Created.IsZero() {
		new.Created = old.Created
	}
	return new
}

// Renamed says in words what became of a repository's labels, unless whoever
// saw it said so already.
func Renamed(old, new providers.Repo, why string) string {
	switch {
	case why != "" || old.Path == "":
	case old.Path != new.Path:
		return "renamed from " + old.Path
	case old.Archived != new.Archived && new.Archived:
		return "archived"
	case old.Archived != new.Archived:
		return "unarchived"
	case old.Visibility != new.Visibility && new.Visibility != "":
		return "became " + string(new.Visibility)
	}
	return why
}
