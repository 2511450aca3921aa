package reconcile

import (
	"slices"
	"time"

	"github.com/hookd/hookd/storage"
)

// A pace says when to look at each user again, so that everybody is looked at
// within a bound and no time is busier than another.
//
// The bound is cut into slices; looks are so far apart that all users take two
// slices less than the bound, which leaves one for the sweep to come round and
// one for the work to be done. The next look is due one gap after the latest:
// what happened to be looked at together (a first fill, an operator) is spread
// over the following bound, and a sweep that runs once more, or after a
// restart, changes nothing.
type pace struct {
	bound time.Duration
	tick  time.Duration // from one sweep to the next
}

func paceOf(bound time.Duration) pace {
	return pace{bound: bound, tick: max(bound/sweepSlices, time.Second)}
}

// A look is a user and when to look at him.
type look struct {
	storage.UserRow
	wait time.Duration
}

// looks returns whom to look at before the next sweep, the longest unseen
// first. Who was never looked at does not wait for the pace. Who would pass the
// bound before the sweep after the next does not either: after a long time out
// of work that may be everybody, evenly over one tick.
func (p pace) looks(users []storage.UserRow, now time.Time) []look {
	users = slices.Clone(users)
	oldestFirst(users)
	var never, seen []storage.UserRow
	latest := time.Time{}
	for _, u := range users {
		if u.Checked.IsZero() {
			never = append(never, u)
			continue
		}
		seen = append(seen, u)
		if u.Checked.After(latest) {
			latest = u.Checked
		}
	}
	var out []look
	for i, u := range never {
		out = append(out, look{u, min(firstLook, p.tick/time.Duration(len(never))) * time.Duration(i)})
	}
	due, _ := slices.BinarySearchFunc(seen, now.Add(2*p.tick-p.bound), func(u storage.UserRow, t time.Time) int { return u.Checked.Compare(t) })
	gap := max(p.bound-2*p.tick, 0) / time.Duration(max(len(seen), 1))
	next := max(latest.Add(gap).Sub(now), 0)
	for i, u := range seen {
		wait := next + gap*time.Duration(i)
		if i < due {
			wait = min(wait, p.tick*time.Duration(i)/time.Duration(due))
		}
		if wait >= p.tick {
			break
		}
		out = append(out, look{u, wait})
	}
	return out
}
