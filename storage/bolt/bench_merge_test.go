package bolt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/storage/bolt"
)

// BenchmarkPushMerge pushes deliveries that each coalesce with one of 20,000
// jobs that wait, as when no CI server answers in a storm. The last job that was
// pushed is the last to be pushed again, so that no cache of fewer jobs helps.
func BenchmarkPushMerge(b *testing.B) {
	const waiting = 20_000
	body := payload(b)
	for _, causes := range []int{1, 12} {
		b.Run(fmt.Sprintf("causes=%d", causes), func(b *testing.B) {
			db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			push := func(i int64) error {
				e, j := delivery(i%waiting+1, body)
				e.Delivery.GUID = fmt.Sprint(i)
				_, err := db.Push(context.Background(), e, j)
				return err
			}
			turn(b, 64, 0, int64(causes*waiting), push)
			from := int64(causes * waiting)
			used, wrote := processor(b), written(b)
			b.ResetTimer()
			measure(b, 64, func(i int64) error { return push(from + i) })
			b.ReportMetric(float64((processor(b)-used).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(written(b)-wrote)/float64(b.N), "written-B/op")
		})
	}
}

// processor is the time that the process has had of the processors, which says
// more than the clock where others want them too.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// written is how many bytes the process has caused to be sent to the disk.
func written(b *testing.B) (n int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0 // no Linux
	}
	var r, w, sr, sw, rb int64
	_, _ = fmt.Sscanf(string(text), "rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: %d\nwrite_bytes: %d", &r, &w, &sr, &sw, &rb, &n)
	return n
}
