package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

const (
	// look is how often the tracker looks at the simulated CI server, and so
	// the error of its times.
	look = 20 * time.Millisecond
	// restraint is how many times the duration of a look passes before the
	// next, so that looking does not take the machine from what is looked at.
	restraint = 10
	// tooMany changes are not printed one by one.
	tooMany = 1000
)

// A change is one repository that one user is to see, or (gone) not to see any
// more.
type change struct {
	user, repo string
	gone       bool
	at         time.Time // of the act on the forge
	took       time.Duration
	done       bool
}

func (c change) String() string {
	if c.gone {
		return fmt.Sprintf("gone %s for %s", c.repo, c.user)
	}
	return fmt.Sprintf("visible %s for %s", c.repo, c.user)
}

// A tracker measures how long changes on the forge take to show in the CI
// server. It only looks: what shows was made so by hookd.
type tracker struct {
	world   *world
	out     io.Writer
	acts    bool // print what is done on the forge, too
	changes []*change
	open    []*change // those of changes that are not done
}

func newTracker(w *world, out io.Writer) *tracker { return &tracker{world: w, out: out} }

// act does something on the forge and expects the changes that follow from it.
func (t *tracker) act(what string, do func() error, follows ...change) error {
	if t.acts {
		fmt.Fprintf(t.out, "%s %s\n", time.Now().Format("15:04:05"), what)
	}
	at := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for _, c := range follows {
		c.at = at
		t.changes = append(t.changes, &c)
		t.open = append(t.open, &c)
	}
	return nil
}

// wait looks until every change so far has become so, or ctx is done.
func (t *tracker) wait(ctx context.Context) error {
	return until(ctx, func() (bool, error) { return t.look() == 0, nil })
}

// rest looks for a while.
func (t *tracker) rest(ctx context.Context, d time.Duration) error {
	end := time.Now().Add(d)
	return until(ctx, func() (bool, error) {
		t.look()
		return time.Now().After(end), nil
	})
}

// look settles what has become so and returns how many changes are open.
func (t *tracker) look() int {
	shows := map[string]map[string]bool{}
	var open []*change
	now := time.Now()
	for _, c := range t.open {
		if shows[c.user] == nil {
			shows[c.user] = map[string]bool{}
			for _, slug := range t.world.ci.Shows(c.user) {
				shows[c.user][slug] = true
			}
		}
		if shows[c.user][c.repo] == c.gone {
			open = append(open, c)
			continue
		}
		c.done, c.took = true, now.Sub(c.at)
		if len(t.changes) <= tooMany {
			fmt.Fprintf(t.out, "%s after %s\n", c, seconds(c.took))
		}
	}
	t.open = open
	return len(open)
}

// finish says which changes did not become so.
func (t *tracker) finish() {
	for _, c := range t.open {
		fmt.Fprintf(t.out, "FAILED %s: not so after %s\n", c, seconds(time.Since(c.at)))
	}
}

func (t *tracker) settled() []change {
	var out []change
	for _, c := range t.changes {
		if c.done {
			out = append(out, *c)
		}
	}
	return out
}

// latest are the settled changes that no later one undid.
func (t *tracker) latest() []change {
	type pair struct{ user, repo string }
	seen := map[pair]bool{}
	var out []change
	for _, c := range slices.Backward(t.settled()) {
		if p := (pair{c.user, c.repo}); !seen[p] {
			seen[p] = true
			out = append(out, c)
		}
	}
	return out
}

func (t *tracker) failed() int { return len(t.open) }

// summary counts the changes and tells how long those took that became so.
func (t *tracker) summary() string {
	var took []time.Duration
	for _, c := range t.settled() {
		took = append(took, c.took)
	}
	slices.Sort(took)
	return fmt.Sprintf("%d changes, %d visible, p50 %s, p95 %s",
		len(t.changes), len(took), seconds(percentile(took, 50)), seconds(percentile(took, 95)))
}

// percentile is the nearest rank of sorted durations, zero of none.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(p/100*float64(len(sorted))))-1]
}
