package drone

import (
	"fmt"
	"sync"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// logins knows who has to log in to Drone before it can read the forge for him:
// who never did, and whose session with the forge is spent.
type logins struct {
	mu    sync.Mutex
	last  map[string]int64 // by folded login, as Drone tells it
	spent map[string]int64 // the login that was the last when the session was found spent
}

// seen takes over what Drone tells of a user.
func (l *logins) seen(who account) {
	if who.LastLogin == nil || who.Machine {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = map[string]int64{}
	}
	l.last[providers.Fold(who.Login)] = *who.LastLogin
}

// exhausted remembers that the user's session with the forge is spent.
func (l *logins) exhausted(login string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spent == nil {
		l.spent = map[string]int64{}
	}
	login = providers.Fold(login)
	l.spent[login] = l.last[login]
}

// synced remembers that Drone read the forge for the user.
func (l *logins) synced(login string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.spent, providers.Fold(login))
}

// wanted reports whether the user must log in: as far as is known he never did,
// or not since his session was found spent.
func (l *logins) wanted(login string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	login = providers.Fold(login)
	last, known := l.last[login]
	if known && last == 0 {
		return true
	}
	spent, ok := l.spent[login]
	return ok && last <= spent
}

// never tells apart who has an account, but never logged in. A sync would have
// no forge to read: Drone answers 500 "Unauthorized", but stamps the user as
// synchronized, so that his first login within a week reads nothing either
// (measured; source: service/syncer/syncer.go:66, handler/web/login.go:154).
func never(who account) error {
	if who.LastLogin == nil || *who.LastLogin != 0 || who.Machine {
		return nil
	}
	return fmt.Errorf("%w: he has an account there, but never used it", target.ErrMustLogIn)
}
