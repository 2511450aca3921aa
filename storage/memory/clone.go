package memory

import (
	"maps"
	"slices"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// What goes in or out is copied, so that nobody can write into the engine.

func cloneJob(j syncqueue.Job) syncqueue.Job {
	j.Causes, j.Plan = slices.Clone(j.Causes), clonePlan(j.Plan)
	if j.Again != nil {
		a := *j.Again
		a.Causes, a.Plan = slices.Clone(a.Causes), clonePlan(a.Plan)
		j.Again = &a
	}
	return j
}

func clonePlan(p *syncqueue.Plan) *syncqueue.Plan {
	if p == nil {
		return nil
	}
	out := *p
	out.Repos = slices.Clone(p.Repos)
	return &out
}

func cloneCell(c storage.Cell) storage.Cell {
	c.Shown, c.Gone, c.Hidden = maps.Clone(c.Shown), maps.Clone(c.Gone), maps.Clone(c.Hidden)
	return c
}

func cloneEntry(e syncqueue.Entry) syncqueue.Entry {
	e.Delivery.Header = e.Delivery.Header.Clone()
	e.Delivery.Body = slices.Clone(e.Delivery.Body)
	if e.Event.Repo != nil {
		r := *e.Event.Repo
		e.Event.Repo = &r
	}
	if e.Event.Team != nil {
		t := *e.Event.Team
		e.Event.Team = &t
	}
	if e.Event.User != nil {
		u := *e.Event.User
		e.Event.User = &u
	}
	return e
}
