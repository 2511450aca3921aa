package syncqueue

import (
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// Timing is how long an event waits for others about the same subject.
type Timing struct {
	Debounce time.Duration // after the latest event
	MaxDelay time.Duration // after the first one
}

// CauseOf is the cause that a delivery gives to its jobs.
func CauseOf(d providers.Delivery, e providers.Event) Cause {
	return Cause{Delivery: d.ID, Event: e.Name, At: d.Received}
}

// JobsFor returns the jobs that look again at what the event is about. It is
// pure: the same delivery and event give the same jobs, but for their times,
// which count from now (a replay is not due in the past).
func JobsFor(d providers.Delivery, e providers.Event, t Timing, now time.Time) []Job {
	lane := LaneAddition
	if e.Removes() {
		lane = LaneRemoval
	}
	mk := func(k Kind, subject providers.Subject) Job {
		j := Job{
			Kind: k, Provider: d.Provider, Org: e.Org.ID, Subject: subject, Lane: lane,
			Hint:      Hint{Gone: e.Removes(), From: e.From},
			NotBefore: now.Add(t.Debounce), Deadline: now.Add(max(t.MaxDelay, t.Debounce)),
			Since: d.Received, Causes: []Cause{CauseOf(d, e)},
		}
		j.Key = j.key()
		return j
	}
	switch e.Effect {
	case providers.EffectRepo, providers.EffectGone:
		if e.Repo == nil {
			return nil
		}
		j := mk(KindRepo, RepoSubject(*e.Repo))
		j.Hint.New = e.Effect == providers.EffectRepo
		return []Job{j}
	case providers.EffectMember, providers.EffectLeft:
		if e.User == nil {
			return nil
		}
		j := mk(KindMember, UserSubject(*e.User))
		switch {
		case e.Repo != nil:
			j.Within = RepoSubject(*e.Repo)
		case e.Team != nil:
			j.Within = providers.Subject{Kind: providers.SubjectTeam, ID: e.Team.ID, Name: e.Team.Name}
		default:
			j.Within = OrgSubject(e.Org)
		}
		j.Key = j.key()
		return []Job{j}
	case providers.EffectUser:
		if e.User == nil {
			return nil
		}
		return []Job{mk(KindUser, UserSubject(*e.User))}
	case providers.EffectScope:
		if e.Team != nil && e.Org.ID != "" {
			// What the team had is known from the poll before: that tells whom to
			// look at, where a pass over the organization would look at everybody.
			j := mk(KindPoll, OrgSubject(e.Org))
			j.Within.Name = PollMembers
			j.Key = j.key()
			return []Job{j}
		}
		return []Job{mk(KindScope, OrgSubject(e.Org))}
	}
	return nil
}

// RepoJob looks again at who has r in his list.
func RepoJob(provider string, r providers.Repo, lane Lane, now time.Time) Job {
	return newJob(KindRepo, provider, r.Org.ID, RepoSubject(r), lane, now)
}

// UserJob looks again at everything u holds.
func UserJob(provider string, u providers.User, lane Lane, now time.Time) Job {
	return newJob(KindUser, provider, "", UserSubject(u), lane, now)
}

// LoginJob finds out who a login is, of whom no id is known, and looks at
// everything he holds.
func LoginJob(provider, login string, lane Lane, now time.Time) Job {
	return newJob(KindUser, provider, "", providers.Subject{Kind: providers.SubjectUser, Name: login}, lane, now)
}

// MemberJob looks again at what u holds in an organization.
func MemberJob(provider string, u providers.User, org providers.Org, lane Lane, now time.Time) Job {
	j := newJob(KindMember, provider, org.ID, UserSubject(u), lane, now)
	j.Within = OrgSubject(org)
	j.Key = j.key()
	return j
}

// CollaboratorJob looks again at what u may do with r.
func CollaboratorJob(provider string, u providers.User, r providers.Repo, lane Lane, now time.Time) Job {
	j := newJob(KindMember, provider, r.Org.ID, UserSubject(u), lane, now)
	j.Within = RepoSubject(r)
	j.Key = j.key()
	return j
}

// Anew asks once more what a job asked. Its causes are the parent's.
func Anew(j, parent Job, now time.Time) Job {
	next := newJob(j.Kind, j.Provider, j.Org, j.Subject, j.Lane, now)
	next.Target, next.Within, next.Hint = j.Target, j.Within, j.Hint
	next.Since, next.Causes = parent.Since, parent.Causes
	next.Key = j.Key
	return next
}

// ScopeJob reads an organization in one pass.
func ScopeJob(provider string, org providers.Org, now time.Time) Job {
	return newJob(KindScope, provider, org.ID, OrgSubject(org), LaneReconcile, now)
}

// PublishJob tells a target what u holds. Its causes are the parent's, so that
// the time until it shows is counted from the delivery.
func PublishJob(target, provider string, u providers.User, parent Job, lane Lane, now time.Time) Job {
	j := newJob(KindPublish, provider, parent.Org, UserSubject(u), lane, now)
	j.Target = target
	j.Since, j.Causes = parent.Since, parent.Causes
	if lane == LaneReconcile {
		// A first fill touches everybody again and again: tell each once.
		j.NotBefore, j.Deadline = now.Add(fillDelay), now.Add(fillMaxDelay)
	}
	j.Key = j.key()
	return j
}

// PublishRepoJob tells target of a repository by itself, apart from who sees it.
func PublishRepoJob(target, provider string, r providers.Repo, parent Job, lane Lane, now time.Time) Job {
	j := newJob(KindPublish, provider, r.Org.ID, RepoSubject(r), lane, now)
	j.Target = target
	j.Since, j.Causes = parent.Since, parent.Causes
	j.Key = j.key()
	return j
}

// Activation is what a publish job about a repository is within, if it decides
// whether the target is to build that.
const Activation = "activation"

// ActivationJob has a target's policy decide on a repository. It is a job of its
// own, as it may wait for weeks.
func ActivationJob(target, provider string, r providers.Repo, parent Job, lane Lane, now time.Time) Job {
	j := PublishRepoJob(target, provider, r, parent, lane, now)
	j.Within.Name = Activation
	j.Key = j.key()
	return j
}

// ActivationKeys is what the keys of a target's activation jobs begin with.
func ActivationKeys(target, provider string) Key {
	return MakeKey(string(KindPublish), target, provider, Activation, "")
}

// fillDelay and fillMaxDelay debounce the publish jobs that nobody waits for.
const (
	fillDelay    = 2 * time.Second
	fillMaxDelay = 30 * time.Second
)

// PublishLane is the lane of a publish job: losses go first, the rest keeps
// the lane of the job that found it.
func PublishLane(parent Lane, lost bool) Lane {
	if lost {
		return LaneRemoval
	}
	return parent
}

// OfChange returns the publish jobs for the users a change altered. lost tells
// of each user whether he lost something.
func OfChange(targets []string, c *storage.Change, parent Job, users map[providers.User]bool, now time.Time) []Job {
	var jobs []Job
	for u, lost := range users {
		for _, t := range targets {
			jobs = append(jobs, PublishJob(t, c.Provider, u, parent, PublishLane(parent.Lane, lost), now))
		}
	}
	return jobs
}

// OfRepos returns the publish jobs for the repositories that a change met. What
// strangers may see no longer goes before all else; what is new is told. To a
// first fill everything is new: it tells what was created since it began.
func OfRepos(targets []string, provider string, met []storage.Met, parent Job, now time.Time) []Job {
	var jobs []Job
	for _, m := range met {
		if m.New && parent.fills(m.Repo) {
			continue
		}
		lane, hint := parent.Lane, Hint{New: m.New, Narrowed: !m.New && m.Repo.Visibility.Narrower(m.Was)}
		if hint.Narrowed {
			lane = LaneRemoval
		}
		for _, t := range targets {
			j := PublishRepoJob(t, provider, m.Repo, parent, lane, now)
			j.Hint = hint
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// fills reports whether j is part of a first fill, to which r is no news.
func (j Job) fills(r providers.Repo) bool {
	return slices.ContainsFunc(j.Causes, func(c Cause) bool {
		return c.By == ByFill && r.Created.Before(c.At.Truncate(time.Second)) // forges tell whole seconds
	})
}

func newJob(k Kind, provider, org string, s providers.Subject, lane Lane, now time.Time) Job {
	j := Job{Kind: k, Provider: provider, Org: org, Subject: s, Lane: lane, NotBefore: now}
	j.Key = j.key()
	return j
}

// key names what coalesces with j. Sweeps and polls are one per provider and
// organization; Within.Name tells apart what is polled.
func (j Job) key() Key {
	switch j.Kind {
	case KindMember:
		return MakeKey(string(j.Kind), j.Provider, j.Subject.ID, string(j.Within.Kind), j.Within.ID)
	case KindPublish:
		if j.Within.Name == Activation {
			return ActivationKeys(j.Target, j.Provider) + Key(j.Subject.ID)
		}
		if j.Subject.Kind == providers.SubjectRepo {
			return MakeKey(string(j.Kind), j.Target, j.Provider, string(j.Subject.Kind), j.Subject.ID)
		}
		return MakeKey(string(j.Kind), j.Target, j.Provider, j.Subject.ID)
	case KindPoll:
		return MakeKey(string(j.Kind), j.Provider, j.Within.Name, j.Subject.ID)
	case KindUser:
		if j.Subject.ID == "" {
			return MakeKey(string(j.Kind), j.Provider, "login", providers.Fold(j.Subject.Name))
		}
	case KindScope:
		return MakeKey(string(j.Kind), j.Provider, string(j.Subject.Kind), j.Subject.ID)
	}
	return MakeKey(string(j.Kind), j.Provider, j.Subject.ID)
}

// What a PollJob polls.
const (
	PollOrgs    = "orgs"
	PollMembers = "members"
	PollRepos   = "repos"

	PollDeliveries = "deliveries" // the forge's own log of what it sent
)

// PollJob compares what the forge says of org with its snapshot. It recurs.
func PollJob(provider, what string, org providers.Org, now time.Time) Job {
	j := newJob(KindPoll, provider, org.ID, OrgSubject(org), LanePoll, now)
	j.Within.Name = what
	j.Key = j.key()
	return j
}

// SweepJob finds users nobody looked at for long. It recurs.
func SweepJob(provider string, now time.Time) Job {
	return newJob(KindSweep, provider, "", providers.Subject{}, LaneReconcile, now)
}

// RepoSubject, UserSubject and OrgSubject name what a job is about.
func RepoSubject(r providers.Repo) providers.Subject {
	return providers.Subject{Kind: providers.SubjectRepo, ID: r.ID, Name: r.Path}
}

// UserSubject names a user.
func UserSubject(u providers.User) providers.Subject {
	return providers.Subject{Kind: providers.SubjectUser, ID: u.ID, Name: u.Login}
}

// OrgSubject names an organization.
func OrgSubject(o providers.Org) providers.Subject {
	return providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
}
