package targettest

import (
	"slices"
	"sync"

	"github.com/hookd/hookd/syncqueue/target"
)

// A Receiver does with messages what their documentation tells a service to do.
// It is safe for concurrent use.
type Receiver struct {
	mu       sync.Mutex
	refusing bool
	users    map[string]received
}

type received struct {
	version uint64
	repos   map[string]string // id -> path
}

// Take applies a message unless the receiver refuses, which it reports.
func (r *Receiver) Take(m target.Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusing {
		return false
	}
	had, ok := r.users[m.Data.User.ID]
	if ok && m.Data.Version < had.version {
		return true
	}
	now := received{version: m.Data.Version, repos: map[string]string{}}
	if !m.Data.Complete {
		for id, path := range had.repos {
			now.repos[id] = path
		}
	}
	for _, x := range m.Data.Absent {
		delete(now.repos, x.ID)
	}
	for _, x := range m.Data.Present {
		now.repos[x.ID] = x.Repo
	}
	if r.users == nil {
		r.users = map[string]received{}
	}
	r.users[m.Data.User.ID] = now
	return true
}

// Refuse makes the receiver refuse messages, or take them again.
func (r *Receiver) Refuse(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusing = on
}

// Shows returns the paths of what a user may see, in order.
func (r *Receiver) Shows(user string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, path := range r.users[user].repos {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}
