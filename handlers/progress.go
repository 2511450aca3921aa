package handlers

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// progress is how far a sync has come.
type progress struct {
	provider string
	user     providers.User
	job      string

	state     syncqueue.State // of the user job
	lastError string
	targets   map[string]syncTarget // once the user job is done
	published bool                  // every target shows it
	settled   bool                  // nothing more is about to happen
}

// syncTarget is what became of a sync at one target.
type syncTarget struct {
	Published bool   `json:"published"`
	State     string `json:"state"` // published, pending, parked, dead
	Reason    string `json:"reason,omitempty"`
}

// look asks the store how far p has come.
func (s *api) look(ctx context.Context, p progress) (progress, error) {
	j, err := s.Console.Job(ctx, p.job)
	switch {
	case errors.Is(err, syncqueue.ErrUnknown):
		p.state = syncqueue.Done // ended and already forgotten
	case err != nil:
		return p, err
	default:
		p.state, p.lastError = j.StateAt(s.Now()), j.LastError
	}
	if p.state == syncqueue.Dead {
		p.settled = true
		return p, nil
	}
	if p.state != syncqueue.Done {
		return p, nil
	}
	h, err := s.Catalogue.Holdings(ctx, p.provider, p.user.ID)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		return p, err
	}
	p.targets = map[string]syncTarget{}
	behind := map[syncqueue.Key]string{}
	for _, t := range s.Desk.TargetsOf(p.provider) {
		if !h.Behind(t) {
			p.targets[t] = syncTarget{Published: true, State: "published", Reason: h.Targets[t].Note}
			continue
		}
		p.targets[t] = syncTarget{State: "pending", Reason: h.Targets[t].Note}
		key := syncqueue.PublishJob(t, p.provider, p.user, syncqueue.Job{}, syncqueue.LaneAddition, s.Now()).Key
		behind[key] = t
	}
	stuck, err := s.stuck(ctx, p.provider, behind)
	if err != nil {
		return p, err
	}
	maps.Copy(p.targets, stuck)
	p.published, p.settled = len(behind) == 0, len(stuck) == len(behind)
	return p, nil
}

// stuck finds which of the publish jobs wait for somebody: nothing will come
// of waiting for those.
func (s *api) stuck(ctx context.Context, provider string, jobs map[syncqueue.Key]string) (map[string]syncTarget, error) {
	found := map[string]syncTarget{}
	for _, state := range []syncqueue.State{syncqueue.Parked, syncqueue.Dead} {
		q := syncqueue.JobQuery{State: state, Kind: syncqueue.KindPublish, Provider: provider}
		for cursor := ""; len(found) < len(jobs); {
			page, next, err := s.Console.Jobs(ctx, q, cursor, maxLimit)
			if err != nil {
				return nil, err
			}
			for _, j := range page {
				if t, ok := jobs[j.Key]; ok {
					found[t] = syncTarget{State: string(state), Reason: reason(j)}
				}
			}
			if cursor = next; next == "" {
				break
			}
		}
	}
	return found, nil
}

// reason is why a job does not go on.
func reason(j syncqueue.Job) string {
	if j.Note != "" {
		return j.Note
	}
	return j.LastError
}

// missing returns the paths of what a has and b has not, by id.
func missing(a, b map[string]string) []string {
	paths := []string{}
	for id, path := range a {
		if _, ok := b[id]; !ok {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}
