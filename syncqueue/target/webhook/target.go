package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Config is what a Target is made of. All but Allow, Timeout and Observe are
// required.
type Config struct {
	Name     string // of the target
	Provider string // whose users it is told of
	URL      string
	Secret   string // see ParseSecret
	Allow    []netip.Prefix
	Timeout  time.Duration  // of one request; 30 s if zero
	Observe  func(code int) // told of each answer's status, 0 for no answer
	Now      func() time.Time
}

const (
	defaultTimeout = 30 * time.Second
	maxAnswer      = 4 << 10   // bytes of an answer that are read
	maxSaid        = 300       // bytes of it in an error
	maxWait        = time.Hour // that a Retry-After is believed
)

// Target is a service that takes messages. It is safe for concurrent use.
type Target struct {
	cfg      Config
	client   *http.Client
	requests atomic.Uint64

	mu   sync.Mutex
	key  []byte
	told map[string]string // of each user, the last message that this process was believed
}

var _ target.Target = (*Target)(nil)

// New returns a target. It asks nobody.
func New(cfg Config) (*Target, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, errors.New("webhook: url: cannot be parsed") // the cause would quote it
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("webhook: url: wants http://host or https://host")
	case u.User != nil, u.Fragment != "":
		return nil, errors.New("webhook: url: must have no user and no fragment")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Observe == nil {
		cfg.Observe = func(int) {}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: gate(cfg.Allow).control}
	t := &Target{
		cfg: cfg, told: map[string]string{},
		client: &http.Client{
			// No proxy: it would dial for us, wherever the name leads.
			Transport: &http.Transport{
				DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
				MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	return t, t.Rekey(cfg.Secret)
}

// Rekey makes the target sign with another secret from now on.
func (t *Target) Rekey(secret string) error {
	key, err := ParseSecret(secret)
	if err != nil {
		return fmt.Errorf("webhook: secret: %w", err)
	}
	if len(key) < providers.MinSecret {
		return fmt.Errorf("webhook: secret: %d bytes are too few: at least %d are needed", len(key), providers.MinSecret)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = key
	return nil
}

// Requests counts the requests sent.
func (t *Target) Requests() uint64 { return t.requests.Load() }

// Sync implements target.Target: the service is told unless this process told
// it the same already.
func (t *Target) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	m := target.NewMessage(t.cfg.Name, t.cfg.Provider, u, want, t.cfg.Now())
	if t.knows(u.ID, m.ID) && !want.Force {
		r := target.Accepted(want, "told before")
		r.Synced = false
		return r, nil
	}
	code, err := t.post(ctx, m)
	if err != nil {
		return target.Result{}, fmt.Errorf("http target %s: %w", t.cfg.Name, err)
	}
	t.learnt(u.ID, m.ID)
	return target.Accepted(want, fmt.Sprintf("answered %d", code)), nil
}

// Probe connects to the service, and nothing more: it has no version to tell.
func (t *Target) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, t.cfg.URL, nil)
	if err != nil {
		return "", errors.New("webhook: probe: cannot be asked")
	}
	code, err := t.send(req, nil)
	if err != nil && code == 0 {
		return "", fmt.Errorf("http target %s: probe: %w", t.cfg.Name, err)
	}
	return "standard-webhooks v1", nil
}

func (t *Target) post(ctx context.Context, m target.Message) (int, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return 0, fmt.Errorf("encoding the message: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("cannot be asked")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Webhook-Id", m.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(m.Timestamp.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature(t.secret(), m.ID, m.Timestamp, body))
	return t.send(req, t.later)
}

// send returns the status of an answer, and an error unless that is 2xx; later
// may turn the error into one that says when to come back.
func (t *Target) send(req *http.Request, later func(*http.Response, error) error) (int, error) {
	req.Header.Set("User-Agent", "hookd")
	t.requests.Add(1)
	resp, err := t.client.Do(req)
	if err != nil {
		t.cfg.Observe(0)
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the URL may hold a secret
		}
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	t.cfg.Observe(resp.StatusCode)
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case resp.StatusCode/100 == 2:
		return resp.StatusCode, nil
	case resp.StatusCode/100 == 3:
		err = fmt.Errorf("status %d: redirects are not followed: name the last address", resp.StatusCode)
	default:
		err = fmt.Errorf("status %d: %s", resp.StatusCode, excerpt(said))
	}
	if later != nil {
		err = later(resp, err)
	}
	return resp.StatusCode, err
}

// later obeys a Retry-After, in seconds or as a date (RFC 9110, 10.2.3), within
// reason.
func (t *Target) later(resp *http.Response, err error) error {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return err
	}
	now, value := t.cfg.Now(), resp.Header.Get("Retry-After")
	at, parsed := http.ParseTime(value)
	if s, bad := strconv.ParseUint(value, 10, 31); bad == nil {
		at, parsed = now.Add(time.Duration(s)*time.Second), nil
	}
	if parsed != nil || !at.After(now) {
		return err
	}
	if at.After(now.Add(maxWait)) {
		at = now.Add(maxWait)
	}
	return &target.LaterError{At: at, Err: err}
}

func (t *Target) secret() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.key
}

func (t *Target) knows(user, message string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.told[user] == message
}

func (t *Target) learnt(user, message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told[user] = message
}

// excerpt makes what a service said fit for a line of a log.
func excerpt(said []byte) string {
	if len(said) > maxSaid {
		said = said[:maxSaid]
	}
	return strconv.QuoteToGraphic(strings.ToValidUTF8(string(bytes.TrimSpace(said)), "\uFFFD"))
}
