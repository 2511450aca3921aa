package drone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// abandoned is how long Drone may call a user "syncing" before that is taken
// for what a crash left behind: a login's sync has no longer to live.
const abandoned = 30 * time.Minute

// cutOff is the same for a sync of ours that broke off: Drone ends it with our
// request, unless it is gone itself.
const cutOff = time.Minute

var errBusy = errors.New("another sync of this user is running in the CI server")

// marks remembers since when Drone calls a user "syncing", and whose sync of
// ours broke off.
type marks struct {
	mu     sync.Mutex
	since  map[string]time.Time
	broken map[string]bool
}

func newMarks() marks { return marks{since: map[string]time.Time{}, broken: map[string]bool{}} }

// broke records that Drone went away amid a sync of ours: if it was restarted,
// nobody will ever take back that it calls the user "syncing".
func (m *marks) broke(login string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken[login] = true
}

// patience is how long a user may be "syncing" until that is not believed, given
// how long a sync of ours may take.
func (m *marks) patience(login string, ours time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken[login] {
		return min(ours, cutOff)
	}
	return abandoned
}

// seen records the state and tells how long it has been true.
func (m *marks) seen(login string, syncing bool, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !syncing {
		delete(m.since, login)
		delete(m.broken, login)
		return 0
	}
	first, ok := m.since[login]
	if !ok {
		m.since[login] = now
		return 0
	}
	return now.Sub(first)
}

// await returns when no sync of the user is running that somebody else began:
// Drone has no lock, and of two the slower one restores what it read at its
// start. waited tells that there was one. It also finds out whose token it is.
func (t *Target) await(ctx context.Context, a *actor) (waited bool, err error) {
	for step := 0; ; step++ {
		who, err := t.whoami(ctx, a)
		if err != nil {
			return false, err
		}
		login := providers.Fold(a.login)
		since := t.marks.seen(login, who.Syncing, t.cfg.Now())
		switch {
		case !who.Syncing:
			return step > 0, nil
		case since >= t.marks.patience(login, t.cfg.SyncTimeout):
			t.cfg.Log.Warn("the CI server has called a user syncing for too long to be true: syncing anyway", "user", a.login, "since", since)
			return false, nil
		case step == len(t.cfg.Wait):
			return false, fmt.Errorf("%w since at least %s", errBusy, since.Round(time.Second))
		}
		if err := pause(ctx, t.cfg.Wait[step]); err != nil {
			return false, err
		}
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
