package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// spare returns those of the losses of one repository that its audience does not
// take away. A read of one repository sees one loss of each user, where his own
// list would lack many: who is still in a team, and by the teams keeps so little
// that the shrink guard may have a word, is judged by a look at all he has, unless
// an operator has just said that the teams are meant to be smaller. The teams have
// to be read already.
func (e *Engine) spare(ctx context.Context, p *provider, l syncqueue.Lease, lost []loss) ([]loss, error) {
	if l.Job.Force || len(lost) == 0 || p.models.approved(lost[0].repo.Org.ID, e.cfg.Now()) {
		return nil, nil
	}
	var spared []loss
	for _, x := range lost {
		if m, ok := p.models.peek(x.repo.Org.ID); !ok || !belongs(m, x.user.ID) {
			continue
		}
		h, err := e.cfg.Store.Holdings(ctx, p.Name, x.user.ID)
		if errors.Is(err, storage.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if have, kept := p.keeps(h); e.cfg.Guard.Shrinks(have, kept) {
			spared = append(spared, x)
		}
	}
	return spared, nil
}

// keeps counts what a user holds, and what of it the teams that were read last
// still grant. What belongs to an organization whose teams are not known, or to a
// person, counts as kept; what he has by himself in one whose teams are, does not.
func (p *provider) keeps(h storage.Holdings) (have, kept int) {
	reached := map[string]func(repoID string) bool{}
	for _, c := range h.Cells {
		if c.Permission == providers.None {
			continue
		}
		have++
		in, ok := reached[c.Repo.Org.ID]
		if !ok {
			in = p.reach(c.Repo.Org, h.User.ID)
			reached[c.Repo.Org.ID] = in
		}
		if in(c.Repo.ID) {
			kept++
		}
	}
	return have, kept
}

// reach tells which repositories of org the teams of a user reach.
func (p *provider) reach(org providers.Org, userID string) func(repoID string) bool {
	everything := func(string) bool { return true }
	m, ok := p.models.peek(org.ID)
	if !ok || org.Personal {
		return everything
	}
	repos := map[string]bool{}
	for _, t := range m.Teams {
		if t.Permission == providers.None || !belongs(providers.Model{Teams: []providers.TeamModel{t}}, userID) {
			continue
		}
		if t.AllRepos || t.Owners {
			return everything
		}
		for _, id := range t.Repos {
			repos[id] = true
		}
	}
	return func(id string) bool { return repos[id] }
}

// judges returns the jobs that decide on what was spared. Where such a job is
// parked, an operator was asked already: what was spared is part of that.
func (e *Engine) judges(ctx context.Context, p *provider, l syncqueue.Lease, spared []loss) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	for _, x := range spared {
		j := syncqueue.UserJob(p.Name, x.user, syncqueue.LaneRemoval, e.cfg.Now())
		held, err := e.holds(ctx, p, x.user)
		if err != nil {
			return nil, err
		}
		if _, joined := held[j.Key]; joined {
			continue
		}
		j.Causes, j.Since = l.Job.Causes, l.Job.Since
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// holds returns the jobs about all that one user has, or about what something
// gives him, that wait for an operator, by key.
func (e *Engine) holds(ctx context.Context, p *provider, u providers.User) (map[syncqueue.Key]syncqueue.Job, error) {
	own := syncqueue.UserJob(p.Name, u, syncqueue.LaneRemoval, e.cfg.Now()).Key
	held := map[syncqueue.Key]syncqueue.Job{}
	for _, prefix := range []syncqueue.Key{own, syncqueue.MakeKey(string(syncqueue.KindMember), p.Name, u.ID, "")} {
		jobs, err := e.cfg.Store.PendingOf(ctx, prefix)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			if j.State == syncqueue.Parked && j.Subject.ID == u.ID {
				held[j.Key] = j
			}
		}
	}
	return held, nil
}

// relieved returns the other holds of a user, to look again: after a run about
// him that was not held there may be nothing left for an operator to decide.
func (e *Engine) relieved(ctx context.Context, p *provider, l syncqueue.Lease, u providers.User) ([]syncqueue.Job, error) {
	held, err := e.holds(ctx, p, u)
	if err != nil {
		return nil, err
	}
	var jobs []syncqueue.Job
	for key, j := range held {
		if key != l.Job.Key {
			jobs = append(jobs, syncqueue.Anew(j, l.Job, e.cfg.Now()))
		}
	}
	return jobs, nil
}

// record adds what was read to a change. A complete audience takes the repository
// from everybody else: where somebody is spared, the rest of it are single facts.
func (a audience) record(c *storage.Change) {
	if len(a.spared) == 0 {
		c.Audiences = append(c.Audiences, a.Audience)
		return
	}
	for _, m := range a.Users {
		c.Cells = append(c.Cells, providers.Access{User: m.User, Repo: a.Repo, Permission: m.Permission})
	}
	for _, x := range a.lost {
		c.Cells = append(c.Cells, providers.Access{User: x.user, Repo: a.Repo})
	}
}

// note says who has the repository, and who is spared.
func (a audience) note() string {
	n := fmt.Sprintf("%d users", len(a.Users))
	if len(a.spared) == 0 {
		return n
	}
	var names []string
	for _, x := range a.spared[:min(len(a.spared), 3)] {
		names = append(names, x.user.Login)
	}
	if more := len(a.spared) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s; for %s, who may have lost much at once, a look at all they have decides", n, strings.Join(names, ", "))
}
