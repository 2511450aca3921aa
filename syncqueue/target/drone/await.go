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

var errBusy = errors.New("another sync of this user is running in the CI server")

// marks remembers since when Drone calls a user "syncing".
type marks struct {
	mu    sync.Mutex
	since map[string]time.Time
}

// seen records the state and tells how long it has been true.
func (m *marks) seen(login string, syncing bool, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !syncing {
		delete(m.since, login)
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
		since := t.marks.seen(providers.Fold(a.login), who.Syncing, t.cfg.Now())
		switch {
		case !who.Syncing:
			return step > 0, nil
		case since >= abandoned:
			t.cfg.Log.Warn("the CI server has called a user syncing for too long to be true: syncing anyway", "user", a.login, "since", since)
			return false, nil
		case step == len(t.cfg.Wait):
			return false, fmt.Errorf("%w since at least %s", errBusy, since.Round(time.Second))
		}
		pause := time.NewTimer(t.cfg.Wait[step])
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return false, ctx.Err()
		}
	}
}
