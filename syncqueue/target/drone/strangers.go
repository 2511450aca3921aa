package drone

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// rosterFor is how long a list of Drone's users tells who is none: long enough
// for the many whom one event concerns, and short for who is just logging in.
const rosterFor = 5 * time.Second

// strangers knows who is no user of Drone, from a list of all who are: one
// request then does for all who never logged in.
type strangers struct {
	mu     sync.Mutex
	users  map[string]bool // folded logins
	listed time.Time
}

// knows reports whether login was no user a moment ago.
func (s *strangers) knows(login string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users != nil && now.Sub(s.listed) < rosterFor && !s.users[providers.Fold(login)]
}

// met lists all users after one turned out to be none. That it fails costs a
// request for the next stranger, and nothing else.
func (t *Target) met(ctx context.Context) {
	now := t.cfg.Now()
	t.strangers.mu.Lock()
	defer t.strangers.mu.Unlock()
	if t.strangers.users != nil && now.Sub(t.strangers.listed) < rosterFor {
		return
	}
	accounts, err := t.Accounts(ctx)
	if err != nil {
		return
	}
	t.strangers.users, t.strangers.listed = make(map[string]bool, len(accounts)), now
	for _, a := range accounts {
		t.strangers.users[providers.Fold(a.Login)] = true
	}
}

// Greet forgets that a login was no user.
func (t *Target) Greet(login string) {
	t.strangers.mu.Lock()
	defer t.strangers.mu.Unlock()
	if t.strangers.users != nil {
		t.strangers.users[providers.Fold(login)] = true
	}
}

// stranger reports whether the actor is known to be no user, whom nobody needs to be
// asked about. Somebody whose token file is there is asked about in any case.
func (t *Target) stranger(a *actor) bool {
	return errors.Is(a.missing, target.ErrNoCredential) && t.strangers.knows(a.login, t.cfg.Now())
}
