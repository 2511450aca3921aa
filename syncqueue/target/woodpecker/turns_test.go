package woodpecker_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

// A meeting holds each request that carries a token for a moment, and counts
// those that another one with the same token met there.
type meeting struct {
	token string
	here  atomic.Int32
	met   atomic.Int32
}

func (m *meeting) hold(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+m.token {
			m.here.Add(1)
			defer m.here.Add(-1)
			for range 20 { // an absence takes that long to show, a presence does not
				if m.here.Load() > 1 {
					m.met.Add(1)
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		next.ServeHTTP(w, r)
	}
}

func TestOneSyncOfAUserAtATime(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	repo := s.live(t, "app", "ana")
	at, err := url.Parse(s.wood.URL)
	if err != nil {
		t.Fatal(err)
	}
	m := &meeting{token: woodToken("ana")}
	door := httptest.NewServer(m.hold(httputil.NewSingleHostReverseProxy(at)))
	defer door.Close()
	tg := s.with(t, func(c *woodpecker.Config) { c.URL = door.URL })
	other := u
	other.Login = "ANA"
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			who := u
			if i%2 == 1 {
				who = other
			}
			if _, err := tg.Sync(t.Context(), who, target.Desired{Present: held(repo)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := m.met.Load(); n > 0 {
		t.Errorf("%d requests of ana's met another one of hers", n)
	}
}
