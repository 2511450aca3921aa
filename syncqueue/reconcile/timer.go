package reconcile

import (
	"context"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// timers are jobs for the moments at which something ends by itself. Those that
// are due before the poll after next are enough, since each poll sets them
// again: one that coalesced with another job, and so ran too early, is. What is
// over and still there the poll itself sees go.
func (e *Engine) timers(m *membersPoll) []syncqueue.Job {
	if m.is.Model == nil || m.p.Members <= 0 {
		return nil
	}
	now := e.cfg.Now()
	last := now.Add(2 * m.p.Members)
	var jobs []syncqueue.Job
	for _, end := range m.is.Model.Ends {
		if !end.At.After(now) || end.At.After(last) {
			continue
		}
		j := syncqueue.MemberJob(m.p.Name, end.User, m.org, syncqueue.LaneRemoval, end.At)
		if end.Repo != "" {
			j = syncqueue.RepoJob(m.p.Name, providers.Repo{ID: end.Repo, Org: m.org}, syncqueue.LaneRemoval, end.At)
		}
		j.Gentle = true
		jobs = append(jobs, saw(j, end.Words))
	}
	polled(jobs, "timer", now)
	return jobs
}

// overdue is how long after a look at what should have ended, and had not, the
// next one is: a forge may take it away at another hour than by default.
const overdue = time.Hour

// ending are jobs for when what was granted on single repositories ends by
// itself, as far as the teams do not tell so already: no poll reads it again, so
// each waits until then. The job is of the other kind than the one that found it,
// which is to end, and not to go on as its own next run.
func (e *Engine) ending(ctx context.Context, p *provider, l syncqueue.Lease, all []providers.Access) ([]syncqueue.Job, error) {
	now := e.cfg.Now()
	told := map[string]map[providers.End]bool{} // by organization
	var jobs []syncqueue.Job
	for _, a := range all {
		if a.Until.IsZero() || a.Permission == providers.None {
			continue
		}
		if told[a.Repo.Org.ID] == nil {
			ends, err := e.teamEnds(ctx, p, a.Repo.Org)
			if err != nil {
				return nil, err
			}
			told[a.Repo.Org.ID] = ends
		}
		if told[a.Repo.Org.ID][endOf(a.User, a.Until)] {
			continue
		}
		at := a.Until
		if !at.After(now) {
			at = now.Add(overdue)
		}
		j := syncqueue.RepoJob(p.Name, a.Repo, syncqueue.LaneRemoval, at)
		if l.Job.Kind != syncqueue.KindMember {
			j = syncqueue.CollaboratorJob(p.Name, a.User, a.Repo, syncqueue.LaneRemoval, at)
		}
		j.Gentle = true
		jobs = append(jobs, saw(j, "his membership of "+a.Repo.Path+" expires"))
	}
	polled(jobs, "timer", now)
	return jobs, nil
}

// teamEnds are the ends of memberships that the organization's teams tell: by
// what is kept of them, or what the poll saw last. They are never nil.
func (e *Engine) teamEnds(ctx context.Context, p *provider, org providers.Org) (map[providers.End]bool, error) {
	model, known := p.models.peek(org.ID)
	if !known {
		var last seen
		if err := e.load(ctx, membersKey(p, org), &last); err != nil {
			return nil, err
		}
		if last.Model != nil {
			model = *last.Model
		}
	}
	ends := make(map[providers.End]bool, len(model.Ends))
	for _, end := range model.Ends {
		ends[endOf(end.User, end.At)] = true
	}
	return ends, nil
}

func endOf(u providers.User, at time.Time) providers.End {
	return providers.End{At: at.UTC(), User: providers.User{ID: u.ID}}
}
