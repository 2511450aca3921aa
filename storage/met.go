package storage

import "github.com/hookd/hookd/providers"

// A Met is a repository that a change met for the first time, or under another
// visibility than before.
type Met struct {
	Repo providers.Repo
	New  bool
	Was  providers.Visibility // unless it is new
}

// Meet adds what became of a repository, if that is worth telling. Without a
// path it is a mere id: nothing is known of it yet.
func Meet(all []Met, was, is providers.Repo) []Met {
	switch {
	case is.Path == "":
	case was.Path == "":
		all = append(all, Met{Repo: is, New: true})
	case was.Visibility != is.Visibility:
		all = append(all, Met{Repo: is, Was: was.Visibility})
	}
	return all
}
