package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// receiver takes deliveries, and what CI servers announce.
type receiver struct {
	Intake
	bodies *bodyReader
	quiet  throttle
	told   repetitions
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

// receive takes one delivery.
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
	m, ok := rc.admit(w, r, rc.doorOf(src))
	defer m.held.release()
	if !ok {
		return
	}
	d := syncqueue.Received(src.Name, src.Hook, r.Header, m.raw, m.body, m.secret, start)
	if m.form {
		d.Header.Set("Content-Type", "application/json") // of what is kept as the body
	}
	rc.settle(w, r, src, d)
}

// settle journals a verified delivery and answers.
func (rc *receiver) settle(w http.ResponseWriter, r *http.Request, src Source, d providers.Delivery) {
	door := rc.doorOf(src)
	e, jobs, err := syncqueue.Decide(d, src.Hook, src.Orgs, rc.Timing)
	if err != nil {
		rc.warn("authentic delivery cannot be read", door, err)
	}
	// What was verified is recorded even if the sender hangs up meanwhile: most
	// forges never send it again.
	receipt, err := rc.record(context.WithoutCancel(r.Context()), e, jobs)
	if err == nil && receipt.Fresh {
		rc.Feed.Delivery(e, receipt.Jobs)
	}

	event := e.Event.Name
	switch {
	case err != nil && e.Result == syncqueue.EntryAccepted:
		rc.unavailable(w, door, event, err)
	case err != nil:
		// Nothing is lost with it, and a 503 would make the forge try again.
		rc.warn("not journalled", door, err)
		rc.done(door, d.Received, event, string(e.Result))
		writeJSON(w, http.StatusOK, received{Result: string(e.Result), Reason: e.Reason})
	case !receipt.Fresh:
		rc.done(door, d.Received, event, resultDuplicate)
		writeJSON(w, http.StatusOK, received{receipt.Delivery, resultDuplicate, duplicateReason(receipt)})
	case e.Result == syncqueue.EntryAccepted:
		rc.Log.Debug("delivery accepted", "provider", src.Name, "delivery", receipt.Delivery, "event", event, "jobs", receipt.Jobs)
		rc.done(door, d.Received, event, resultAccepted)
		writeJSON(w, http.StatusAccepted, accepted{receipt.Delivery, event, receipt.Jobs})
	default:
		rc.done(door, d.Received, event, string(e.Result))
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

func duplicateReason(r syncqueue.Receipt) string {
	if r.Jobs > 0 {
		return fmt.Sprintf("already received; %d of its dead jobs run again", r.Jobs)
	}
	return "already received"
}
