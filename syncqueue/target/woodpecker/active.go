package woodpecker

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// activeFor is how long a list of the active repositories is believed: long
// enough for the many whom one event concerns.
const activeFor = 5 * time.Second

// active knows which repositories are active, whoever may see them.
type active struct {
	mu     sync.Mutex
	list   []row
	listed time.Time
}

// actives lists the active repositories of one forge, or of all if forge is
// zero. known is false without an administrator's token: only he can list them.
func (t *Target) actives(ctx context.Context, forge int64) (list rows, known bool, err error) {
	if t.cfg.AdminToken == "" {
		return nil, false, nil
	}
	all, err := t.listActive(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("listing the active repositories as administrator: %w", err)
	}
	list = rows{}
	for _, r := range all {
		if forge == 0 || r.ForgeID == forge {
			list[r.RemoteID] = r
		}
	}
	return list, true, nil
}

func (t *Target) listActive(ctx context.Context) ([]row, error) {
	t.active.mu.Lock()
	defer t.active.mu.Unlock()
	now := t.cfg.Now()
	if t.active.list != nil && now.Sub(t.active.listed) < activeFor {
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

// forget makes the next look list the active repositories anew.
func (a *active) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = nil
}
