package reconcile

import (
	"context"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// A turnedNote is what turned in an organization, as a snapshot keeps it from the
// commit of the job that read so to the next members poll, restarts included.
type turnedNote struct {
	Users []turnedUser `json:"users,omitempty"`
	Repos []turnedRepo `json:"repos,omitempty"`
}

type turnedUser struct {
	User providers.User `json:"user"`
	Lost bool           `json:"lost,omitempty"`
	Why  string         `json:"why"`
}

type turnedRepo struct {
	ID   string `json:"id"`
	Lost bool   `json:"lost,omitempty"`
	Why  string `json:"why"`
}

func turnedKey(p *provider, org string) string { return "turned/" + p.Name + "/" + org }

func noteOf(d drift) turnedNote {
	var n turnedNote
	for u, s := range d.users {
		n.Users = append(n.Users, turnedUser{u, s.lost, s.why})
	}
	for id, s := range d.repos {
		n.Repos = append(n.Repos, turnedRepo{id, s.lost, s.why})
	}
	return n
}

func (n turnedNote) drift() drift {
	d := drift{users: map[providers.User]sighting{}, repos: map[string]sighting{}}
	for _, u := range n.Users {
		d.users[u.User] = sighting{u.Lost, u.Why}
	}
	for _, r := range n.Repos {
		d.repos[r.ID] = sighting{r.Lost, r.Why}
	}
	return d
}

// keepTurned adds to the outcome of a job what turned since the last one: it may
// have believed a model in between, and what it made of that is committed
// together with this. Two jobs that end at once may commit in another order than
// they noted in; what the later of their notes had more is then known to this
// process alone, and to the sweep.
func (p *provider) keepTurned(o *syncqueue.Outcome) {
	for org, d := range p.models.unwritten() {
		if o.Change == nil {
			o.Change = &storage.Change{Provider: p.Name}
		}
		if o.Change.Snapshots == nil {
			o.Change.Snapshots = map[string][]byte{}
		}
		o.Change.Snapshots[turnedKey(p, org)] = encode(noteOf(d))
	}
}

// turnedBefore is what turned in a former life of the process.
func (e *Engine) turnedBefore(ctx context.Context, p *provider, org string) (drift, error) {
	var n turnedNote
	err := e.load(ctx, turnedKey(p, org), &n)
	return n.drift(), err
}
