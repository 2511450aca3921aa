package providerstest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// GitHubDelivery is one webhook delivery, as GitHub's page about it shows it.
// Body is what was sent: of a form, the form.
type GitHubDelivery = GiteaDelivery

// ghSender delivers webhooks: several at a time, so in no certain order, once,
// and without following redirects.
type ghSender struct {
	ctx   context.Context
	http  *http.Client
	slots chan struct{}
	wg    sync.WaitGroup

	now  func() time.Time
	down atomic.Bool // nothing reaches anybody

	mu      sync.Mutex
	sent    []GitHubDelivery
	log     []*ghAttempt
	pending int
	idle    chan struct{} // closed when nothing is under way
}

func newGHSender(ctx context.Context, timeout time.Duration, now func() time.Time) *ghSender {
	idle := make(chan struct{})
	close(idle)
	return &ghSender{
		ctx: ctx, now: now, slots: make(chan struct{}, 8), idle: idle,
		http: &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// deliver sends an event to one hook. The caller holds g.mu.
func (g *GitHub) deliver(h *ghHook, event string, fields ghFields) {
	payload := mustJSON(fields)
	d := GitHubDelivery{UUID: newUUID(), Hook: strconv.FormatInt(h.id, 10), Event: event, Body: payload, url: h.url, secret: h.secret}
	kind := "application/json"
	if h.form {
		kind = "application/x-www-form-urlencoded"
		d.Body = []byte(url.Values{"payload": {string(d.Body)}}.Encode())
	}
	targetID, targetType := h.owner.id, "organization"
	if h.app != nil {
		targetID, targetType = h.app.id, "integration"
	}
	header := http.Header{}
	for name, value := range map[string]string{
		"Accept": "*/*", "Content-Type": kind, "User-Agent": "GitHub-Hookshot/044aadd",
		"X-GitHub-Delivery": d.UUID, "X-GitHub-Event": event, "X-GitHub-Hook-ID": d.Hook,
		"X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(targetID, 10), "X-GitHub-Hook-Installation-Target-Type": targetType,
		"X-GitHub-Enterprise-Version": ghVersion,
	} {
		header.Set(name, value)
	}
	if h.secret != "" {
		sum := func(algorithm func() hash.Hash) string {
			mac := hmac.New(algorithm, []byte(h.secret))
			mac.Write(d.Body)
			return hex.EncodeToString(mac.Sum(nil))
		}
		header.Set("X-Hub-Signature", "sha1="+sum(sha1.New))
		header.Set("X-Hub-Signature-256", "sha256="+sum(sha256.New))
	}
	action, _ := fields["action"].(string)
	g.sender.push(d, &ghAttempt{hook: h, guid: d.UUID, event: event, action: action, payload: payload, header: header})
}

func (s *ghSender) push(d GitHubDelivery, a *ghAttempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	if s.pending == 0 {
		s.idle = make(chan struct{})
	}
	s.pending++
	s.wg.Go(func() {
		select {
		case s.slots <- struct{}{}:
			s.deliver(&d, a)
			<-s.slots
		case <-s.ctx.Done():
		}
		s.finish(d, a)
	})
}

func (s *ghSender) finish(d GitHubDelivery, a *ghAttempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, d)
	// With the place in the log, or the two would disagree.
	a.id, a.at, a.status, a.err = int64(len(s.log)+1), s.now(), d.Status, d.Err
	s.log = append(s.log, a)
	if s.pending--; s.pending == 0 {
		close(s.idle)
	}
}

func (s *ghSender) deliver(d *GitHubDelivery, a *ghAttempt) {
	if s.down.Load() {
		d.Err = "failed to connect to host"
		return
	}
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, d.url, bytes.NewReader(d.Body))
	if err != nil {
		d.Err = err.Error()
		return
	}
	req.Header = a.header.Clone()
	resp, err := s.http.Do(req)
	if err != nil {
		d.Err = fmt.Sprintf("failed to connect: %v", err)
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	d.Status = resp.StatusCode
}

// Deliveries returns what was sent, in the order in which it was answered.
func (g *GitHub) Deliveries() []GitHubDelivery {
	g.sender.mu.Lock()
	defer g.sender.mu.Unlock()
	return append([]GitHubDelivery(nil), g.sender.sent...)
}

// Redeliver sends the same bytes again under the same id, as the button on
// GitHub's page and the API do, and returns that id.
func (g *GitHub) Redeliver(uuid string) (string, error) {
	for _, d := range g.Deliveries() {
		if d.UUID != uuid {
			continue
		}
		if a := g.sender.attempt(func(a *ghAttempt) bool { return a.guid == uuid }); a != nil {
			g.sender.again(d, a)
			return uuid, nil
		}
	}
	return "", unknown("delivery", uuid)
}

// again sends what was sent once more.
func (s *ghSender) again(d GitHubDelivery, a *ghAttempt) {
	d.Status, d.Err = 0, ""
	s.push(d, &ghAttempt{hook: a.hook, guid: a.guid, event: a.event, action: a.action, payload: a.payload, header: a.header, redelivery: true})
}

// Outage makes every delivery fail, as if no receiver could be reached, until it
// is over. The logs tell of them.
func (g *GitHub) Outage(on bool) { g.sender.down.Store(on) }

// Delivered waits until nothing is under way.
func (g *GitHub) Delivered(ctx context.Context) error {
	for {
		g.sender.mu.Lock()
		idle, busy := g.sender.idle, g.sender.pending > 0
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
