package woodpecker

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A list of the active repositories is believed for hitFor where it has what is
// looked for, long enough for the many whom one event concerns, and for missFor
// where it has not: somebody may be activating it just now.
const (
	hitFor  = 5 * time.Second
	missFor = 200 * time.Millisecond
)

// scoutEvery bounds how long it goes unseen that somebody activated a
// repository.
const scoutEvery = 10 * time.Second

// active knows which repositories are active, whoever may see them.
type active struct {
	mu     sync.Mutex
	list   []row
	listed time.Time
}

// actives lists the active repositories of one forge, or of all if forge is
// zero. known is false without an administrator's token: only he can list them.
func (t *Target) actives(ctx context.Context, forge int64, want target.Desired) (list rows, known bool, err error) {
	if t.cfg.AdminToken == "" {
		return nil, false, nil
	}
	for _, age := range []time.Duration{hitFor, missFor} {
		all, err := t.listActive(ctx, age)
		if err != nil {
			return nil, false, fmt.Errorf("listing the active repositories as administrator: %w", err)
		}
		list = rows{}
		for _, r := range all {
			if forge == 0 || r.ForgeID == forge {
				list[r.RemoteID] = r
			}
		}
		if list.have(want.Present) && list.have(want.Absent) {
			break
		}
	}
	return list, true, nil
}

// have reports whether every one of some repositories is in the list.
func (l rows) have(side []providers.Access) bool {
	return !slices.ContainsFunc(side, func(a providers.Access) bool { _, ok := l[a.Repo.ID]; return !ok })
}

// Scout calls found for each repository that became active since it last looked,
// until ctx is done. Without an administrator's token it finds none.
func (t *Target) Scout(ctx context.Context, found func(repo string)) error {
	seen := map[string]bool{}
	tick := time.NewTicker(scoutEvery)
	defer tick.Stop()
	for {
		if t.cfg.AdminToken != "" {
			list, err := t.listActive(ctx, missFor)
			if err != nil {
				t.cfg.Log.Debug("the active repositories could not be listed", "err", err)
			} else {
				now := make(map[string]bool, len(list))
				for _, r := range list {
					if now[r.RemoteID] = true; !seen[r.RemoteID] {
						found(r.RemoteID)
					}
				}
				seen = now
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listActive returns a list that is younger than age.
func (t *Target) listActive(ctx context.Context, age time.Duration) ([]row, error) {
	t.active.mu.Lock()
	defer t.active.mu.Unlock()
	now := t.cfg.Now()
	if t.active.list != nil && now.Sub(t.active.listed) < age {
		return t.active.list, nil
	}
	list := []row{}
	err := pages(func(query string) (int, error) {
		var page []row
		if err := t.get(ctx, "/api/repos?active=true&"+query, t.admin(), &page); err != nil {
			return 0, err
		}
		for _, r := range page {
			if r.RemoteID == "" || r.ID == 0 {
				return 0, fmt.Errorf("%s /api/repos: a repository without id", http.MethodGet)
			}
			if r.Active {
				list = append(list, r)
			}
		}
		return len(page), nil
	})
	if err != nil {
		return nil, err
	}
	t.active.list, t.active.listed = list, now
	return list, nil
}
