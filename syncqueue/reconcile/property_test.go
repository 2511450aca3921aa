package reconcile_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// histories is how many random histories each forge goes through, and the seed
// of the first: HOOKD_HISTORIES and HOOKD_HISTORY_SEED, or a few that are always
// the same. A seed settles what happens on the forge and what becomes of the
// deliveries, but not how the workers take turns.
func histories(t *testing.T) (first uint64, n uint64) {
	t.Helper()
	read := func(name string, def uint64) uint64 {
		v := os.Getenv(name)
		if v == "" {
			return def
		}
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	return read("HOOKD_HISTORY_SEED", 1), read("HOOKD_HISTORIES", 2)
}

// changes is the length of a history.
const changes = 200

var everyPoll = plan{members: 5 * time.Minute, repos: 10 * time.Minute, reconcile: time.Hour}

// inHistories runs f in an estate with a past, for each kind of forge and seed.
func inHistories(t *testing.T, f func(p *past)) {
	first, n := histories(t)
	onEach(t, func(t *testing.T, k kind) {
		for seed := first; seed < first+n; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Logf("again by HOOKD_HISTORY_SEED=%d HOOKD_HISTORIES=1", seed)
				inEstate(t, k, simOptions{}, everyPoll, settled, func(e *estate) {
					p := newPast(e, seed)
					f(p)
					if t.Failed() {
						t.Logf("what happened: %v", p.did)
						for _, j := range e.unfinished() {
							t.Log(j)
						}
					}
				})
			})
		}
	})
}

// converged lets everything arrive that is under way and one reconcile pass.
// Whom the shrink guard holds then, an operator has to release: it cannot know
// why somebody's list outside of the configured organizations became empty.
func (p *past) converged() {
	p.t.Helper()
	p.arrive(changes + 10)
	p.after(90 * time.Minute)
	for _, j := range append(p.jobs(syncqueue.Waiting), p.jobs(syncqueue.Parked)...) {
		if j.Kind == syncqueue.KindPublish && strings.HasPrefix(j.Note, "held:") {
			_, err := p.store.Revive(p.t.Context(), j.ID)
			p.must(err)
		}
	}
	p.after(10 * time.Minute)
	p.agree()
}

func TestAnyHistoryOfAForgeConverges(t *testing.T) {
	inHistories(t, func(p *past) {
		for range changes {
			p.step()
		}
		p.converged()
	})
}
