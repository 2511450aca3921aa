package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// pollFacts compares what decides about access in the organization as a whole
// and is not announced. What such a fact is about is looked at again; a team's
// members each in the organization.
func (e *Engine) pollFacts(ctx context.Context, m *membersPoll) error {
	ff, ok := m.p.Forge.(providers.FactForge)
	if !ok || !m.coverage.Polls(inFacts...) {
		return nil
	}
	facts, err := ff.Facts(ctx, m.org)
	if err != nil {
		return err
	}
	m.is.Facts = facts
	if m.was.Facts == nil {
		return nil
	}
	for s, seen := range changedFacts(m.was.Facts, facts) {
		if err := e.jobsAbout(ctx, m, s, seen); err != nil {
			return err
		}
	}
	return nil
}

// changedFacts tells what the facts that differ are about. One that only came
// takes nothing from anybody.
func changedFacts(was, is []providers.Fact) map[providers.Subject]sighting {
	about := map[providers.Subject]sighting{}
	see := func(f providers.Fact, s sighting) { mark(about, []providers.Subject{f.About}, s) }
	old := make(map[string]providers.Fact, len(was))
	for _, f := range was {
		old[f.ID] = f
	}
	for _, f := range is {
		before, known := old[f.ID]
		delete(old, f.ID)
		switch {
		case !known:
			see(f, sighting{why: fmt.Sprintf("%s is %s", f.Words, f.Value)})
		case before.Value != f.Value:
			see(f, sighting{true, fmt.Sprintf("%s went from %s to %s", f.Words, before.Value, f.Value)})
		}
	}
	for _, f := range old {
		see(f, sighting{true, fmt.Sprintf("%s is %s no longer", f.Words, f.Value)})
	}
	return about
}

func (e *Engine) jobsAbout(ctx context.Context, m *membersPoll, s providers.Subject, seen sighting) error {
	now := e.cfg.Now()
	var people []providers.User
	switch s.Kind {
	case providers.SubjectOrg:
		j := syncqueue.ScopeJob(m.p.Name, m.org, now)
		j.Lane = syncqueue.LanePoll
		m.jobs = append(m.jobs, saw(j, seen.why))
		return nil
	case providers.SubjectUser:
		people = []providers.User{{ID: s.ID, Login: s.Name}}
	case providers.SubjectTeam:
		var err error
		people, err = collect(m.p.Forge.Members(ctx, s))
		if errors.Is(err, providers.ErrNotFound) {
			return nil // the end of a team is announced
		}
		if err != nil {
			return err
		}
	default:
		return syncqueue.Permanent(fmt.Errorf("a fact about %s", s))
	}
	for _, u := range people {
		m.jobs = append(m.jobs, saw(syncqueue.MemberJob(m.p.Name, u, m.org, laneOf(seen.lost), now), seen.why))
	}
	return nil
}
