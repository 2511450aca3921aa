package woodpecker

import (
	"context"
	"fmt"

	"github.com/hookd/hookd/syncqueue/target"
)

// count asks the forge for the size of the user's list, and holds if it answers
// nonsense: then nothing that Woodpecker would learn from it now is to be
// believed, additions neither.
func (t *Target) count(ctx context.Context, want target.Desired, v *view) error {
	if want.Count == nil || want.Force {
		return nil
	}
	n, err := want.Count(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("asking the forge for the size of the list: %w", err)
	case n == target.Unknown:
		return nil
	}
	return t.hold(len(v.shown), n, len(v.leaves(want)), "the forge counts")
}

// guard decides whether Woodpecker may read the forge's whole list now, and
// delete every row that is not in it. The preview names each repository that
// would go from the user's list. A size alone would not do: most of what the
// forge counts is not active, so a list may lose half and still be longer than
// what shows.
func (t *Target) guard(ctx context.Context, a actor, want target.Desired, v *view) error {
	if want.Force {
		return nil
	}
	remote, err := t.preview(ctx, a)
	if err != nil {
		return fmt.Errorf("asking for a preview: %w", err)
	}
	leaving := v.leaves(want)
	lost, explained := 0, 0
	for id := range v.shown {
		if r, ok := remote[id]; ok && !r.Lost {
			continue
		}
		lost++
		if leaving[id] || archived(want, id) {
			explained++
		}
	}
	left := len(v.shown) - lost
	if left == 0 && stays(remote) {
		left = 1 // an exchange, and not an empty list
	}
	return t.hold(len(v.shown), left, explained, "the CI server's preview of the forge has")
}

func (t *Target) hold(have, expect, explained int, who string) error {
	if !t.cfg.Guard.Holds(have, expect, explained) {
		return nil
	}
	return &target.HeldError{Have: have, Expect: expect, Explained: explained, Reason: fmt.Sprintf("%s %d of %d", who, expect, have)}
}

// stays reports whether the forge lists anything at all.
func stays(remote rows) bool {
	for _, r := range remote {
		if !r.Lost {
			return true
		}
	}
	return false
}

// archived reports whether a repository is to be seen, and the forge calls it
// archived: a refresh leaves it out.
func archived(want target.Desired, id string) bool {
	for _, a := range want.Present {
		if a.Repo.ID == id {
			return a.Repo.Archived
		}
	}
	return false
}
