package bolt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

const bodySize = 8 << 10 // of a typical repository event

// noise is n bytes that do not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// payload is a real one, which compresses as they do.
func payload(b *testing.B) []byte {
	body, err := os.ReadFile("../../providers/gitea/testdata/webhooks/repository-created-fork.json")
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// delivery is the i-th delivery of a benchmark with its job.
func delivery(i int64, body []byte) (syncqueue.Entry, syncqueue.Job) {
	now := time.Now()
	id := strconv.FormatInt(i, 10)
	r := providers.Repo{ID: id, Path: "acme/" + id, Org: providers.Org{ID: strconv.FormatInt(i%50, 10), Name: "acme"}}
	e := syncqueue.Entry{
		Delivery: providers.Delivery{
			ID: syncqueue.NewID(now), Provider: "git", GUID: id, Body: body, Received: now,
			Header: map[string][]string{"X-Gitea-Event": {"repository"}, "X-Gitea-Delivery": {id}, "User-Agent": {"Go-http-client/1.1"}},
		},
		Event:  providers.Event{Name: "repository.created", Repo: &r, Org: r.Org, Effect: providers.EffectRepo},
		Result: syncqueue.EntryAccepted,
	}
	jobs := syncqueue.JobsFor(e.Delivery, e.Event, syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, now)
	return e, jobs[0]
}

// BenchmarkPush pushes deliveries of a real payload with a job each. "update" is the
// baseline: the same tables and record sizes, one bbolt transaction for each
// delivery.
func BenchmarkPush(b *testing.B) {
	body := payload(b)
	for _, c := range []int{1, 64} {
		b.Run(fmt.Sprintf("group/c=%d", c), func(b *testing.B) { benchPush(b, c, body, bolt.Options{}) })
		b.Run(fmt.Sprintf("nosync/c=%d", c), func(b *testing.B) { benchPush(b, c, body, bolt.Options{NoSync: true}) })
		b.Run(fmt.Sprintf("update/c=%d", c), func(b *testing.B) { benchUpdate(b, c, body) })
	}
}

func benchPush(b *testing.B, concurrency int, body []byte, o bolt.Options) {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), o)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	measure(b, concurrency, func(i int64) error {
		e, j := delivery(i, body)
		_, err := db.Push(context.Background(), e, j)
		return err
	})
}

func benchUpdate(b *testing.B, concurrency int, body []byte) {
	measure(b, concurrency, naive(b, body))
}

// naive opens the baseline and returns its push.
func naive(b *testing.B, body []byte) func(i int64) error {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "naive.db"), 0o600, &bbolt.Options{
		FreelistType: bbolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 1 << 30,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	tables := []string{"meta", "deliveries", "bodies", "caused", "jobs", "keys", "states", "waiting"}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, t := range tables {
			if _, err := tx.CreateBucket([]byte(t)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	header, job := slices.Repeat([]byte("h"), 700), slices.Repeat([]byte("j"), 500)
	return func(i int64) error {
		e, j := delivery(i, body)
		id, jobID := []byte(e.Delivery.ID), []byte(syncqueue.NewID(time.Now()))
		return db.Update(func(tx *bbolt.Tx) error {
			for _, p := range []struct {
				table      string
				key, value []byte
			}{
				{"meta", []byte("state"), job[:150]},
				{"deliveries", id, header},
				{"bodies", id, e.Delivery.Body},
				{"caused", append(slices.Clone(id), jobID...), nil},
				{"jobs", jobID, job},
				{"keys", []byte(j.Key), jobID},
				{"states", append([]byte{0}, jobID...), nil},
				{"waiting", fmt.Appendf(nil, "1%d%s", j.NotBefore.UnixNano(), jobID), nil},
			} {
				if err := tx.Bucket([]byte(p.table)).Put(p.key, p.value); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// BenchmarkPushRatio pushes in turns through group commit and through the
// baseline, so that whatever else the machine does meets both.
func BenchmarkPushRatio(b *testing.B) {
	body := payload(b)
	for _, c := range []int{1, 64} {
		b.Run(fmt.Sprintf("c=%d", c), func(b *testing.B) {
			db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = db.Close() })
			group := func(i int64) error {
				e, j := delivery(i, body)
				_, err := db.Push(context.Background(), e, j)
				return err
			}
			update := naive(b, body)
			round := int64(8 * c)
			var tookGroup, tookUpdate []time.Duration
			var sumGroup, sumUpdate time.Duration
			for from := int64(1); from <= int64(b.N); from += round {
				t, sum := turn(b, c, from, round, group)
				tookGroup, sumGroup = append(tookGroup, t...), sumGroup+sum
				t, sum = turn(b, c, from, round, update)
				tookUpdate, sumUpdate = append(tookUpdate, t...), sumUpdate+sum
			}
			slices.Sort(tookGroup)
			slices.Sort(tookUpdate)
			b.ReportMetric(0, "ns/op") // of both together: means nothing
			b.ReportMetric(float64(sumUpdate)/float64(sumGroup), "group-to-update-rate")
			b.ReportMetric(float64(tookGroup[len(tookGroup)/2])/float64(tookUpdate[len(tookUpdate)/2]), "group-to-update-p50")
		})
	}
}

// turn pushes n deliveries from c callers and returns how long each and all took.
func turn(b *testing.B, c int, from, n int64, push func(i int64) error) (each []time.Duration, all time.Duration) {
	each = make([]time.Duration, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range c {
		wg.Go(func() {
			for i := next.Add(1); i <= n; i = next.Add(1) {
				start := time.Now()
				if err := push(from + i - 1); err != nil {
					b.Error(err)
					return
				}
				each[i-1] = time.Since(start)
			}
		})
	}
	wg.Wait()
	return each, time.Since(begun)
}

// measure runs push b.N times and reports the median latency.
func measure(b *testing.B, concurrency int, push func(i int64) error) {
	b.Helper()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range concurrency {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(b.N) {
					return
				}
				start := time.Now()
				if err := push(i); err != nil {
					b.Error(err)
					return
				}
				took[i-1] = time.Since(start)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "push/s")
}

// BenchmarkLease leases and completes with few and with many jobs pending, of
// 50 organizations.
func BenchmarkLease(b *testing.B) {
	for _, pending := range []int{1e3, 1e6} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			if pending > 1e3 && os.Getenv("HOOKD_BENCH_BIG") == "" {
				b.Skip("HOOKD_BENCH_BIG is not set")
			}
			db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{NoSync: true})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			fill(b, db, pending)
			ctx := context.Background()
			b.ResetTimer()
			for range b.N {
				l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{})
				if err != nil {
					b.Fatal(err)
				}
				if err := db.Retry(ctx, l, time.Now(), syncqueue.ErrReleased); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func fill(b *testing.B, db *bolt.DB, jobs int) {
	b.Helper()
	now := time.Now()
	for i := 0; i < jobs; i += 1000 {
		batch := make([]syncqueue.Job, 0, 1000)
		for k := i; k < min(i+1000, jobs); k++ {
			r := providers.Repo{ID: strconv.Itoa(k), Org: providers.Org{ID: strconv.Itoa(k % 50)}}
			batch = append(batch, syncqueue.RepoJob("git", r, syncqueue.LaneReconcile, now.Add(-time.Duration(k))))
		}
		if _, err := db.Enqueue(context.Background(), syncqueue.Cause{By: "fill", At: now}, batch...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a file of 1 GiB and reports the memory that the idle
// engine takes beside the mapped file.
func BenchmarkOpen(b *testing.B) {
	if os.Getenv("HOOKD_BENCH_BIG") == "" {
		b.Skip("HOOKD_BENCH_BIG is not set")
	}
	path := filepath.Join(b.TempDir(), "hookd.db")
	db, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	body := noise(bodySize)
	for i := int64(0); db.Bytes() < 1<<30; {
		var wg sync.WaitGroup
		for range 256 {
			i++
			n := i
			wg.Go(func() {
				e, j := delivery(n, body)
				if _, err := db.Push(context.Background(), e, j); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		db, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		b.ReportMetric(float64(anonymous(b))/(1<<20), "rss-MiB")
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// anonymous is the resident memory of the process without mapped files.
func anonymous(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &kb); err == nil {
			return kb << 10
		}
	}
	return 0
}
