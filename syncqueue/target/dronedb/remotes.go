package dronedb

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// A record is a repository's row as it is to be.
type record struct {
	uid, namespace, name, slug string

	// aside marks a row that only makes room for another: its repository is
	// gone from the forge. What follows is not written then.
	aside bool

	clone, ssh, link, branch string
	private                  bool
	visibility               string
	never                    bool // Drone does not list it
}

// newRecord says what Drone's first sync would write (source:
// service/repo/util.go). An internal repository without the private flag is
// Gitea's: Drone would call it public, though only who signed in sees it.
func newRecord(r providers.Repo, remote providers.Remote) record {
	owner := providers.OwnerOf(r.Path)
	rec := record{
		uid: r.ID, namespace: owner, name: strings.TrimPrefix(r.Path[len(owner):], "/"), slug: r.Path,
		clone: remote.Clone, ssh: remote.SSH, link: remote.Link, branch: remote.Branch,
		private: remote.Private, visibility: "public", never: never(r) != "",
	}
	switch {
	case r.Visibility == providers.Internal:
		rec.visibility = "internal"
	case r.Visibility != providers.Public || remote.Private:
		rec.private, rec.visibility = true, "private"
	}
	return rec
}

// mark begins the part of a name that no forge gives: GitHub, GitLab and Gitea
// allow letters, digits, and of signs no tilde.
const mark = "~"

// setAside is the row of a repository that the forge does not know any more, out
// of the way of whoever took its name.
func setAside(r row) record {
	const longest = 250 // of repo_slug and repo_name
	suffix := mark + "gone-" + r.uid
	slug := r.slug[:min(len(r.slug), longest-len(suffix))] + suffix
	owner := providers.OwnerOf(slug)
	return record{uid: r.uid, name: strings.TrimPrefix(slug[len(owner):], "/"), slug: slug, aside: true}
}

const (
	remoteFor = time.Minute     // how long an answer of the forge is good
	remoteNew = 2 * time.Second // and one that does not fit
)

// remotes keeps what the forge said of repositories, so that one that 500 users
// got costs one call.
type remotes struct {
	now  func() time.Time
	mu   sync.Mutex
	byID map[string]*lookup
}

// A lookup is a question that was asked, or is being asked.
type lookup struct {
	done chan struct{}
	at   time.Time
	rec  record
	err  error
}

// get asks for a repository unless a good answer is at hand. fits says whether
// one that was kept can be true; it may be nil.
func (m *remotes) get(ctx context.Context, id string, ask func(context.Context, string) (providers.Repo, providers.Remote, error), fits func(record) bool) (record, error) {
	for {
		m.mu.Lock()
		now := m.now()
		l, ok := m.byID[id]
		if !ok || l.stale(now, fits) {
			l = &lookup{done: make(chan struct{}), at: now}
			m.sweep(now)
			m.byID[id] = l
			m.mu.Unlock()
			m.ask(ctx, id, l, ask)
			return l.rec, l.err
		}
		m.mu.Unlock()
		select {
		case <-l.done:
		case <-ctx.Done():
			return record{}, ctx.Err()
		}
		if l.err == nil || errors.Is(l.err, providers.ErrNotFound) {
			if m.stale(l, fits) {
				continue
			}
			return l.rec, l.err
		}
		if !errors.Is(l.err, context.Canceled) && !errors.Is(l.err, context.DeadlineExceeded) {
			return record{}, l.err
		} // whoever asked went away: ask again
	}
}

func (m *remotes) stale(l *lookup, fits func(record) bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return l.stale(m.now(), fits)
}

func (m *remotes) ask(ctx context.Context, id string, l *lookup, ask func(context.Context, string) (providers.Repo, providers.Remote, error)) {
	r, remote, err := ask(ctx, id)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err != nil:
		l.err = err
	case r.ID != id || providers.OwnerOf(r.Path) == "" || strings.Contains(r.Path, mark):
		l.err = providers.ErrNonsense
	default:
		l.rec = newRecord(r, remote)
	}
	if l.err != nil && m.byID[id] == l {
		delete(m.byID, id)
	}
	close(l.done)
}

// stale reports whether an answer is too old; one that is awaited is not.
func (l *lookup) stale(now time.Time, fits func(record) bool) bool {
	select {
	case <-l.done:
	default:
		return false
	}
	age := now.Sub(l.at)
	return age >= remoteFor || age >= remoteNew && fits != nil && !fits(l.rec)
}

// sweep forgets what is too old, once there is much.
func (m *remotes) sweep(now time.Time) {
	if len(m.byID) < 1000 {
		return
	}
	for id, l := range m.byID {
		if l.stale(now, nil) {
			delete(m.byID, id)
		}
	}
}

// forget makes the next question about some repositories be asked.
func (m *remotes) forget(ids ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.byID, id)
	}
}
