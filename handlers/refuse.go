package handlers

import (
	"errors"
	"net/http"
	"time"
)

// reject answers a delivery that is not authentic. Every byte of the answer is
// the same whatever was wrong, and nothing of the request is kept or logged.
func (rc *receiver) reject(w http.ResponseWriter, r *http.Request, d door) {
	d.count("", resultRejected)
	if skipped, ok := rc.quiet.allow("reject "+d.of+" "+d.name, rc.Now()); ok {
		rc.Log.Warn("delivery rejected: signature or token does not match", d.of, d.name, "remote", r.RemoteAddr, "more", skipped)
	}
	// A 401 must name a scheme; no registered one signs webhooks.
	w.Header().Set("WWW-Authenticate", "Webhook-Signature")
	writeProblem(w, http.StatusUnauthorized, "signature or token does not match")
}

// unread answers a delivery whose body could not be taken.
func (rc *receiver) unread(w http.ResponseWriter, d door, err error) {
	status, detail := http.StatusBadRequest, "the body broke off"
	switch {
	case errors.Is(err, errTooLarge):
		status, detail = http.StatusRequestEntityTooLarge, "the body is too large"
	case errors.Is(err, errSlow):
		status, detail = http.StatusRequestTimeout, "the body did not arrive in time"
	case errors.Is(err, errBusy):
		status, detail = http.StatusServiceUnavailable, "too much at once: nothing was recorded"
		later(w, retryAfter)
	}
	d.count("", resultOf(status))
	w.Header().Set("Connection", "close") // the rest of the body is not wanted
	writeProblem(w, status, detail)
}

// unavailable answers a delivery that should have been recorded and was not.
func (rc *receiver) unavailable(w http.ResponseWriter, d door, event string, err error) {
	rc.warn("delivery refused", d, err)
	d.count(event, resultUnavailable)
	later(w, retryAfter)
	writeProblem(w, http.StatusServiceUnavailable, "hookd cannot record this now: nothing was recorded")
}

// warn logs a fault of ours, but not once for every delivery it hits.
func (rc *receiver) warn(msg string, d door, err error) {
	if skipped, ok := rc.quiet.allow(msg+" "+d.of+" "+d.name, rc.Now()); ok {
		rc.Log.Warn(msg, d.of, d.name, "err", err, "more", skipped)
	}
}

// done counts a delivery that was answered with a 2xx.
func (rc *receiver) done(d door, received time.Time, event, result string) {
	d.count(event, result)
	rc.Metrics.Intake(rc.Now().Sub(received))
}

// resultOf is the metric's label for a refusal.
func resultOf(status int) string {
	switch status {
	case http.StatusBadRequest:
		return resultMalformed
	case http.StatusUnauthorized:
		return resultRejected
	case http.StatusServiceUnavailable:
		return resultUnavailable
	}
	return resultUnacceptable
}
