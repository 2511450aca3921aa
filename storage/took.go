package storage

import (
	"math"
	"slices"
	"time"
)

// Announced returns those of shown that a delivery had announced and that
// began to show: the ones whose Took says how soon people get what is new.
func Announced(shown []Visible) []Visible {
	return slices.DeleteFunc(slices.Clone(shown), func(v Visible) bool { return v.Gone || v.Took() <= 0 })
}

// Took returns how long each of shown took, shortest first.
func Took(shown []Visible) []time.Duration {
	took := make([]time.Duration, len(shown))
	for i, v := range shown {
		took[i] = v.Took()
	}
	slices.Sort(took)
	return took
}

// Percentile is the nearest rank in sorted durations for 0 < p ≤ 1, false if
// there are none.
func Percentile(sorted []time.Duration, p float64) (time.Duration, bool) {
	if len(sorted) == 0 {
		return 0, false
	}
	i := int(math.Ceil(p*float64(len(sorted)))) - 1
	return sorted[max(i, 0)], true
}
