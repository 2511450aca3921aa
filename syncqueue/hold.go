package syncqueue

import (
	"time"

	"github.com/hookd/hookd/providers"
)

// A Hold keeps jobs in the queue for as long as the budget they would spend is
// out: those that ask a provider, in a lane and the lanes below it.
type Hold struct {
	Provider string
	Org      string // only those of this organization, unless empty
	From     Lane
}

// Holds reports whether h keeps jobs of an organization in a lane.
func (h Hold) Holds(p Peer, org string, lane Lane) bool {
	return p.Provider == h.Provider && p.Target == "" && lane >= h.From && (h.Org == "" || h.Org == org)
}

// Held is what no job may be leased of, and until when at the latest.
type Held struct {
	Holds []Hold
	Until time.Time // zero if nothing is held
}

// Leaves is the share of a budget, in percent, that jobs of a lane leave alone:
// each lane leaves something to those above it, so that a first fill does not
// use up what the events of the hour need, and nothing what removals need.
func (l Lane) Leaves() int { return int(l) * providers.Reserve }

// Hold adds what the budgets of a provider hold now.
func (h *Held) Hold(provider string, budgets map[string]*providers.Budget) {
	for org, b := range budgets {
		for lane := range Lanes {
			at := b.Until(lane.Leaves())
			if at.IsZero() {
				continue
			}
			h.Holds = append(h.Holds, Hold{Provider: provider, Org: org, From: lane})
			h.Until = earliest(h.Until, at)
			break
		}
	}
}
