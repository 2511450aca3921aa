package syncqueue_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// BenchmarkFlood takes the time from an event until its publish job ended for
// events of quiet organizations, alone and while another organization sends a
// hundred times as many, in turns in one run: of a busy machine both see the
// same. Asking the forge and the CI server takes five milliseconds each; there
// is no debounce, which would hide what the flood does.
func BenchmarkFlood(b *testing.B) {
	const events, flood, every, work = 40, 100, 25 * time.Millisecond, 5 * time.Millisecond
	db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var mu sync.Mutex
	var took []time.Duration
	p := &syncqueue.Pool{
		Queue: db, TTL: time.Minute, Drain: time.Second, Peers: []syncqueue.Peer{git, drone}, Workers: 8,
		Backoff: syncqueue.Backoff{First: time.Second, Max: time.Minute},
		Log:     slog.New(slog.DiscardHandler), Now: time.Now,
		Handler: handlerFunc(func(_ context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
			time.Sleep(work)
			if l.Job.Kind == syncqueue.KindRepo {
				u := providers.User{ID: l.Job.Subject.ID}
				return syncqueue.Outcome{Follow: []syncqueue.Job{syncqueue.PublishJob("drone", "git", u, l.Job, l.Job.Lane, time.Now())}}, nil
			}
			return syncqueue.Outcome{}, nil
		}),
		Observe: func(r syncqueue.Report) {
			if r.Job.Kind == syncqueue.KindPublish && r.Job.Org != "loud" {
				mu.Lock()
				took = append(took, time.Since(r.Job.Since))
				mu.Unlock()
			}
		},
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	var n atomic.Int64
	enqueue := func(org string, count int) {
		var list []syncqueue.Job
		for range count {
			j := repoJob("git", org, fmt.Sprint(n.Add(1)), syncqueue.LaneAddition)
			j.Since = time.Now()
			list = append(list, j)
		}
		if _, err := db.Enqueue(ctx, syncqueue.Cause{By: "bench", At: time.Now()}, list...); err != nil {
			b.Error(err)
		}
	}
	phase := func(loud int) []time.Duration {
		mu.Lock()
		took = nil
		mu.Unlock()
		var flood sync.WaitGroup
		defer flood.Wait()
		flood.Go(func() {
			for range 10 * events {
				if loud > 0 {
					enqueue("loud", loud/10)
				}
				time.Sleep(every / 10)
			}
		})
		for i := range events {
			enqueue(fmt.Sprint("quiet", i%5), 1)
			time.Sleep(every)
		}
		for {
			mu.Lock()
			all := slices.Clone(took)
			mu.Unlock()
			if len(all) == events {
				return all
			}
			time.Sleep(every)
		}
	}
	var quiet, loud []time.Duration
	for b.Loop() {
		quiet = append(quiet, phase(0)...)
		loud = append(loud, phase(flood)...)
		for s, err := db.Stats(ctx); err == nil && s.Jobs[syncqueue.Ready] > 0; s, err = db.Stats(ctx) {
			time.Sleep(every) // until the flood is over
		}
	}
	p99 := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)*99/100].Microseconds()) / 1000
	}
	b.ReportMetric(p99(quiet), "ms-p99-alone")
	b.ReportMetric(p99(loud), "ms-p99-flooded")
	b.ReportMetric(p99(loud)/p99(quiet), "ratio-p99")
	b.ReportMetric(float64(loud[len(loud)/2])/float64(quiet[len(quiet)/2]), "ratio-p50")
}
