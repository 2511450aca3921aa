package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// maxBackfill bounds a call that reads the forges' delivery logs: what it did
// not come to, the next one does.
const maxBackfill = maxWait

// A Backfill is what a forge's own delivery log was found to hold for one
// organization. Its numbers are deliveries.
type Backfill struct {
	Provider string `json:"provider"`
	Org      string `json:"org"`
	Read     int    `json:"read"`     // in the log
	Missed   int    `json:"missed"`   // of these, what never arrived and may matter
	Fetched  int    `json:"fetched"`  // of the missed, journalled now
	Known    int    `json:"known"`    // of the read, journalled before
	Ignored  int    `json:"ignored"`  // of the read, what cannot matter
	Lost     int    `json:"lost"`     // of the missed, what the log does not hold either
	Complete bool   `json:"complete"` // all of it was read, and all that was missed and is there fetched
	Scope    bool   `json:"scope"`    // the organization is read as a whole, as the log leaves something open
	Logless  bool   `json:"logless"`  // by nature there is no log to read
	Note     string `json:"note,omitempty"`
}

// LogState is how reading an organization's delivery log goes.
type LogState struct {
	Org      string    `json:"org"`
	Readable bool      `json:"readable"`
	Note     string    `json:"note,omitempty"` // why not, or what the last reading left open
	ReadAt   time.Time `json:"read_at,omitzero"`
	Fetched  int       `json:"fetched"` // deliveries since the start
}

type backfillForm struct {
	Provider string `json:"provider"`
	Since    string `json:"since"`
}

// backfills is the answer: the sums, and each log.
type backfills struct {
	Read     int        `json:"read"`
	Missed   int        `json:"missed"`
	Fetched  int        `json:"fetched"`
	Known    int        `json:"known"`
	Complete bool       `json:"complete"` // of all logs that there are, or of the one asked for
	Logs     []Backfill `json:"logs"`
}

// backfill has the delivery logs of one provider, or of all, read now. A forge
// that fails is told in its place and keeps nobody else's log from being read.
func (s *api) backfill(w http.ResponseWriter, r *http.Request) {
	var f backfillForm
	err := errors.Join(parseQuery(r).err, decode(w, r, &f))
	since, bad := parseMoment(f.Since, s.Now())
	switch {
	case err != nil:
	case bad != nil:
		err = badRequest("since " + bad.Error())
	case f.Provider != "" && !s.Desk.HasProvider(f.Provider):
		err = badRequest("no provider of this name is configured")
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	names := []string{f.Provider}
	if f.Provider == "" {
		names = nil
		for _, p := range s.Desk.Providers(r.Context()) {
			names = append(names, p.Name)
		}
	}
	// A recorder in a test has no deadline; every real connection does.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(maxBackfill + waitGrace))
	ctx, cancel := context.WithTimeout(r.Context(), maxBackfill)
	defer cancel()
	answer := backfills{Complete: true, Logs: []Backfill{}}
	for _, name := range names {
		found, err := s.Backfill(ctx, name, since)
		if err != nil {
			s.Log.Warn("a delivery log could not be read", "provider", name, "err", err)
			found = broken(found, name, err)
		}
		for _, b := range found {
			answer.Read += b.Read
			answer.Missed += b.Missed
			answer.Fetched += b.Fetched
			answer.Known += b.Known
			answer.Complete = answer.Complete && (b.Complete || b.Logless && f.Provider == "")
		}
		answer.Logs = append(answer.Logs, found...)
	}
	writeJSON(w, http.StatusOK, answer)
}

// broken notes what ended the reading of a provider's logs at the last of them.
func broken(found []Backfill, provider string, err error) []Backfill {
	if len(found) == 0 {
		found = []Backfill{{Provider: provider}}
	}
	last := &found[len(found)-1]
	last.Complete = false
	_, last.Note = explain(err)
	return found
}
