package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// A reading goes through one webhook's log, the latest attempt first, and then
// fetches what never arrived, the oldest first.
type reading struct {
	Backfill
	e   *Engine
	p   *provider
	log providers.HookLog

	since time.Time // by the forge's clock: what is older was read before; zero for all there is
	until string    // with a log that tells no times: the id of the attempt down to which was read before

	missed   []providers.Attempt // the latest first
	newest   providers.Attempt
	reached  bool      // something was met that is older than since, or was read before
	after    time.Time // of the latest attempt that was read before
	outcomes []bool    // of younger ones: whether they were taken, the latest first
}

// askAtOnce is how many deliveries the journal is asked about together.
const askAtOnce = 100

// overlap is how much of a log is read again. An attempt is logged when it
// ended, and nobody promises that a log is written in order.
const (
	overlap         = 15 * time.Minute
	overlapAttempts = 40 // where a log tells no times
)

// read finds what is missing.
func (r *reading) read(ctx context.Context) error {
	dl := r.p.Forge.(providers.DeliveryLog)
	seen := map[string]bool{}
	var batch []providers.Attempt
	further := -1 // how many more, once until was met
	for a, err := range dl.Attempts(ctx, r.log) {
		if err != nil {
			return err
		}
		if r.newest.ID == "" {
			r.newest = a
		}
		if !a.At.IsZero() && a.At.Before(r.since) || further == 0 {
			r.reached = true
			break
		}
		switch {
		case a.At.IsZero() && (further > 0 || a.ID == r.until):
			r.reached = true
			if further--; further < 0 {
				further = overlapAttempts
			}
		case a.At.IsZero(), a.At.After(r.after):
			r.outcomes = append(r.outcomes, a.Taken)
		default:
			r.reached = true
		}
		if seen[a.GUID] {
			continue
		}
		seen[a.GUID] = true
		r.Read++
		if a.GUID == "" {
			r.Lost++ // nothing tells whether it is journalled
			continue
		}
		if batch = append(batch, a); len(batch) == askAtOnce {
			if err := r.sort(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return r.sort(ctx, batch)
}

// sort keeps of a batch what is missing.
func (r *reading) sort(ctx context.Context, batch []providers.Attempt) error {
	if len(batch) == 0 {
		return nil
	}
	guids := make([]string, len(batch))
	for i, a := range batch {
		guids[i] = a.GUID
	}
	known, oldest, err := r.e.cfg.Store.Known(ctx, r.p.Name, guids)
	if err != nil {
		return err
	}
	for i, a := range batch {
		switch {
		case known[i]:
			r.Known++
		case a.Moot, a.Taken && (oldest.IsZero() || a.At.Before(oldest)):
			// What was taken then and is not known any more was forgotten in its
			// time, or everything was: then the first fill reads it all.
			r.Ignored++
		default:
			r.Missed++
			r.missed = append(r.missed, a)
		}
	}
	return nil
}

// fetch lets the oldest of what is missing in, at most so many.
func (r *reading) fetch(ctx context.Context, most int) error {
	dl := r.p.Forge.(providers.DeliveryLog)
	for ; most > 0 && len(r.missed) > 0; most-- {
		last := len(r.missed) - 1
		a, err := dl.Payload(ctx, r.log, r.missed[last])
		if err == nil {
			var fresh bool
			if fresh, err = r.e.take(ctx, r.p, a); err != nil {
				return err
			}
			if fresh {
				r.Fetched++
			} else { // it arrived meanwhile
				r.Missed--
				r.Known++
			}
		}
		switch {
		case errors.Is(err, providers.ErrNotFound), errors.Is(err, providers.ErrNonsense):
			// One that cannot be had must not keep the others from being fetched.
			r.e.cfg.Log.Warn("a delivery that never arrived cannot be fetched", "provider", r.p.Name, "event", a.Event, "delivery_id", a.GUID, "err", err)
			r.Lost++
		case err != nil:
			return err
		}
		r.missed = r.missed[:last]
	}
	return nil
}

// gaps says what the log leaves open.
func (r *reading) gaps() []string {
	if r.Lost == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the log does not hold the payload of %d", r.Lost)}
}

// fails continues a run of failures over what was read, and reports whether it
// grew or ended so long that the forge stopped sending, without a log of it.
func (r *reading) fails(before int) (run int, silent bool) {
	run = before
	for i := len(r.outcomes) - 1; i >= 0; i-- {
		was := run
		if run++; r.outcomes[i] {
			run = 0
		}
		most := r.log.GivesUp
		silent = silent || most > 0 && (run == most || run == 0 && was >= most)
	}
	return run, silent
}

func joined(reasons []string) string { return strings.Join(reasons, "; ") }

func compareNames(a, b string) int { return strings.Compare(providers.Fold(a), providers.Fold(b)) }
