package drone

import (
	"fmt"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Drone reads the forge itself, and may be told nonsense in the one moment
// between the look and the sync. What it then took away is a wound: there is
// nothing left to lose, so no guard holds the next sync, which would take the
// same nonsense for an answer again. It is made up for as soon as Drone's preview
// is sane again, which is asked for until then, ever less often.
type wounds struct {
	mu    sync.Mutex
	since map[string]time.Time // by folded login
}

// What a wound is looked at: first after soon, at least every rarely.
const (
	soon   = 2 * time.Second
	rarely = time.Minute
)

// next is when to look again at a user whose wound shows now.
func (w *wounds) next(login string, now time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	login = providers.Fold(login)
	if w.since == nil {
		w.since = map[string]time.Time{}
	}
	first, ok := w.since[login]
	if !ok {
		first = now
		w.since[login] = now
	}
	return now.Add(min(max(now.Sub(first), soon), rarely))
}

// healed forgets a user's wound.
func (w *wounds) healed(login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.since, providers.Fold(login))
}

// lacking returns the ids of what was seen to show, is to show, and does not.
// What Drone skips is not lacking.
func lacking(want target.Desired, shown rows) []string {
	var ids []string
	if want.Seen == nil {
		return nil
	}
	for _, a := range want.Present {
		if _, ok := shown[a.Repo.ID]; !ok && !a.Repo.Archived && !nested(a.Repo.Path) && want.Seen(a.Repo.ID) {
			ids = append(ids, a.Repo.ID)
		}
	}
	return ids
}

// heals returns a *target.LaterError if a sync by this preview would leave of
// what the user lacks, and of the have that he sees, less than the guard
// allows.
func (t *Target) heals(a *actor, lacks []string, remote rows, have, lost, explained int) error {
	if len(lacks) == 0 {
		return nil
	}
	still := 0
	for _, id := range lacks {
		r, listed := remote[id]
		switch {
		case !listed:
			still++
		case r.Archived, nested(r.Slug):
			still++
			explained++
		}
	}
	whole := have + len(lacks)
	left := whole - lost - still
	if left == 0 && len(remote) > 0 {
		left = 1 // an exchange, and not an empty list
	}
	if !t.cfg.Guard.Holds(whole, left, explained) {
		t.wounds.healed(a.login)
		return nil
	}
	return &target.LaterError{
		At:  t.wounds.next(a.login, t.cfg.Now()),
		Err: fmt.Errorf("%d repositories that showed were taken away by a sync, and the CI server's preview of the forge does not have them: waiting until it has", len(lacks)),
	}
}
