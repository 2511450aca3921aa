package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// What each part of the members poll finds. A part is read only where the
// provider's webhook does not announce one of them.
var (
	inModel = []providers.Change{
		providers.TeamMemberSet, providers.TeamMemberRemoved, providers.TeamRepos, providers.TeamDeleted,
		providers.OrgMemberAdded, providers.OrgMemberRemoved, providers.RepoShared, providers.GroupShared,
		providers.MembershipExpired, providers.UserBlocked, providers.UserStanding,
	}
	inFacts         = []providers.Change{providers.TeamMoved, providers.OrgOwner, providers.OrgBasePermission, providers.OrgRole}
	inCollaborators = []providers.Change{providers.CollaboratorSet, providers.CollaboratorRemoved}
	inActivity      = []providers.Change{providers.RepoRenamed, providers.RepoReceived, providers.RepoAdopted}
)

// seen is what the members poll compares with. A part that was not read keeps
// what was seen of it last.
type seen struct {
	Model         *providers.Model  `json:"model,omitempty"`
	Facts         []providers.Fact  `json:"facts,omitempty"`
	Collaborators map[string]string `json:"collaborators,omitempty"` // repository -> digest of its collaborators
	Beyond        map[string]int    `json:"beyond,omitempty"`        // user -> how much longer his own list is than what he holds in the catalogue
	Crowd         bool              `json:"crowd,omitempty"`         // many of those differed at once, and were left as they had been
	Activity      string            `json:"activity,omitempty"`
}

func membersKey(p *provider, org providers.Org) string { return "members/" + p.Name + "/" + org.ID }

// A membersPoll is one run of the members poll.
type membersPoll struct {
	p        *provider
	l        syncqueue.Lease
	org      providers.Org
	coverage providers.Coverage
	was, is  seen
	turned   drift // what went and came back, or may have
	noted    bool  // some of it in a snapshot
	change   *storage.Change
	jobs     []syncqueue.Job
}

// pollMembers finds what the forge does not announce about people: teams, their
// members and repositories, who owns the organization, collaborators. One call
// more tells whether the repositories are worth a look before their own poll is
// due.
func (e *Engine) pollMembers(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	m := &membersPoll{p: p, l: l, org: providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}, change: &storage.Change{}}
	key := membersKey(p, m.org)
	if err := e.load(ctx, key, &m.was); err != nil {
		return syncqueue.Outcome{}, err
	}
	m.is = m.was
	var err error
	if m.coverage, _, err = syncqueue.Coverage(ctx, e.cfg.Store, p.Name, p.Coverage); err != nil {
		return syncqueue.Outcome{}, err
	}
	now := e.cfg.Now()
	held, err := e.pollTeams(ctx, m)
	if held != nil && err == nil {
		return *held, nil
	}
	for _, part := range []func(context.Context, *membersPoll) error{e.pollFacts, e.pollCollaborators, e.pollActivity} {
		if err == nil {
			err = part(ctx, m)
		}
	}
	if err != nil {
		p.models.giveBack(m.org.ID, m.turned)
	}
	if errors.Is(err, providers.ErrNotFound) {
		// What it had goes with its repositories, each of which is asked for.
		o := syncqueue.Outcome{Note: "the forge has no organization " + m.org.Name}
		if p.Members > 0 {
			o.Next = now.Add(p.Members)
		}
		return o, nil
	}
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	if l.Job.Announced() {
		heardOf(m.jobs, l.Job)
	} else {
		polled(m.jobs, "member poll", now)
	}
	m.change.Snapshots = map[string][]byte{key: encode(m.is)}
	if m.noted {
		m.change.Snapshots[turnedKey(p, m.org.ID)] = nil
	}
	o := p.change(m.change)
	if o.Follow = m.jobs; p.Members > 0 {
		o.Next = now.Add(p.Members)
	}
	o.Note = fmt.Sprintf("%d differences", len(o.Follow))
	o.Follow = append(o.Follow, e.timers(m)...)
	return o, nil
}

// pollTeams compares the organization's teams. Held is not nil if they are so
// much smaller than before that an operator has to say that it is meant.
func (e *Engine) pollTeams(ctx context.Context, m *membersPoll) (held *syncqueue.Outcome, err error) {
	tf, ok := m.p.Forge.(providers.TeamForge)
	last, known := m.p.models.peek(m.org.ID)
	if !ok || !m.coverage.Polls(inModel...) && !m.l.Job.Announced() {
		if known { // for when a team is said to be gone
			m.is.Model = &last
		}
		return nil, nil
	}
	at := e.cfg.Now()
	model, err := readModel(ctx, tf, m.org)
	if err != nil {
		return &syncqueue.Outcome{}, err
	}
	if had, has := m.was.Model.Size(), model.Size(); e.cfg.Guard.Shrinks(had, has) && !m.l.Job.Force {
		o := e.hold(m.l, atCatalogue, fmt.Sprintf("the teams of %s have %d members and repositories, %d before", m.org.Name, has, had))
		return &o, nil
	}
	if m.l.Job.Force {
		m.p.models.approve(m.org.ID, e.cfg.Now())
	}
	was := m.was.Model
	if known && was == nil {
		// The first fill read the teams earlier than this first poll.
		was = &last
	}
	before, err := e.turnedBefore(ctx, m.p, m.org.ID)
	if err != nil {
		return nil, err
	}
	m.noted = len(before.users)+len(before.repos) > 0
	m.turned = m.p.models.poll(tf, m.org.ID, model, m.l.Fence, at)
	if was != nil {
		m.turned.add(before)
	}
	m.is.Model, m.change.Users = &model, model.Members()
	switch {
	case was != nil:
		d := diffModels(*was, model, priceIn(tf, model))
		d.add(m.turned)
		m.jobs = append(m.jobs, e.jobsOf(m.p, m.org, d)...)
	case m.l.Job.Announced():
		m.jobs = append(m.jobs, e.pass(m.p, m.org, "a team changed, and what it had is not known"))
	}
	return nil, nil
}

// pollActivity asks the organization's feed whether its repositories changed.
func (e *Engine) pollActivity(ctx context.Context, m *membersPoll) error {
	feed, ok := m.p.Forge.(providers.RepoFeed)
	if !ok || m.p.Repos <= 0 || !m.coverage.Polls(inActivity...) {
		return nil
	}
	mark, err := feed.Activity(ctx, m.org)
	if err != nil {
		// Only a hint: the poll of repositories finds the same later.
		e.cfg.Log.Warn("the activity feed cannot be read", "provider", m.p.Name, "org", m.org.Name, "err", err)
		return nil
	}
	if m.was.Activity != "" && m.was.Activity != mark {
		m.jobs = append(m.jobs, syncqueue.PollJob(m.p.Name, syncqueue.PollRepos, m.org, e.cfg.Now()))
	}
	m.is.Activity = mark
	return nil
}
