package dashboard

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

const pageSize = 50 // deliveries

// filterView is the form above the deliveries.
type filterView struct {
	filter
	Params    string // the address's query
	Providers []string
	Results   []syncqueue.EntryResult
	Events    []string // to choose from: those that are listed
}

// deliveryRow is one line of the deliveries.
type deliveryRow struct {
	ID, Provider, Event string
	Subject             string
	Received            moment
	Result, Reason      string
	Jobs                int
	Link                string // to the same page with this delivery in full
	Redeliver           string // where its button sends
	Current             bool
}

func (p *page) row(rec syncqueue.Record, f filter, now time.Time) deliveryRow {
	d := rec.Delivery
	return deliveryRow{
		ID: d.ID, Provider: clip(d.Provider), Event: clip(rec.Event.Name), Subject: subjectOf(rec),
		Received: at(d.Received, now), Result: string(rec.Result), Reason: clip(rec.Reason), Jobs: rec.JobCount,
		Link: f.of(d.ID).link() + "#delivery", Redeliver: "/dashboard/deliveries/" + d.ID + "/redeliver" + f.of("").params(),
		Current: d.ID == f.Delivery,
	}
}

// subjectOf says what a delivery is about, as exactly as it knows.
func subjectOf(rec syncqueue.Record) string {
	var parts []string
	if u := rec.Event.User; u != nil {
		parts = append(parts, u.Login)
	}
	switch e := rec.Event; {
	case e.Repo != nil:
		parts = append(parts, e.Repo.Path)
	case e.Team != nil:
		parts = append(parts, e.Team.Name)
	case e.Org.Name != "":
		parts = append(parts, e.Org.Name)
	}
	for i := range parts {
		parts[i] = clip(parts[i])
	}
	return strings.Join(parts, ", ")
}

func (p *page) deliveries(ctx context.Context, f filter, v *overview) error {
	records, next, err := p.Journal.Deliveries(ctx, f.query(), f.Cursor, pageSize)
	if err != nil {
		return err
	}
	v.Filter = filterView{filter: f, Params: f.params(), Providers: p.Providers, Results: results}
	if f.Provider != "" && !slices.Contains(p.Providers, f.Provider) {
		v.Filter.Providers = append(slices.Clone(p.Providers), f.Provider)
	}
	now := p.Now()
	for _, rec := range records {
		v.Delivered = append(v.Delivered, p.row(rec, f, now))
		v.Filter.Events = append(v.Filter.Events, clip(rec.Event.Name))
	}
	slices.Sort(v.Filter.Events)
	v.Filter.Events = slices.Compact(v.Filter.Events)
	if f.Cursor != "" {
		v.Newest = f.from("").link() + "#deliveries"
	}
	if next != "" {
		v.Older = f.from(next).link() + "#deliveries"
	}
	return nil
}

// chosenView is one delivery in full.
type chosenView struct {
	deliveryRow
	GUID    string
	Summary string
	Jobs    []jobRow
	Close   string
}

// jobRow is one job of a delivery, or one that is stuck.
type jobRow struct {
	ID, Kind, Subject, Target string
	State                     string
	Attempts                  int
	Created                   moment
	Note                      string
	Retry, Drop               string // where its buttons send, "" if there are none
}

func viewJob(j syncqueue.Job, f filter, now time.Time) jobRow {
	row := jobRow{
		ID: j.ID, Kind: string(j.Kind), Subject: clip(j.Subject.String()), Target: clip(j.Target),
		State: string(j.StateAt(now)), Attempts: j.Attempts, Created: at(j.Created, now), Note: line(noteOf(j)),
	}
	if j.State != syncqueue.Done && j.State != syncqueue.Leased {
		row.Retry = "/dashboard/jobs/" + j.ID + "/retry" + f.params()
		row.Drop = "/dashboard/jobs/" + j.ID + "/drop" + f.params()
	}
	return row
}

// noteOf is why a job is where it is.
func noteOf(j syncqueue.Job) string {
	if j.State == syncqueue.Dead || j.Note == "" {
		return j.LastError
	}
	return j.Note
}

// chosen shows the delivery that the address names. One that is gone is no
// fault of whoever kept the link.
func (p *page) chosen(ctx context.Context, f filter, v *overview) error {
	if f.Delivery == "" {
		return nil
	}
	rec, err := p.Journal.Delivery(ctx, strings.ToUpper(f.Delivery))
	if errors.Is(err, syncqueue.ErrUnknown) || errors.Is(err, syncqueue.ErrAmbiguous) {
		return nil
	}
	if err != nil {
		return err
	}
	jobs, err := p.Journal.JobsOf(ctx, rec.Delivery.ID)
	if err != nil {
		return err
	}
	now := p.Now()
	c := &chosenView{deliveryRow: p.row(rec, f, now), GUID: clip(rec.Delivery.GUID), Close: f.of("").link() + "#deliveries"}
	if rec.Details != nil {
		c.Summary = line(rec.Details.Summary)
	}
	for _, j := range jobs[max(0, len(jobs)-maxShown):] {
		c.Jobs = append(c.Jobs, viewJob(j, f, now))
	}
	slices.Reverse(c.Jobs)
	v.Chosen = c
	return nil
}
