package handlers

import (
	"sync"
	"time"
)

// quiet is how long a throttle keeps silent after a line.
const quiet = 10 * time.Second

// A throttle keeps strangers from filling the log: of each kind of line it lets
// one through, then counts for a while. Keys must be of a closed set.
type throttle struct {
	mu   sync.Mutex
	seen map[string]*lull
}

type lull struct {
	until   time.Time
	skipped int
}

// allow reports whether a line may be written now, and how many were not since
// the last one.
func (t *throttle) allow(key string, now time.Time) (skipped int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.seen[key]
	if l == nil {
		if t.seen == nil {
			t.seen = map[string]*lull{}
		}
		l = &lull{}
		t.seen[key] = l
	}
	if now.Before(l.until) {
		l.skipped++
		return 0, false
	}
	skipped, l.skipped, l.until = l.skipped, 0, now.Add(quiet)
	return skipped, true
}
