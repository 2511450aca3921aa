package providerstest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// GitLabDelivery is one webhook delivery, as GitLab's page about the hook shows
// it.
type GitLabDelivery struct {
	UUID   string // the idempotency key, which a resent one keeps
	Hook   string
	Header string // X-Gitlab-Event
	Event  string
	Body   []byte
	Status int    // 0 if no answer came
	Err    string // why

	header                                   http.Header
	hook                                     int64
	eventUUID, hookUUID, url, token, signing string
}

// glSender delivers webhooks one after another and never again by itself. A
// real GitLab sends several at once and in no order; what depends on that is
// tested with bodies made by hand.
type glSender struct {
	http     *http.Client
	now      func() time.Time
	instance string

	down atomic.Bool // nothing reaches anybody

	autoDisable bool

	mu      sync.Mutex
	queue   []GitLabDelivery
	sent    []GitLabDelivery
	log     []glLogged
	trouble map[int64]*glTrouble // by hook
	busy    bool
	wake    chan struct{} // holds one token while there may be work
	idle    chan struct{} // closed when nothing is queued or under way
}

func newGLSender(timeout time.Duration, now func() time.Time, instance string) *glSender {
	idle := make(chan struct{})
	close(idle)
	return &glSender{http: &http.Client{Timeout: timeout}, now: now, instance: instance, wake: make(chan struct{}, 1), idle: idle, trouble: map[int64]*glTrouble{}}
}

func (s *glSender) push(d GitLabDelivery) {
	s.mu.Lock()
	if s.off(d.hook) {
		s.mu.Unlock()
		return
	}
	if len(s.queue) == 0 && !s.busy {
		s.idle = make(chan struct{})
	}
	s.queue = append(s.queue, d)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *glSender) run(ctx context.Context) {
	for {
		d, ok := s.take()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
				continue
			}
		}
		s.deliver(ctx, &d)
		s.finish(d)
	}
}

func (s *glSender) take() (GitLabDelivery, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return GitLabDelivery{}, false
	}
	d := s.queue[0]
	s.queue, s.busy = s.queue[1:], true
	return d, true
}

func (s *glSender) finish(d GitLabDelivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent, s.busy = append(s.sent, d), false
	s.note(d)
	if len(s.queue) == 0 {
		close(s.idle)
	}
}

func (s *glSender) deliver(ctx context.Context, d *GitLabDelivery) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(d.Body))
	if err != nil {
		d.Err = err.Error()
		return
	}
	s.headers(req.Header, d)
	d.header = req.Header.Clone()
	if s.down.Load() {
		d.Err = "internal error: Failed to open TCP connection"
		return
	}
	resp, err := s.http.Do(req)
	if err != nil {
		d.Err = fmt.Sprintf("internal error: %v", err)
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	d.Status = resp.StatusCode
}

// headers are those of app/services/web_hook_service.rb, and with a signing
// token those of Standard Webhooks beside them.
func (s *glSender) headers(h http.Header, d *GitLabDelivery) {
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitLab/18.5.2")
	h.Set("Idempotency-Key", d.UUID)
	h.Set("X-Gitlab-Event", d.Header)
	h.Set("X-Gitlab-Webhook-UUID", d.hookUUID)
	h.Set("X-Gitlab-Instance", s.instance)
	h.Set("X-Gitlab-Event-UUID", d.eventUUID)
	if d.token != "" {
		h.Set("X-Gitlab-Token", d.token)
	}
	if d.signing != "" {
		SignGitLab(h, d.Body, d.signing, d.UUID, s.now())
	}
}

// SignGitLab signs a delivery with a signing token, "whsec_" and a key in
// base64, which is what it panics without.
func SignGitLab(h http.Header, body []byte, token, id string, at time.Time) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, "whsec_"))
	if err != nil {
		panic(fmt.Sprintf("providerstest: no signing token: %v", err))
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// Deliveries returns what was sent, in order.
func (g *GitLab) Deliveries() []GitLabDelivery {
	g.sender.mu.Lock()
	defer g.sender.mu.Unlock()
	return append([]GitLabDelivery(nil), g.sender.sent...)
}

// Redeliver sends the same bytes again under the same id, as the button
// "Resend request" does, and returns that id.
func (g *GitLab) Redeliver(uuid string) (string, error) {
	for _, d := range g.Deliveries() {
		if d.UUID == uuid {
			d.Status, d.Err = 0, ""
			g.sender.push(d)
			return d.UUID, nil
		}
	}
	return "", unknown("delivery", uuid)
}

// Delivered waits until nothing is queued or under way.
func (g *GitLab) Delivered(ctx context.Context) error {
	for {
		g.sender.mu.Lock()
		idle, busy := g.sender.idle, len(g.sender.queue) > 0 || g.sender.busy
		g.sender.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
