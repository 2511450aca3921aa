package handlers

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Reconciler compares what the forges say with what is believed.
type Reconciler interface {
	// Jobs returns the jobs that reconcile what is named, without asking a
	// forge: "" and nil stand for all. providers.ErrNotFound if no organization
	// of this name is known.
	Jobs(ctx context.Context, provider, org string, u *providers.User) ([]syncqueue.Job, error)
	// Differences reads the forge as the jobs would and yields what they would
	// change; it writes nothing. An error concerns one job: the others go on.
	Differences(ctx context.Context, jobs []syncqueue.Job) iter.Seq2[storage.Difference, error]
}

const (
	maxDifferences = 10_000           // of one dry run
	dryTime        = 10 * time.Minute // of one dry run
)

type reconcileRequest struct {
	Provider string `json:"provider"`
	Org      string `json:"org"`
	User     string `json:"user"`
	DryRun   bool   `json:"dry_run"`
}

type reconcileView struct {
	DryRun bool        `json:"dry_run"`
	Jobs   []queuedJob `json:"jobs"`
}

type queuedJob struct {
	ID string `json:"id"`
	planned
}

// dryView is the answer of a dry run. Incomplete says why there may be more
// differences than it tells.
type dryView struct {
	DryRun     bool             `json:"dry_run"`
	Items      []differenceView `json:"items"`
	Complete   bool             `json:"complete"`
	Incomplete []string         `json:"incomplete,omitempty"`
}

type differenceView struct {
	Provider string               `json:"provider"`
	User     string               `json:"user"`
	UserID   string               `json:"user_id"`
	Repo     string               `json:"repo"`
	ID       string               `json:"id"`
	From     providers.Permission `json:"from"`
	To       providers.Permission `json:"to"`
	Held     string               `json:"held,omitempty"`
}

// reconcile asks the forge for the truth about a user, an organization or
// everything: now, or to say what that would change.
func (s *api) reconcile(w http.ResponseWriter, r *http.Request) {
	var ask reconcileRequest
	err := errors.Join(parseQuery(r).err, decode(w, r, &ask))
	var jobs []syncqueue.Job
	if err == nil {
		jobs, err = s.reconciling(r.Context(), ask)
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	if ask.DryRun {
		s.dryRun(w, r, jobs)
		return
	}
	ids, err := s.Queue.Enqueue(r.Context(), syncqueue.Cause{By: "operator " + caller(r.Context()).Name, At: s.Now()}, jobs...)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	answer := reconcileView{Jobs: []queuedJob{}}
	for i, j := range jobs {
		answer.Jobs = append(answer.Jobs, queuedJob{ids[i], planned{j.Kind, j.Key, j.Provider, j.Subject, j.Within, laneName(j.Lane)}})
	}
	writeJSON(w, http.StatusAccepted, answer)
}

// reconciling finds the jobs that are asked for.
func (s *api) reconciling(ctx context.Context, ask reconcileRequest) ([]syncqueue.Job, error) {
	switch {
	case ask.Provider != "" && !s.Desk.HasProvider(ask.Provider):
		return nil, notFound("no provider of this name is configured")
	case ask.User != "" && ask.Provider == "":
		return nil, badRequest("a user is one of a provider: name that too")
	}
	var u *providers.User
	if ask.User != "" {
		found, err := s.Desk.FindUser(ctx, ask.Provider, ask.User)
		if err != nil {
			return nil, err
		}
		u = &found
	}
	jobs, err := s.Reconcile.Jobs(ctx, ask.Provider, ask.Org, u)
	if errors.Is(err, providers.ErrNotFound) {
		return nil, notFound("no organization of this name is known: it is not configured, or the forge has not shown it yet")
	}
	return jobs, err
}

// dryRun answers with what the jobs would change. One at a time: it asks the
// forge as much as they do, and holds its answer in memory.
func (s *api) dryRun(w http.ResponseWriter, r *http.Request, jobs []syncqueue.Job) {
	if !s.dry.TryLock() {
		fail(w, r, s.Log, conflict("a dry run is going on: try again when it has ended"))
		return
	}
	defer s.dry.Unlock()
	// A recorder in a test has no deadlines; every real connection does. That
	// of the body has done its work: it arrived.
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Now().Add(dryTime + waitGrace))
	ctx, cancel := context.WithTimeout(r.Context(), dryTime)
	defer cancel()
	stop := s.untilDraining(cancel)
	defer stop()

	answer := dryView{DryRun: true, Items: []differenceView{}, Complete: true}
	lack := func(why string) {
		answer.Complete, answer.Incomplete = false, append(answer.Incomplete, why)
	}
	var failed error
	faults := 0
	for d, err := range s.Reconcile.Differences(ctx, jobs) {
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			_, detail := explain(err)
			s.Log.Warn("a dry run could not ask the forge", "err", err)
			lack(detail + ": " + line(err))
			failed = err
			faults++
			continue
		}
		if len(answer.Items) == maxDifferences {
			lack("there are more than 10000 differences: ask for one organization or user at a time")
			break
		}
		answer.Items = append(answer.Items, differenceView{
			Provider: d.Provider, User: d.User.Login, UserID: d.User.ID, Repo: d.Repo.Path, ID: d.Repo.ID,
			From: d.From, To: d.To, Held: d.Held,
		})
	}
	switch {
	case r.Context().Err() != nil:
		return // the caller went away
	case faults == len(jobs) && faults > 0 && len(answer.Items) == 0:
		fail(w, r, s.Log, failed)
		return
	case s.Draining():
		lack("hookd is shutting down")
	case ctx.Err() != nil:
		lack("the forge was not done answering within " + dryTime.String() + ": ask for one organization or user at a time")
	}
	writeJSON(w, http.StatusOK, answer)
}

// untilDraining calls cancel as soon as hookd drains, until stop is called.
func (s *api) untilDraining(cancel func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(waitTick)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if s.Draining() {
					cancel()
					return
				}
			}
		}
	}()
	return func() { close(done) }
}

// line bounds what is told of an error. Errors of forges hold no secrets.
func line(err error) string {
	const most = 500
	s := err.Error()
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
