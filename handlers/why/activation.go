package why

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// activated finds what a target's policy came to about the repository.
func (t *targetFacts) activated(ctx context.Context, s Sources, f facts) error {
	kept, err := s.Catalogue.Snapshot(ctx, storage.ActivationKey(t.name, f.provider, f.repo.ID))
	switch {
	case errors.Is(err, storage.ErrUnknown):
	case err != nil:
		return err
	default:
		if t.activation, err = storage.ReadActivation(kept); err != nil {
			return err
		}
	}
	t.deciding, err = pending(ctx, s, syncqueue.ActivationJob(t.name, f.provider, f.repo, syncqueue.Job{}, 0, f.now).Key)
	return err
}

// activity is whether the target builds the repository, as far as its policy
// has to do with that; ok is false if it has not.
func (t targetFacts) activity() (l Link, ok bool) {
	l = Link{Link: "activation", Target: t.name, State: No}
	a := t.activation
	switch j := t.deciding; {
	case j != nil && (j.State == syncqueue.Parked || j.State == syncqueue.Dead):
		l.Job, l.Says = j.ID, fmt.Sprintf("%s: %s", j.State, reason(*j))
		return l, true
	case j != nil:
		l.Job, l.State, l.At, l.Says = j.ID, Wait, at(j.NotBefore), "not decided yet"
		if why := reason(*j); why != "" {
			l.Says += ": " + why
		}
		return l, true
	case a.State == "":
		return l, false
	case a.State == storage.Activated || a.State == storage.ActiveAlready:
		l.State = Yes
	}
	l.At, l.Says = at(a.At), fmt.Sprintf("%s at %s", a.State, stamp(a.At))
	if a.As != "" {
		l.Says += " as " + a.As
	}
	if a.Note != "" {
		l.Says += ": " + a.Note
	}
	return l, true
}
