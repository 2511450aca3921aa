package dronedb_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
)

// BenchmarkOneRepositoryForFiveHundred is one repository that comes to 500 people
// who hold 100 others each, until all of them see it, eight at a time. Its twin
// in package drone does the same by pressing SYNC as each of them.
func BenchmarkOneRepositoryForFiveHundred(b *testing.B) {
	const people, repos, atOnce = 500, 100, 8
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		b.Run(engine, func(b *testing.B) {
			w := newWorld(b, engine)
			var held []providers.Repo
			for i := range repos {
				held = append(held, w.repo(fmt.Sprintf("acme/old-%03d", i)))
			}
			users := make([]providers.User, people)
			for i := range users {
				users[i] = w.join(b, fmt.Sprintf("user-%03d", i))
			}
			all := func() {
				want := w.want(held...)
				var wg sync.WaitGroup
				next := make(chan providers.User)
				for range atOnce {
					wg.Go(func() {
						for u := range next {
							if got, err := w.driver.Sync(b.Context(), u, want); err != nil || !got.Settled() {
								b.Errorf("%s: %+v, %v", u.Login, got, err)
							}
						}
					})
				}
				for _, u := range users {
					next <- u
				}
				close(next)
				wg.Wait()
			}
			all()
			forge, n := w.asked, 0
			for b.Loop() {
				n++
				held = append(held, w.repo(fmt.Sprintf("acme/new-%d", n)))
				all()
			}
			b.ReportMetric(float64(w.asked-forge)/float64(n), "forge-calls/op")
		})
	}
}
