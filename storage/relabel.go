package storage

import "github.com/hookd/hookd/providers"

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
