package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// fetchChunk is how many deliveries one run fetches: each may cost a call, and
// other work gets its turn in between.
const fetchChunk = 200

// A watermark is how far a webhook's log was read. It is kept as a snapshot with the
// end of the run that read so far: whoever is killed before that reads the same
// again, and finds in the journal what was fetched already.
type watermark struct {
	From    time.Time `json:"from,omitzero"` // where the first reading began: what is older was never ours
	ID      string    `json:"id,omitempty"`  // the latest attempt then
	At      time.Time `json:"at,omitzero"`   // and its time, by the forge's clock
	Through time.Time `json:"through"`       // when that was, by hookd's
	Fails   int       `json:"fails,omitempty"`
	Off     bool      `json:"off,omitempty"`
}

func watermarkKey(provider, org string) string { return "deliveries/" + provider + "/" + org }

// pollDeliveries reads what the forge logged of its deliveries since the last
// time, and fetches what never arrived. What the log leaves open is read from
// the forge itself: the organization as a whole.
func (e *Engine) pollDeliveries(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	now := e.cfg.Now()
	o := syncqueue.Outcome{Next: now.Add(p.Deliveries)}
	logs, absent, err := e.logs(ctx, p, org)
	if err != nil {
		return o, err
	}
	if o.Note = absent.why; o.Note != "" {
		e.unreadable(p, org, absent.why)
		return o, nil
	}
	key := watermarkKey(p.Name, org.ID)
	was, is := map[string]watermark{}, map[string]watermark{}
	if err := e.load(ctx, key, &was); err != nil {
		return o, err
	}
	b := Backfill{Provider: p.Name, Org: org, Complete: true}
	var gaps []string
	budget := fetchChunk
	for _, hook := range logs {
		m, known := was[hook.Hook]
		r, err := e.readOn(ctx, p, hook, m, known)
		if err == nil {
			before := len(r.missed)
			err = r.fetch(ctx, budget)
			budget -= before - len(r.missed)
		}
		b.add(r)
		if err != nil {
			return o, err
		}
		if len(r.missed) > 0 { // the next run goes on, from the same place
			b.Complete, o.Next = false, now
			if known {
				is[hook.Hook] = m
			}
			continue
		}
		next, open := r.advance(m, known, len(was) > 0, now)
		is[hook.Hook], gaps = next, append(gaps, open...)
	}
	o.Change = &storage.Change{Provider: p.Name, Snapshots: map[string][]byte{key: encode(is)}}
	if len(gaps) > 0 {
		b.Note = joined(gaps)
		scope := syncqueue.ScopeJob(p.Name, org, now)
		scope.Lane = syncqueue.LanePoll
		scope.Causes = []syncqueue.Cause{{By: byBackfill, Why: b.Note, At: now}}
		o.Follow = append(o.Follow, scope)
		e.cfg.Log.Warn("the delivery log leaves something open: the organization is read as a whole", "provider", p.Name, "org", org.Name, "why", b.Note)
	}
	o.Note = b.String()
	e.readable(p, org, b, now)
	return o, nil
}

// readOn reads a log from where m stands. Without a watermark it begins with the
// journal, or now if that is empty: then the first fill reads everything.
func (e *Engine) readOn(ctx context.Context, p *provider, l providers.HookLog, m watermark, marked bool) (reading, error) {
	r := reading{e: e, p: p, log: l, until: m.ID, after: m.At}
	switch {
	case !m.At.IsZero():
		if r.since = m.At.Add(-overlap); r.since.Before(m.From) {
			r.since = m.From
		}
	case !marked:
		_, oldest, err := e.cfg.Store.Known(ctx, p.Name, nil)
		if err != nil {
			return r, err
		}
		if r.since = oldest; oldest.IsZero() {
			r.since = e.cfg.Now()
		}
		r.since = r.since.Add(-overlap)
	}
	return r, r.read(ctx)
}

// advance returns the watermark after a reading that left nothing to fetch, and
// what the log leaves open. others tells whether this webhook took another's
// place.
func (r *reading) advance(m watermark, marked, others bool, now time.Time) (watermark, []string) {
	gaps := r.gaps()
	next := watermark{From: m.From, ID: m.ID, At: m.At, Through: now, Off: r.log.Off != ""}
	if !marked {
		next.From = r.since
	}
	if r.newest.ID != "" {
		next.ID, next.At = r.newest.ID, r.newest.At
	}
	var silent bool
	next.Fails, silent = r.fails(m.Fails)
	away := now.Sub(m.Through)
	switch {
	case !marked && others:
		gaps = append(gaps, "the webhook is another than before")
	case marked && !r.reached && away > r.log.Kept:
		gaps = append(gaps, fmt.Sprintf("hookd last read the log %v ago, and it goes back %v", away.Round(time.Minute), r.log.Kept))
	case m.Off && !next.Off:
		gaps = append(gaps, "the webhook was switched off for a while")
	case silent:
		gaps = append(gaps, fmt.Sprintf("after %d failures the forge may have stopped sending for a while", r.log.GivesUp))
	}
	return next, gaps
}

// String says what was found, for people.
func (b Backfill) String() string {
	s := fmt.Sprintf("%d read, %d missed, %d fetched, %d known", b.Read, b.Missed, b.Fetched, b.Known)
	if b.Note != "" {
		s += ": " + b.Note
	}
	return s
}
