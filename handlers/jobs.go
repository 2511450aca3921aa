package handlers

import (
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// jobView is a job as the API tells it.
type jobView struct {
	ID        string            `json:"id"`
	Kind      syncqueue.Kind    `json:"kind"`
	Key       syncqueue.Key     `json:"key"`
	Provider  string            `json:"provider"`
	Target    string            `json:"target,omitempty"`
	Org       string            `json:"org,omitempty"`
	Subject   providers.Subject `json:"subject"`
	Within    providers.Subject `json:"within,omitzero"`
	Lane      string            `json:"lane"`
	State     syncqueue.State   `json:"state"`
	Attempts  int               `json:"attempts"`
	Looks     int               `json:"looks,omitempty"`
	NotBefore time.Time         `json:"not_before"`
	LastError string            `json:"last_error"`
	Outcome   syncqueue.Result  `json:"outcome,omitempty"`
	Note      string            `json:"note,omitempty"`
	Created   time.Time         `json:"created_at"`
	Finished  time.Time         `json:"finished_at,omitzero"`
	Since     time.Time         `json:"since,omitzero"`
	Causes    []syncqueue.Cause `json:"causes"`
	Rerun     bool              `json:"rerun,omitempty"`
	Plan      *planView         `json:"plan,omitempty"`
}

// planView is what a plan stands for, and what it takes.
type planView struct {
	Repos int       `json:"repos"` // in all
	Done  int       `json:"done"`
	Calls int       `json:"calls"` // to the forge that the rest takes, as estimated
	Spent int       `json:"spent"` // calls to the forge so far
	Alone int       `json:"alone"` // calls that it would have taken job by job, as estimated
	Ends  time.Time `json:"ends_at,omitzero"`
}

func viewPlan(p *syncqueue.Plan) *planView {
	if p == nil {
		return nil
	}
	return &planView{Repos: p.Total(), Done: p.Done, Calls: p.Calls(), Spent: p.Spent, Alone: p.Alone(), Ends: p.Ends}
}

func viewJob(j syncqueue.Job, now time.Time) jobView {
	v := jobView{
		ID: j.ID, Kind: j.Kind, Key: j.Key, Provider: j.Provider, Target: j.Target, Org: j.Org,
		Subject: j.Subject, Within: j.Within, Lane: laneName(j.Lane), State: j.StateAt(now),
		Attempts: j.Attempts, Looks: j.Looks, NotBefore: j.NotBefore, LastError: j.LastError,
		Outcome: j.Outcome, Note: j.Note, Created: j.Created, Finished: j.Finished, Since: j.Since,
		Causes: j.Causes, Rerun: j.Again != nil, Plan: viewPlan(j.Plan),
	}
	if v.Causes == nil {
		v.Causes = []syncqueue.Cause{}
	}
	return v
}

func laneName(l syncqueue.Lane) string {
	switch l {
	case syncqueue.LaneRemoval:
		return "removal"
	case syncqueue.LaneAddition:
		return "addition"
	case syncqueue.LanePoll:
		return "poll"
	}
	return "reconcile"
}

func (s *api) listJobs(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "state", "kind", "provider", "limit", "cursor")
	jq := syncqueue.JobQuery{
		State: oneOf(q, "state", syncqueue.States...), Kind: oneOf(q, "kind", syncqueue.Kinds...),
		Provider: q.text("provider"),
	}
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	jobs, next, err := s.Console.Jobs(r.Context(), jq, cursor, limit)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	now := s.Now()
	items := make([]jobView, len(jobs))
	for i, j := range jobs {
		items[i] = viewJob(j, now)
	}
	writePage(w, items, sealCursor(q.list, next))
}

func (s *api) showJob(w http.ResponseWriter, r *http.Request) {
	err := parseQuery(r).err
	var j syncqueue.Job
	if err == nil {
		j, err = s.Console.Job(r.Context(), idParam(r))
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	writeJSON(w, http.StatusOK, viewJob(j, s.Now()))
}

func (s *api) retryJob(w http.ResponseWriter, r *http.Request) {
	err := parseQuery(r).err
	var j syncqueue.Job
	if err == nil {
		j, err = s.steering.Retry(r.Context(), idParam(r))
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	writeJSON(w, http.StatusOK, viewJob(j, s.Now()))
}

func (s *api) dropJob(w http.ResponseWriter, r *http.Request) {
	err := parseQuery(r).err
	if err == nil {
		err = s.steering.Drop(r.Context(), idParam(r))
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// pause stops or starts the workers.
func (s *api) pause(on bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := parseQuery(r).err
		if err == nil {
			err = s.Console.Pause(r.Context(), on)
		}
		if err != nil {
			fail(w, r, s.Log, err)
			return
		}
		writeJSON(w, http.StatusOK, struct {
			Paused bool `json:"paused"`
		}{on})
	}
}
