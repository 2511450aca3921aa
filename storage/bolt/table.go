package bolt

// A table is one bucket.
type table uint8

const (
	tMeta table = iota
	tDeliveries
	tBodies
	tDetails
	tCaused
	tJobs
	tKeys
	tStates
	tWaiting
	tReady
	tLeased
	tEnded
	tUsers
	tLogins
	tRepos
	tPaths
	tCells
	tHolders
	tTombs
	tSnapshots
	tVisible
	tFormer
	tables
)

var tableNames = [tables]string{
	tMeta: "meta", tDeliveries: "deliveries", tBodies: "bodies", tDetails: "details", tCaused: "caused",
	tJobs: "jobs", tKeys: "keys", tStates: "states", tWaiting: "waiting", tReady: "ready",
	tLeased: "leased", tEnded: "ended",
	tUsers: "users", tLogins: "logins", tRepos: "repos", tPaths: "paths",
	tCells: "cells", tHolders: "holders", tTombs: "tombs",
	tSnapshots: "snapshots", tVisible: "visible", tFormer: "former",
}

// later reports whether files of this schema may lack the table, because it is
// younger than they are: it is made when they are opened.
func (t table) later() bool { return t == tFormer }

func (t table) String() string { return tableNames[t] }

// fill is how full bbolt leaves a page that it splits. These only ever grow at
// their end, by keys that begin with a time or an id; a job that grows when it
// is leased splits a page again, which costs less than half a page for each.
func (t table) fill() float64 {
	switch t {
	case tDeliveries, tBodies, tCaused, tJobs, tVisible:
		return 0.95
	}
	return 0.5
}
