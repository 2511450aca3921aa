package handlers

import (
	"context"
	"errors"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

const maxReplays = 5000 // deliveries of one call

type replayed struct {
	Delivery string    `json:"delivery"`
	Jobs     int       `json:"jobs"`
	Plan     []planned `json:"plan,omitempty"`
}

// planned is a job that a dry run would push.
type planned struct {
	Kind     syncqueue.Kind    `json:"kind"`
	Key      syncqueue.Key     `json:"key"`
	Provider string            `json:"provider"`
	Subject  providers.Subject `json:"subject"`
	Within   providers.Subject `json:"within,omitzero"`
	Lane     string            `json:"lane"`
}

func (s *api) replayOne(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "dry_run")
	dry := q.boolean("dry_run")
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	rec, jobs, err := s.steering.plan(r.Context(), idParam(r))
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	answer := replayed{Delivery: rec.Delivery.ID, Jobs: len(jobs)}
	if dry {
		for _, j := range jobs {
			answer.Plan = append(answer.Plan, planned{j.Kind, j.Key, j.Provider, j.Subject, j.Within, laneName(j.Lane)})
		}
		writeJSON(w, http.StatusAccepted, answer)
		return
	}
	if err := s.steering.replay(r.Context(), rec, jobs); err != nil {
		fail(w, r, s.Log, err)
		return
	}
	writeJSON(w, http.StatusAccepted, answer)
}

type replayFilter struct {
	Provider string                `json:"provider"`
	Event    string                `json:"event"`
	Result   syncqueue.EntryResult `json:"result"`
	Since    string                `json:"since"`
	Until    string                `json:"until"`
	DryRun   bool                  `json:"dry_run"`
}

type replays struct {
	Deliveries int      `json:"deliveries"`
	Jobs       int      `json:"jobs"`
	IDs        []string `json:"ids"`
	Truncated  bool     `json:"truncated"`
	DryRun     bool     `json:"dry_run"`
}

func (s *api) replayMany(w http.ResponseWriter, r *http.Request) {
	var f replayFilter
	err := errors.Join(parseQuery(r).err, decode(w, r, &f))
	var q syncqueue.DeliveryQuery
	if err == nil {
		q, err = s.selection(f)
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	records, more, err := s.collect(r.Context(), q)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	answer := replays{IDs: []string{}, Truncated: more, DryRun: f.DryRun}
	var plans [][]syncqueue.Job
	for _, rec := range records {
		jobs := s.steering.jobsAgain(rec)
		plans = append(plans, jobs)
		answer.Deliveries++
		answer.Jobs += len(jobs)
		answer.IDs = append(answer.IDs, rec.Delivery.ID)
	}
	if f.DryRun {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	if err := s.steering.replayAll(r.Context(), records, plans); err != nil {
		fail(w, r, s.Log, err)
		return
	}
	writeJSON(w, http.StatusAccepted, answer)
}

// selection turns the filter into a query.
func (s *api) selection(f replayFilter) (syncqueue.DeliveryQuery, error) {
	now := s.Now()
	since, err1 := parseMoment(f.Since, now)
	until, err2 := parseMoment(f.Until, now)
	switch err3 := isOneOf("result", f.Result, entryResults...); {
	case err1 != nil:
		return syncqueue.DeliveryQuery{}, badRequest("since " + err1.Error())
	case err2 != nil:
		return syncqueue.DeliveryQuery{}, badRequest("until " + err2.Error())
	case err3 != nil:
		return syncqueue.DeliveryQuery{}, badRequest(err3.Error())
	case f.Provider != "" && !s.Desk.HasProvider(f.Provider):
		return syncqueue.DeliveryQuery{}, badRequest("no provider of this name is configured")
	}
	return syncqueue.DeliveryQuery{Provider: f.Provider, Event: f.Event, Result: f.Result, Since: since, Until: until}, nil
}

// collect reads the selected deliveries of configured providers, newest first,
// and whether there are more than one call replays.
func (s *api) collect(ctx context.Context, q syncqueue.DeliveryQuery) (out []syncqueue.Record, more bool, err error) {
	cursor := ""
	for {
		records, next, err := s.Journal.Deliveries(ctx, q, cursor, maxLimit)
		if err != nil {
			return nil, false, err
		}
		for _, rec := range records {
			if !s.Desk.HasProvider(rec.Delivery.Provider) {
				continue
			}
			if len(out) == maxReplays {
				return out, true, nil
			}
			out = append(out, rec)
		}
		if next == "" {
			return out, false, nil
		}
		cursor = next
	}
}
