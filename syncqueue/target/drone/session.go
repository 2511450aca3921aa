package drone

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/dchest/authcookie"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

const (
	// sessionFor is how long a session is good. Drone looks at it once, at the
	// start of a request (source: session/session.go:92).
	sessionFor = 30 * time.Second
	// vouched is how long what the administrator saw of a user permits sessions
	// of his: one attempt, with the longest waits in it.
	vouched = 5 * time.Minute
)

var errAdministrator = errors.New("he is an administrator of the CI server, and users.session_allow_admins is not set")

// sessions mint what Drone gives a browser that logged in, by Drone's own
// secret. Whoever has that is everybody on Drone, so a session is minted only
// for a user whom the administrator's token has just shown not to be an
// administrator himself, for one request, and is told of in the log.
type sessions struct {
	name   string // of the target
	admins bool   // they too
	now    func() time.Time
	log    *slog.Logger
	news   chan struct{} // holds one after the secret was replaced

	mu       sync.Mutex
	secret   []byte
	met      map[string]met // by folded login
	verdicts map[string]sessionVerdict
}

// met is what the administrator saw of a user.
type met struct {
	login string // as Drone spells it, which PostgreSQL compares by case
	admin bool
	at    time.Time
}

// sessionVerdict is what Drone last said of a user's session.
type sessionVerdict struct {
	ok    bool
	until time.Time // a refusal nobody confirmed is believed until then; zero for ever
}

func newSessions(cfg Config) *sessions {
	return &sessions{
		name: cfg.Name, admins: cfg.SessionAdmins, now: cfg.Now, log: cfg.Log, secret: []byte(cfg.SessionSecret),
		news: make(chan struct{}, 1), met: map[string]met{}, verdicts: map[string]sessionVerdict{},
	}
}

// find refuses whom Drone refused, and administrators that are known as such.
// Whether he is one is asked before a session is minted.
func (s *sessions) find(login string) (personal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	login = providers.Fold(login)
	switch {
	case s.met[login].admin && !s.admins:
		return nil, fmt.Errorf("%w: %w", target.ErrNoCredential, errAdministrator)
	case s.state(login) == target.CredentialRejected:
		return nil, fmt.Errorf("%w: it takes no session of his that hookd mints: is users.session_secret_file Drone's DRONE_COOKIE_SECRET?", target.ErrRejected)
	}
	return session{sessions: s, login: login}, nil
}

// meet remembers whether the user is an administrator.
func (s *sessions) meet(who account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.met[providers.Fold(who.Login)] = met{login: who.Login, admin: who.Admin, at: s.now()}
	if who.Admin && !s.admins {
		return errAdministrator
	}
	return nil
}

// Credential tells the state without asking Drone.
func (s *sessions) Credential(login string) target.Credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	login = providers.Fold(login)
	if s.met[login].admin && !s.admins {
		return target.CredentialMissing
	}
	return s.state(login)
}

func (s *sessions) state(login string) target.Credential {
	v, known := s.verdicts[login]
	switch {
	case known && v.ok:
		return target.CredentialOK
	case known && (v.until.IsZero() || s.now().Before(v.until)):
		return target.CredentialRejected
	}
	return target.CredentialUnknown
}

// Watch calls changed, after the secret was replaced, for each login that was
// refused by the old one.
func (s *sessions) Watch(ctx context.Context, changed func(login string)) error {
	for {
		select {
		case <-s.news:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, login := range s.retry() {
			changed(login)
		}
	}
}

// retry forgets all refusals and returns whom they concerned.
func (s *sessions) retry() (logins []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for login, v := range s.verdicts {
		if !v.ok {
			logins = append(logins, login)
			delete(s.verdicts, login)
		}
	}
	slices.Sort(logins)
	return logins
}

// rekey replaces the secret.
func (s *sessions) rekey(secret string) {
	s.mu.Lock()
	same := sha256.Sum256(s.secret) == sha256.Sum256([]byte(secret))
	s.secret = []byte(secret)
	s.mu.Unlock()
	if same {
		return
	}
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *sessions) judge(login string, v sessionVerdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verdicts[login] = v
}

// mint returns a session for one request, if the administrator has just vouched
// for the user.
func (s *sessions) mint(login string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := s.met[login]
	switch {
	case !known || s.now().Sub(m.at) > vouched:
		return "", fmt.Errorf("%w: no session without a look at who he is", target.ErrNoCredential)
	case m.admin && !s.admins:
		return "", fmt.Errorf("%w: %w", target.ErrNoCredential, errAdministrator)
	}
	return authcookie.New(m.login, s.now().Add(sessionFor), s.secret), nil
}

// session is a user for whom sessions are minted, one for each request.
type session struct {
	*sessions
	login string // folded
}

func (s session) authorize(req *http.Request) (string, error) {
	cookie, err := s.mint(s.login)
	if err != nil {
		return "", err
	}
	req.AddCookie(&http.Cookie{Name: "_session_", Value: cookie})
	s.log.Info("audit", "user", s.login, "by", "session secret", "method", req.Method, "path", req.URL.Path)
	return cookie, nil
}

func (s session) accept() { s.judge(s.login, sessionVerdict{ok: true}) }
func (s session) reject() { s.judge(s.login, sessionVerdict{}) }
func (s session) doubt()  { s.judge(s.login, sessionVerdict{until: s.now().Add(10 * time.Minute)}) }

// Loopback reports whether a URL names this machine, and no resolver is needed
// to know it.
func Loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.Unmap().IsLoopback()
}

// Try asks Drone whether it takes what hookd has of a user. Nothing is synced.
func (t *Target) Try(ctx context.Context, login string) error {
	a := t.act(login)
	if a.missing == nil && t.cfg.AdminToken != "" {
		who, err := t.account(ctx, userPath(login), t.admin())
		if err != nil {
			return fmt.Errorf("drone: as administrator: %w", err)
		}
		t.meet(a, who)
	}
	if a.missing != nil {
		return fmt.Errorf("drone: %w", a.missing)
	}
	if _, err := t.whoami(ctx, a); err != nil {
		return fmt.Errorf("drone: %w", err)
	}
	return nil
}
