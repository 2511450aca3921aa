package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

var entryResults = []syncqueue.EntryResult{syncqueue.EntryAccepted, syncqueue.EntryIgnored, syncqueue.EntryPing}

// deliveryView is a delivery as the API tells it. Jobs is a number in lists
// and an array in the answer about one.
type deliveryView struct {
	ID         string                `json:"id"`
	Provider   string                `json:"provider"`
	Event      string                `json:"event"`
	DeliveryID string                `json:"delivery_id"`
	ReceivedAt time.Time             `json:"received_at"`
	SentAt     time.Time             `json:"sent_at,omitzero"`
	Result     syncqueue.EntryResult `json:"result"`
	Reason     string                `json:"reason"`
	Jobs       any                   `json:"jobs"`
	Size       int                   `json:"size"`
	HasBody    bool                  `json:"has_body"`
	Secret     int                   `json:"secret"`
	Org        string                `json:"org,omitempty"`
	Repo       string                `json:"repo,omitempty"`
	User       string                `json:"user,omitempty"`
	Sender     string                `json:"sender,omitempty"`
	Summary    string                `json:"summary,omitempty"`
	Timeline   []moment              `json:"timeline,omitempty"`
}

func viewDelivery(r syncqueue.Record) deliveryView {
	v := deliveryView{
		ID: r.Delivery.ID, Provider: r.Delivery.Provider, Event: r.Event.Name, DeliveryID: r.Delivery.GUID,
		ReceivedAt: r.Delivery.Received, SentAt: r.Delivery.Sent, Result: r.Result, Reason: r.Reason, Jobs: r.JobCount,
		Size: r.Size, HasBody: r.HasBody, Secret: r.Delivery.Secret + 1,
		Org: r.Event.Org.Name, Sender: r.Event.Sender.Login,
	}
	if r.Event.Repo != nil {
		v.Repo = r.Event.Repo.Path
	}
	if r.Event.User != nil {
		v.User = r.Event.User.Login
	}
	if r.Details != nil {
		v.Summary = r.Details.Summary
	}
	return v
}

func (s *api) listDeliveries(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "provider", "event", "result", "since", "until", "limit", "cursor")
	now := s.Now()
	dq := syncqueue.DeliveryQuery{
		Provider: q.text("provider"), Event: q.text("event"), Result: oneOf(q, "result", entryResults...),
		Since: q.moment("since", now), Until: q.moment("until", now),
	}
	limit, cursor := q.limit(), q.cursor()
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	records, next, err := s.Journal.Deliveries(r.Context(), dq, cursor, limit)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	items := make([]deliveryView, len(records))
	for i, rec := range records {
		items[i] = viewDelivery(rec)
	}
	writePage(w, items, sealCursor(q.list, next))
}

func (s *api) showDelivery(w http.ResponseWriter, r *http.Request) {
	if err := parseQuery(r).err; err != nil {
		fail(w, r, s.Log, err)
		return
	}
	rec, err := s.delivery(r)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	jobs, err := s.Journal.JobsOf(r.Context(), rec.Delivery.ID)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	shown, err := s.Visibles.Visible(r.Context(), rec.Delivery.Received)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	now := s.Now()
	views := make([]jobView, len(jobs))
	for i, j := range jobs {
		views[i] = viewJob(j, now)
	}
	v := viewDelivery(rec)
	v.Jobs, v.Timeline = views, timeline(rec, jobs, shown)
	writeJSON(w, http.StatusOK, v)
}

// deliveryBody sends the forge's own bytes, as a download that no browser
// takes for a page.
func (s *api) deliveryBody(w http.ResponseWriter, r *http.Request) {
	if err := parseQuery(r).err; err != nil {
		fail(w, r, s.Log, err)
		return
	}
	rec, err := s.delivery(r)
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	d, err := s.Journal.Body(r.Context(), rec.Delivery.ID)
	if errors.Is(err, syncqueue.ErrUnknown) {
		err = notFound("its body is not kept any more; a replay does not need it")
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(d.Body)))
	h.Set("Content-Disposition", `attachment; filename="`+rec.Delivery.ID+`.json"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.Write(d.Body)
}

// delivery finds what the path names, by id or unique prefix.
func (s *api) delivery(r *http.Request) (syncqueue.Record, error) {
	return s.Journal.Delivery(r.Context(), idParam(r))
}
