package memory

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// Deliveries implements syncqueue.Journal.
func (db *DB) Deliveries(_ context.Context, q syncqueue.DeliveryQuery, cursor string, limit int) ([]syncqueue.Record, string, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	var out []syncqueue.Record
	for _, id := range newest(db.deliveries, cursor) {
		if d := db.deliveries[id]; q.Matches(d.Entry) {
			if len(out) == limit {
				return out, out[limit-1].Delivery.ID, nil
			}
			out = append(out, db.record(d))
		}
	}
	return out, "", nil
}

// Delivery implements syncqueue.Journal.
func (db *DB) Delivery(_ context.Context, prefix string) (syncqueue.Record, error) {
	unlock, err := db.open()
	if err != nil {
		return syncqueue.Record{}, err
	}
	defer unlock()
	id, err := find(db.deliveries, prefix)
	if err != nil {
		return syncqueue.Record{}, err
	}
	return db.record(db.deliveries[id]), nil
}

func (db *DB) record(d *delivery) syncqueue.Record {
	r := syncqueue.Record{Size: d.size, HasBody: d.hasBody, JobCount: len(db.jobsOf(d.Delivery.ID))}
	r.Entry = cloneEntry(d.Entry)
	r.Delivery.Body = nil
	if d.details != nil {
		details := *d.details
		details.Facts = maps.Clone(details.Facts)
		r.Details = &details
	}
	return r
}

// Body implements syncqueue.Journal.
func (db *DB) Body(_ context.Context, prefix string) (providers.Delivery, error) {
	unlock, err := db.open()
	if err != nil {
		return providers.Delivery{}, err
	}
	defer unlock()
	id, err := find(db.deliveries, prefix)
	if err != nil {
		return providers.Delivery{}, err
	}
	d := db.deliveries[id]
	if !d.hasBody {
		return providers.Delivery{}, syncqueue.ErrUnknown
	}
	return cloneEntry(d.Entry).Delivery, nil
}

// Known implements syncqueue.Journal.
func (db *DB) Known(_ context.Context, provider string, guids []string) ([]bool, time.Time, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, time.Time{}, err
	}
	defer unlock()
	known := make([]bool, len(guids))
	for i, g := range guids {
		_, known[i] = db.guids[guid{provider, g}]
	}
	var oldest time.Time
	if ids := newest(db.deliveries, ""); len(ids) > 0 {
		oldest = db.deliveries[ids[len(ids)-1]].Delivery.Received
	}
	return known, oldest, nil
}

// JobsOf implements syncqueue.Journal: oldest first.
func (db *DB) JobsOf(_ context.Context, deliveryID string) ([]syncqueue.Job, error) {
	unlock, err := db.open()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var out []syncqueue.Job
	for _, id := range db.jobsOf(deliveryID) {
		out = append(out, cloneJob(db.jobs[id].Job))
	}
	return out, nil
}

// jobsOf returns the ids of a delivery's jobs, oldest first.
func (db *DB) jobsOf(delivery string) []string {
	var ids []string
	for id := range db.caused[delivery] {
		if db.jobs[id] != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// newest returns the ids of m below the cursor, newest first.
func newest[V any](m map[string]V, cursor string) []string {
	var ids []string
	for id := range m {
		if cursor == "" || id < cursor {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids
}
