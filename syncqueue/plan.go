package syncqueue

import (
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
)

// A Plan makes one scope job of a storm: of many events about repositories of
// one organization, which are looked at together. The repo jobs it took over
// have ended; what is pushed about one of the repositories meanwhile is a job
// of its own, and what is planned meanwhile joins the plan.
type Plan struct {
	Repos []string        `json:"repos,omitempty"` // ids, still to be looked at
	Done  int             `json:"done"`            // how many were
	Spent int             `json:"spent"`           // calls to the forge, by whomever, while it ran
	Price providers.Price `json:"price"`           // that its estimates go by

	// Listed is the fence under which the organization's repositories were
	// listed, zero if that is still to be done: a listing serves only what
	// was planned before.
	Listed uint64    `json:"listed,omitempty"`
	Ends   time.Time `json:"ends,omitzero"` // when it will have ended, as estimated; zero if unknown
}

// Total is how many repositories the plan stands for.
func (p Plan) Total() int { return p.Done + len(p.Repos) }

// Calls estimates how many calls to the forge the rest of the plan takes.
func (p Plan) Calls() int {
	n := len(p.Repos) * p.Price.Audience
	if n > 0 && p.Listed == 0 {
		n += p.Price.List
	}
	return n
}

// Alone estimates how many the whole of it would have taken job by job.
func (p Plan) Alone() int { return p.Total() * (p.Price.Repo + p.Price.Audience) }

// PlanJob looks at planned repositories of org together.
func PlanJob(provider string, org providers.Org, p Plan, lane Lane, now time.Time) Job {
	j := newJob(KindScope, provider, org.ID, OrgSubject(org), lane, now)
	j.Plan = &p
	j.Key = MakeKey(string(j.Kind), provider, "plan", org.ID)
	return j
}

// A Takeover lets a plan take over jobs in the commit that pushes it.
type Takeover struct {
	Plan Job      // of PlanJob
	Jobs []string // ids
}

// Plannable reports whether a plan may take over j, which is not leased: an
// ordinary look at a repository, not one that goes wrong, waits for something to
// show, or was wished for by an operator. Whatever is said to be gone has its
// proof to find, and is not made to wait.
func Plannable(j Job) bool {
	return j.State == Ready && j.Kind == KindRepo && j.Lane >= LaneAddition && !j.Hint.Gone && !j.Force &&
		j.Attempts == 0 && j.Looks == 0 && j.Failing.IsZero()
}

// TakenOver returns the plan with the job of one more repository, and that job
// as it ends.
func TakenOver(plan, j Job, now time.Time) (Job, Job) {
	p := *plan.Plan
	p.Repos = append(slices.Clone(p.Repos), j.Subject.ID)
	plan.Plan = &p
	plan.Lane = min(plan.Lane, j.Lane)
	plan.Since = earliest(plan.Since, j.Since)
	plan.Causes = appendCauses(plan.Causes, j.Causes)
	j.State, j.Outcome, j.Finished = Done, ResultSuperseded, now
	j.Note = "looked at together with others of " + plan.Subject.Name
	return plan, j
}

// with joins two plans for one organization.
func (p *Plan) with(q *Plan) *Plan {
	switch {
	case p == nil:
		return q
	case q == nil:
		return p
	}
	out := Plan{
		Repos: slices.Clone(p.Repos), Done: max(p.Done, q.Done), Spent: max(p.Spent, q.Spent),
		Price: q.Price, Ends: p.Ends,
	}
	have := make(map[string]bool, len(p.Repos))
	for _, id := range p.Repos {
		have[id] = true
	}
	for _, id := range q.Repos {
		if !have[id] {
			have[id] = true
			out.Repos = append(out.Repos, id)
		}
	}
	if q.Ends.After(out.Ends) {
		out.Ends = q.Ends
	}
	if p.Listed == q.Listed {
		out.Listed = p.Listed
	}
	return &out
}
