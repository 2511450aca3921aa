package reconcile

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

// models keeps each organization's team model, with the fence of the lease
// under which it was read: whoever computes from it must not pretend to have
// read later.
type models struct {
	now  func() time.Time
	life time.Duration // for how long a model is believed without being read again

	mu    sync.Mutex
	byOrg map[string]*kept
}

// lifeOf is for how long p's models are believed. The members poll keeps them
// younger, if it takes no longer than its interval. Where it fails, is held or
// is not made, who left would go on getting what is new.
func lifeOf(p Provider, reconcile time.Duration) time.Duration {
	if p.Members <= 0 {
		return reconcile
	}
	return max(2*p.Members, time.Minute)
}

type kept struct {
	read  sync.Mutex // held while somebody reads, so that others wait for him
	model providers.Model
	fence uint64    // 0 if the model is outdated, or was never read
	at    time.Time // when reading it began
	known bool      // there is a model, if an outdated one

	// turned is what differed between the models that were read since the
	// members poll compared: what went and came back differs in none of the two
	// that it compares, but jobs may have believed the models in between.
	turned  drift
	unwrote bool // there is more of it than an outcome has taken along

	meant time.Time // when an operator said that much smaller teams are meant
}

// replace keeps a model that was read under fence from at on, with what it
// differs in from the last one.
func (k *kept) replace(f providers.TeamForge, model providers.Model, fence uint64, at time.Time) {
	if k.known {
		if d := diffModels(k.model, model, priceIn(f, model)); len(d.users)+len(d.repos) > 0 {
			k.turned.add(d)
			k.unwrote = true
		}
	}
	k.model, k.fence, k.at, k.known = model, fence, at, true
}

func (m *models) of(org string) *kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byOrg == nil {
		m.byOrg = map[string]*kept{}
	}
	k := m.byOrg[org]
	if k == nil {
		k = &kept{}
		m.byOrg[org] = k
	}
	return k
}

// get returns a model read under a fence of at least atLeast, reading it under
// the caller's fence now if none is kept, or only one that is too old.
func (m *models) get(ctx context.Context, f providers.TeamForge, org providers.Org, now, atLeast uint64) (providers.Model, uint64, error) {
	k := m.of(org.ID)
	k.read.Lock()
	defer k.read.Unlock()
	at := m.now()
	if k.fence != 0 && k.fence >= atLeast && at.Sub(k.at) < m.life {
		return k.model, k.fence, nil
	}
	model, err := readModel(ctx, f, org)
	if err != nil {
		return providers.Model{}, 0, err
	}
	// A slower reader with an older lease must not turn the clock back.
	if now > k.fence {
		k.replace(f, model, now, at)
	}
	return model, now, nil
}

// poll keeps a model that the members poll read under fence from at on, and
// returns what turned since its last run.
func (m *models) poll(f providers.TeamForge, org string, model providers.Model, fence uint64, at time.Time) drift {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	if fence > k.fence {
		k.replace(f, model, fence, at)
	}
	turned := k.turned
	k.turned, k.unwrote = drift{}, false
	return turned
}

// giveBack is for a poll that failed after all.
func (m *models) giveBack(org string, turned drift) {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	k.turned.add(turned)
	k.unwrote = true
}

// unwritten returns what turned, by organization, where there is more of it than
// at the last call.
func (m *models) unwritten() map[string]drift {
	m.mu.Lock()
	all := maps.Clone(m.byOrg)
	m.mu.Unlock()
	out := map[string]drift{}
	for org, k := range all {
		if k.read.TryLock() { // else whoever reads now ends later
			if k.unwrote {
				var d drift
				d.add(k.turned)
				out[org], k.unwrote = d, false
			}
			k.read.Unlock()
		}
	}
	return out
}

// approve notes that an operator released a poll that found much smaller teams.
func (m *models) approve(org string, now time.Time) {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	k.meant = now
}

// approved reports whether that was within the last spell: what the repositories
// of org tell is in consequence of it.
func (m *models) approved(org string, now time.Time) bool {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	return !k.meant.IsZero() && now.Sub(k.meant) < spell
}

// peek returns the model that was read last, if one was.
func (m *models) peek(org string) (providers.Model, bool) {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	return k.model, k.known
}

// drop outdates an organization's model: something showed that it is outdated.
func (m *models) drop(org string) {
	k := m.of(org)
	k.read.Lock()
	defer k.read.Unlock()
	k.fence = 0
}

// knows reports whether there is a model at all.
func (k *kept) knows() bool {
	k.read.Lock()
	defer k.read.Unlock()
	return k.fence != 0
}

// has reports whether a user is in some team.
func (k *kept) has(userID string) bool {
	k.read.Lock()
	defer k.read.Unlock()
	return belongs(k.model, userID)
}

// readModel refuses an organization without teams or members: a forge that
// says so is not believed, as every organization has somebody who owns it.
func readModel(ctx context.Context, f providers.TeamForge, org providers.Org) (providers.Model, error) {
	model, err := f.Model(ctx, org)
	if err != nil {
		return providers.Model{}, err
	}
	if len(model.Members()) == 0 {
		return providers.Model{}, fmt.Errorf("organization %s has no members in any team: %w", org.Name, providers.ErrNonsense)
	}
	return model, nil
}

// grants returns the permission that the model's teams give u on r.
func grants(m providers.Model, userID, repoID string) providers.Permission {
	best := providers.None
	for _, t := range m.Teams {
		if t.Permission <= best || !teamReaches(t, repoID) {
			continue
		}
		for _, u := range t.Members {
			if u.ID == userID {
				best = t.Permission
				break
			}
		}
	}
	return best
}

func teamReaches(t providers.TeamModel, repoID string) bool {
	if t.AllRepos || t.Owners {
		return true
	}
	for _, id := range t.Repos {
		if id == repoID {
			return true
		}
	}
	return false
}

// belongs reports whether u is in some team of the model.
func belongs(m providers.Model, userID string) bool {
	for _, t := range m.Teams {
		for _, u := range t.Members {
			if u.ID == userID {
				return true
			}
		}
	}
	return false
}
