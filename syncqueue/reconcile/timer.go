package reconcile

import (
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// timers are jobs for the moments at which something ends by itself. Those that
// are due before the poll after next are enough, since each poll sets them
// again: one that coalesced with another job, and so ran too early, is.
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
