package reconcile

import (
	"iter"

	"github.com/hookd/hookd/providers"
)

// collect reads a sequence to its end. An error means that what was read is
// not complete, and nothing of it is returned.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// strongest keeps one access for each repository of one user, or each user of
// one repository: the highest permission.
func strongest(all []providers.Access, key func(providers.Access) string) []providers.Access {
	at := make(map[string]int, len(all))
	out := all[:0:0]
	for _, a := range all {
		k := key(a)
		i, seen := at[k]
		switch {
		case !seen:
			at[k] = len(out)
			out = append(out, a)
		case a.Permission > out[i].Permission:
			out[i] = a
		}
	}
	return out
}

func byUser(a providers.Access) string { return a.User.ID }
func byRepo(a providers.Access) string { return a.Repo.ID }
