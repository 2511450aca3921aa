package handlers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// What the store is asked for when somebody comes back whose place is not in
// memory any more, as after a restart.
const (
	pastReach = time.Hour   // how far back
	pastMost  = 2000        // of each kind, looked through
	pastAgain = time.Minute // told once more: what happened is told some time after it
)

// before returns what the store knows of what happened since an id and up to
// another, in order, and whether that is all. Of jobs it knows their ends, and
// not who waited for somebody meanwhile.
func (p Past) before(ctx context.Context, id, until int64, now time.Time) (out []happening, all bool, err error) {
	since := time.Unix(0, id)
	if now.Sub(since) > pastReach || id > until {
		return nil, false, nil
	}
	since = since.Add(-pastAgain)
	add := func(at time.Time, kind, subject string, v any) {
		if !at.Before(since) && at.UnixNano() <= until {
			out = append(out, happening{at.UnixNano(), kind, encode(subject, v)})
		}
	}
	records, next, err := p.Journal.Deliveries(ctx, syncqueue.DeliveryQuery{Since: since}, "", pastMost)
	if err != nil || next != "" {
		return nil, false, err
	}
	for _, r := range records {
		add(r.Delivery.Received, kindDelivery, r.Delivery.ID, viewDelivery(r))
	}
	for _, state := range []syncqueue.State{syncqueue.Done, syncqueue.Dead} {
		jobs, next, err := p.Console.Jobs(ctx, syncqueue.JobQuery{State: state}, "", pastMost)
		if err != nil || next != "" {
			return nil, false, err
		}
		for _, j := range jobs {
			add(j.Finished, kindJob, j.ID, viewEnd(j))
		}
	}
	shown, err := p.Visibles.Visible(ctx, since)
	if err != nil || len(shown) > pastMost {
		return nil, false, err
	}
	for _, v := range shown {
		add(v.At, kindVisible, v.Repo, v)
	}
	slices.SortStableFunc(out, func(a, b happening) int { return cmp.Compare(a.id, b.id) })
	return out, true, nil
}
