package memory

import (
	"context"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Maintain implements storage.Maintainer.
func (db *DB) Maintain(_ context.Context, now time.Time) (storage.Swept, error) {
	unlock, err := db.open()
	if err != nil {
		return storage.Swept{}, err
	}
	defer unlock()
	var s storage.Swept
	old := func(t time.Time, keep time.Duration) bool { return keep > 0 && now.Sub(t) > keep }
	for id, d := range db.deliveries {
		if d.hasBody && old(d.Delivery.Received, db.keep.Bodies) {
			d.hasBody, d.Delivery.Body = false, nil
			s.Bodies++
		}
		if old(d.Delivery.Received, db.keep.Deliveries) && !db.pending(id) {
			s.Jobs += db.forget(id)
			s.Deliveries++
		}
	}
	for id, j := range db.jobs {
		if j.State == syncqueue.Done && now.Sub(j.Finished) > storage.Grace && !db.announced(j) {
			delete(db.jobs, id)
			s.Jobs++
		}
	}
	n := len(db.visible)
	db.visible = slices.DeleteFunc(db.visible, func(v storage.Visible) bool { return old(v.At, db.keep.Deliveries) })
	s.Visible = n - len(db.visible)
	for at, c := range db.cells.all() {
		if c.Permission == providers.None && now.Sub(c.Changed) > storage.Settle && db.settled(at, c) {
			db.cells.drop(at)
			s.Tombstones++
		}
	}
	return s, nil
}

// pending reports whether work of a delivery is still to be done.
func (db *DB) pending(delivery string) bool {
	for id := range db.caused[delivery] {
		if j := db.jobs[id]; j != nil && (j.State == syncqueue.Ready || j.State == syncqueue.Leased) {
			return true
		}
	}
	return false
}

// forget drops a delivery and the done jobs that only it kept, and returns how
// many those were.
func (db *DB) forget(id string) (jobs int) {
	d := db.deliveries[id]
	delete(db.deliveries, id)
	delete(db.guids, guid{d.Delivery.Provider, d.Delivery.GUID})
	for job := range db.caused[id] {
		if j := db.jobs[job]; j != nil && j.State == syncqueue.Done && !db.announced(j) {
			delete(db.jobs, job)
			jobs++
		}
	}
	delete(db.caused, id)
	return jobs
}

// announced reports whether a delivery among the job's causes is still
// journalled.
func (db *DB) announced(j *job) bool {
	return slices.ContainsFunc(j.Causes, func(c syncqueue.Cause) bool { return db.deliveries[c.Delivery] != nil })
}

// settled reports whether every target of the provider confirmed a tombstone.
func (db *DB) settled(at pair, c *storage.Cell) bool {
	u := db.users[id{at.provider, at.user}]
	for t := range db.targets[at.provider] {
		if u.targets[t].Version < c.Version {
			return false
		}
	}
	return true
}
