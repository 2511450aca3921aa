package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// retryAfter is what a refused sender is told to wait.
const retryAfter = 10 * time.Second

// A requestError is what the caller did wrong, in words for him.
type requestError struct {
	status int
	detail string
}

func (e *requestError) Error() string { return e.detail }

func badRequest(detail string) error { return &requestError{http.StatusBadRequest, detail} }
func notFound(detail string) error   { return &requestError{http.StatusNotFound, detail} }
func conflict(detail string) error   { return &requestError{http.StatusConflict, detail} }

// statuses is the one place where errors become answers. The first that
// matches counts; what is not here is 500 and only logged.
var statuses = []struct {
	err    error
	status int
	detail string
}{
	{storage.ErrCursor, http.StatusBadRequest, "this cursor does not belong to this list: begin without one"},
	{syncqueue.ErrUnknown, http.StatusNotFound, "no such thing here"},
	{storage.ErrUnknown, http.StatusNotFound, "the catalogue has no such thing"},
	{providers.ErrNotFound, http.StatusNotFound, "the forge knows no such thing"},
	{syncqueue.ErrAmbiguous, http.StatusConflict, "several ids begin like this: give more of it"},
	{syncqueue.ErrBusy, http.StatusConflict, "the job is running: try again when it has ended"},
	{storage.ErrCopying, http.StatusConflict, "a backup is being made or fetched already: try again when it has ended"},
	{storage.ErrNoRoom, http.StatusInsufficientStorage, "there is not enough space beside the data file for a copy of it"},
	{storage.ErrFull, http.StatusServiceUnavailable, "the store is full: nothing was recorded"},
	{storage.ErrClosed, http.StatusServiceUnavailable, "shutting down"},
	{providers.ErrLimited, http.StatusServiceUnavailable, "the forge's rate limit is spent"},
	{providers.ErrUnauthorized, http.StatusBadGateway, "the forge refuses hookd's token"},
	{providers.ErrForbidden, http.StatusBadGateway, "the forge forbids this to hookd's token"},
	{providers.ErrNonsense, http.StatusBadGateway, "the forge's answer makes no sense"},
	{providers.ErrUnavailable, http.StatusBadGateway, "the forge does not answer"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "it took too long"},
}

// explain returns the answer to an error, 500 for one that nobody foresaw.
func explain(err error) (status int, detail string) {
	var mine *requestError
	if errors.As(err, &mine) {
		return mine.status, mine.detail
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status, s.detail
		}
	}
	return http.StatusInternalServerError, "see the log of hookd"
}

// fail answers a request that err ended. An error that is not the caller's is
// logged, since he only reads that something broke.
func fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	status, detail := explain(err)
	var mine *requestError
	if r.Context().Err() != nil && !errors.As(err, &mine) {
		return // the caller went away
	}
	switch {
	case status == http.StatusInternalServerError:
		log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	case status > http.StatusInternalServerError:
		log.Warn("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	if status == http.StatusServiceUnavailable {
		later(w, retryAfter)
	}
	writeProblem(w, status, detail)
}
