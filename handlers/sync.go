package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

const (
	maxWait   = 5 * time.Minute
	waitTick  = 250 * time.Millisecond
	waitGrace = 30 * time.Second // to write the answer after the wait
)

type syncUserView struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
	Login    string `json:"login"`
}

// syncView is the answer of a sync: with the difference if nothing more is about
// to happen, else with how far it came.
type syncView struct {
	User      syncUserView          `json:"user"`
	Job       string                `json:"job"`
	State     syncqueue.State       `json:"state,omitempty"`
	LastError string                `json:"last_error,omitempty"`
	Targets   map[string]syncTarget `json:"targets,omitempty"`
	*difference
}

type difference struct {
	Before  int      `json:"repos_before"`
	After   int      `json:"repos_after"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
}

// syncUser has a user's list read from the forge now, and if asked waits until
// every target follows. Only then it is a 200; that it waits for somebody is
// told at once, as a 202.
func (s *api) syncUser(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "wait")
	wait := q.duration("wait", 0, maxWait)
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	ctx, provider := r.Context(), param(r, "provider")
	if !s.Desk.HasProvider(provider) {
		fail(w, r, s.Log, notFound("no provider of this name is configured"))
		return
	}
	u, err := s.Desk.FindUser(ctx, provider, param(r, "login"))
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	before, err := s.present(ctx, provider, u)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	now := s.Now()
	job := syncqueue.UserJob(provider, u, syncqueue.LaneAddition, now)
	job.Fresh = true
	ids, err := s.Queue.Enqueue(ctx, syncqueue.Cause{By: "operator " + caller(ctx).Name, At: now}, job)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	answer := syncView{User: syncUserView{provider, u.ID, u.Login}, Job: ids[0]}
	// A recorder in a test has no deadline; every real connection does.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + waitGrace))
	p, err := s.await(ctx, progress{provider: provider, user: u, job: ids[0]}, wait)
	answer.State, answer.LastError, answer.Targets = p.state, p.lastError, p.targets
	switch {
	case err != nil:
		fail(w, r, s.Log, err)
	case p.state == syncqueue.Dead:
		failed := newProblem(http.StatusBadGateway, "the forge could not be read: "+p.lastError)
		failed.Job = ids[0]
		failed.write(w)
	case !p.settled:
		writeJSON(w, http.StatusAccepted, answer)
	default:
		after, err := s.present(ctx, provider, u)
		if err != nil {
			fail(w, r, s.Log, err)
			return
		}
		answer.difference = compare(before, after)
		if answer.Targets == nil {
			answer.Targets = map[string]syncTarget{}
		}
		status := http.StatusAccepted
		if p.published {
			status = http.StatusOK
		}
		writeJSON(w, status, answer)
	}
}

// await looks again and again until the sync is settled, the time is up, the
// caller left, or hookd drains, when no further job is begun. It holds nothing
// between two looks.
func (s *api) await(ctx context.Context, p progress, wait time.Duration) (progress, error) {
	if wait <= 0 {
		return p, nil
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(waitTick)
	defer tick.Stop()
	for {
		seen, err := s.look(ctx, p)
		switch {
		case err != nil && ctx.Err() == nil:
			return p, err
		case err == nil:
			p = seen
		}
		if p.settled || s.Draining() {
			return p, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return p, nil
		}
	}
}

// present is what the user is believed to hold, by id; nothing if he is new.
func (s *api) present(ctx context.Context, provider string, u providers.User) (map[string]string, error) {
	h, err := s.Catalogue.Holdings(ctx, provider, u.ID)
	if err != nil && !errors.Is(err, storage.ErrUnknown) {
		return nil, err
	}
	repos := map[string]string{}
	for _, a := range h.Present() {
		repos[a.Repo.ID] = a.Repo.Path
	}
	return repos, nil
}

// compare tells what came and went. A renamed repository did neither.
func compare(before, after map[string]string) *difference {
	return &difference{
		Before: len(before), After: len(after),
		Added: missing(after, before), Removed: missing(before, after),
	}
}
