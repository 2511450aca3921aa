package handlers

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// pushTimeout bounds a commit. Forges hang up after five to ten seconds.
const pushTimeout = 15 * time.Second

// receiver takes deliveries.
type receiver struct {
	Intake
	bodies *bodyReader
	quiet  throttle
}

// accepted is the body of a 202.
type accepted struct {
	Delivery string `json:"delivery"`
	Event    string `json:"event"`
	Jobs     int    `json:"jobs"`
}

// received is the body of a 200. The forge's own delivery page shows it, so it
// explains itself.
type received struct {
	Delivery string `json:"delivery,omitempty"`
	Result   string `json:"result"`
	Reason   string `json:"reason"`
}

// receive takes one delivery. The order of the checks is part of the contract.
func (rc *receiver) receive(w http.ResponseWriter, r *http.Request) {
	start := rc.Now()
	if rc.Draining() {
		w.Header().Set("Connection", "close")
	}
	src, ok := rc.Sources()[param(r, "provider")]
	if !ok {
		writeProblem(w, http.StatusNotFound, "no provider of this name is configured")
		return
	}
	if r.Method != http.MethodPost {
		rc.Metrics.Delivery(src.Name, "", resultUnacceptable)
		refuseMethod(w, http.MethodPost)
		return
	}
	form, ok := mediaType(r, src)
	if !ok {
		rc.Metrics.Delivery(src.Name, "", resultUnacceptable)
		writeProblem(w, http.StatusUnsupportedMediaType, "send application/json without a Content-Encoding")
		return
	}
	raw, held, err := rc.bodies.read(w, r)
	defer held.release()
	if err != nil {
		rc.unread(w, src, err)
		return
	}
	secret, err := src.Hook.Verify(r.Header, raw)
	if err != nil {
		rc.reject(w, r, src)
		return
	}
	body, problem := document(raw, form, held)
	if problem != nil {
		rc.Metrics.Delivery(src.Name, "", resultOf(problem.Status))
		if problem.Status == http.StatusServiceUnavailable {
			later(w, retryAfter)
		}
		problem.write(w)
		return
	}
	d := syncqueue.Received(src.Name, src.Hook, r.Header, raw, body, secret, start)
	if form {
		d.Header.Set("Content-Type", "application/json") // of what is kept as the body
	}
	rc.settle(w, r, src, d)
}

// settle journals a verified delivery and answers.
func (rc *receiver) settle(w http.ResponseWriter, r *http.Request, src Source, d providers.Delivery) {
	e, jobs, err := syncqueue.Decide(d, src.Hook, src.Orgs, rc.Timing)
	if err != nil {
		rc.warn("authentic delivery cannot be read", src, e.Result, err)
	}
	// What was verified is recorded even if the sender hangs up meanwhile: most
	// forges never send it again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pushTimeout)
	defer cancel()
	receipt, err := rc.record(ctx, e, jobs)

	event := e.Event.Name
	switch {
	case err != nil && e.Result == syncqueue.EntryAccepted:
		rc.unavailable(w, src, e, err)
	case err != nil:
		// Nothing is lost with it, and a 503 would make the forge try again.
		rc.warn("not journalled", src, e.Result, err)
		rc.done(d, event, string(e.Result))
		writeJSON(w, http.StatusOK, received{Result: string(e.Result), Reason: e.Reason})
	case !receipt.Fresh:
		rc.done(d, event, resultDuplicate)
		writeJSON(w, http.StatusOK, received{receipt.Delivery, resultDuplicate, duplicateReason(receipt)})
	case e.Result == syncqueue.EntryAccepted:
		rc.Log.Debug("delivery accepted", "provider", src.Name, "delivery", receipt.Delivery, "event", event, "jobs", receipt.Jobs)
		rc.done(d, event, resultAccepted)
		writeJSON(w, http.StatusAccepted, accepted{receipt.Delivery, event, receipt.Jobs})
	default:
		rc.done(d, event, string(e.Result))
		writeJSON(w, http.StatusOK, received{receipt.Delivery, string(e.Result), e.Reason})
	}
}

var errDraining = errors.New("draining")

// record journals a delivery with its jobs. Work that only begins is refused
// while hookd drains; what is known already is told so even then.
func (rc *receiver) record(ctx context.Context, e syncqueue.Entry, jobs []syncqueue.Job) (syncqueue.Receipt, error) {
	if e.Result != syncqueue.EntryAccepted || !rc.Draining() {
		return rc.Queue.Push(ctx, e, jobs...)
	}
	receipt, err := rc.Queue.Repeat(ctx, e.Delivery.Provider, e.Delivery.GUID)
	if errors.Is(err, syncqueue.ErrUnknown) {
		err = errDraining
	}
	return receipt, err
}

// mediaType reports whether the body is a form, and whether it may be sent at
// all.
func mediaType(r *http.Request, src Source) (form, ok bool) {
	for _, enc := range r.Header.Values("Content-Encoding") {
		if strings.TrimSpace(enc) != "" {
			return false, false
		}
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return false, false
	}
	form = t == "application/x-www-form-urlencoded"
	return form, t == "application/json" || form && src.Forms
}

// document returns the JSON document of a verified body: the body itself, or
// the payload field of a form.
func document(raw []byte, form bool, held *hold) ([]byte, *problem) {
	body := raw
	if form {
		if !held.add(2 * int64(len(raw))) {
			p := newProblem(http.StatusServiceUnavailable, "too much at once")
			return nil, &p
		}
		fields, err := url.ParseQuery(string(raw))
		if err != nil {
			p := newProblem(http.StatusBadRequest, "the body is not a form")
			return nil, &p
		}
		body = []byte(fields.Get("payload"))
	}
	if !validJSON(body) {
		p := newProblem(http.StatusBadRequest, "the body is not valid JSON")
		return nil, &p
	}
	return body, nil
}

func duplicateReason(r syncqueue.Receipt) string {
	if r.Jobs > 0 {
		return fmt.Sprintf("already received; %d of its dead jobs run again", r.Jobs)
	}
	return "already received"
}
