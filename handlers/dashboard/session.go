package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"sync"
	"time"
)

const (
	idle        = 12 * time.Hour // after which a session ends
	maxSessions = 1000           // then the one idle for longest ends
)

// A session is one browser that signed in. It lives in memory: a restart signs
// everybody out.
type session struct {
	pass   string // of the token it was opened with
	form   string // what each of its forms must carry
	seen   time.Time
	notice string // for the next page, once
}

// sessions are kept by the digest of what the browser holds, so that looking
// one up tells nothing by its time.
type sessions struct {
	mu   sync.Mutex
	open map[[sha256.Size]byte]*session
}

// begin opens a session and returns what the browser is to hold.
func (s *sessions) begin(pass string, now time.Time) (cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[[sha256.Size]byte]*session{}
	}
	var oldest [sha256.Size]byte
	for k, x := range s.open {
		if now.Sub(x.seen) >= idle {
			delete(s.open, k)
			continue
		}
		if o := s.open[oldest]; o == nil || x.seen.Before(o.seen) {
			oldest = k
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
	cookie = rand.Text()
	s.open[sha256.Sum256([]byte(cookie))] = &session{pass: pass, form: rand.Text(), seen: now}
	return cookie
}

// find returns a copy of the session, which goes on for another while if this
// is somebody's doing.
func (s *sessions) find(cookie string, now time.Time, active bool) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := sha256.Sum256([]byte(cookie))
	x := s.open[k]
	if x == nil {
		return session{}, false
	}
	if now.Sub(x.seen) >= idle {
		delete(s.open, k)
		return session{}, false
	}
	if active {
		x.seen = now
	}
	return *x, true
}

func (s *sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, sha256.Sum256([]byte(cookie)))
}

// tell keeps a notice for the session's next page.
func (s *sessions) tell(cookie, notice string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.open[sha256.Sum256([]byte(cookie))]; x != nil {
		x.notice = notice
	}
}

// told returns the notice, once.
func (s *sessions) told(cookie string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.open[sha256.Sum256([]byte(cookie))]
	if x == nil {
		return ""
	}
	notice := x.notice
	x.notice = ""
	return notice
}

// signed reports whether a form carries the session's token.
func (s session) signed(form string) bool {
	return subtle.ConstantTimeCompare([]byte(form), []byte(s.form)) == 1
}
