package drone_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// BenchmarkOneRepositoryForFiveHundred is one repository that comes to 500 people
// who hold 100 others each, until all of them see it, eight at a time. Its twin
// in package dronedb does the same by the database.
func BenchmarkOneRepositoryForFiveHundred(b *testing.B) {
	const people, repos, atOnce = 500, 100, 8
	s := newSim(b)
	users, logins := make([]providers.User, people), make([]string, people)
	for i := range users {
		logins[i] = fmt.Sprintf("user-%03d", i)
		users[i] = s.join(b, logins[i])
	}
	for i := range repos {
		s.forge.add(fmt.Sprintf("acme/old-%03d", i), logins...)
	}
	all := func() {
		var wg sync.WaitGroup
		next := make(chan providers.User)
		for range atOnce {
			wg.Go(func() {
				for u := range next {
					want := target.Desired{Present: of(s.forge.list(u.Login)...), Count: func(context.Context) (int, error) { return target.Unknown, nil }}
					if got, err := s.target.Sync(b.Context(), u, want); err != nil || !got.Settled() {
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
	forge, requests, n := s.drone.ForgeCalls(), s.target.Requests(), 0
	for b.Loop() {
		n++
		s.forge.add(fmt.Sprintf("acme/new-%d", n), logins...)
		all()
	}
	b.ReportMetric(float64(s.drone.ForgeCalls()-forge)/float64(n), "forge-calls/op")
	b.ReportMetric(float64(s.target.Requests()-requests)/float64(n), "requests/op")
}
