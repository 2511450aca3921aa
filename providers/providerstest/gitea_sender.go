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
	"slices"
	"sync"
	"time"
)

// GiteaDelivery is one webhook delivery, as Gitea's page about it shows it.
type GiteaDelivery struct {
	UUID   string
	Hook   string
	Event  string
	Body   []byte
	Status int    // 0 if no answer came
	Err    string // why

	url, secret, target, content string
}

// sender delivers webhooks as one Gitea instance does: one worker, one after
// another, no retry (measured; services/webhook/deliver.go).
type sender struct {
	http *http.Client

	mu    sync.Mutex
	queue []GiteaDelivery
	sent  []GiteaDelivery
	busy  bool
	wake  chan struct{} // holds one token while there may be work
	idle  chan struct{} // closed when nothing is queued or under way
}

func newSender(timeout time.Duration) *sender {
	idle := make(chan struct{})
	close(idle)
	return &sender{http: &http.Client{Timeout: timeout}, wake: make(chan struct{}, 1), idle: idle}
}

func (s *sender) push(d GiteaDelivery) {
	s.mu.Lock()
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

func (s *sender) run(ctx context.Context) {
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

func (s *sender) take() (GiteaDelivery, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return GiteaDelivery{}, false
	}
	d := s.queue[0]
	s.queue = s.queue[1:]
	s.busy = true
	return d, true
}

// drop forgets what is queued for a webhook, as its deletion does
// (models/webhook/webhook.go, DeleteWebhookByID).
func (s *sender) drop(hook string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return
	}
	s.queue = slices.DeleteFunc(s.queue, func(d GiteaDelivery) bool { return d.Hook == hook })
	if len(s.queue) == 0 && !s.busy {
		close(s.idle)
	}
}

func (s *sender) finish(d GiteaDelivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, d)
	s.busy = false
	if len(s.queue) == 0 {
		close(s.idle)
	}
}

// deliver sends one. A redirect is followed, as a GET without the body
// (measured).
func (s *sender) deliver(ctx context.Context, d *GiteaDelivery) {
	body := d.Body
	if d.content == "form" { // the signature stays that of the JSON (services/webhook/deliver.go)
		body = []byte(url.Values{"payload": {string(d.Body)}}.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		d.Err = err.Error()
		return
	}
	d.headers(req.Header)
	resp, err := s.http.Do(req)
	if err != nil {
		d.Err = fmt.Sprintf("Delivery: %v", err)
		return
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	d.Status = resp.StatusCode
}

// headers are Gitea's, with GitHub's and Gogs' beside them. Without a secret
// the signatures are there and empty.
func (d *GiteaDelivery) headers(h http.Header) {
	sum := func(algorithm func() hash.Hash) string {
		if d.secret == "" {
			return ""
		}
		mac := hmac.New(algorithm, []byte(d.secret))
		mac.Write(d.Body)
		return hex.EncodeToString(mac.Sum(nil))
	}
	sha := sum(sha256.New)
	h.Set("Content-Type", "application/json")
	if d.content == "form" {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, forge := range []string{"X-Gitea-", "X-Gogs-", "X-GitHub-"} {
		h.Set(forge+"Delivery", d.UUID)
		h.Set(forge+"Event", d.Event)
		h.Set(forge+"Event-Type", d.Event)
	}
	h.Set("X-Gitea-Signature", sha)
	h.Set("X-Gogs-Signature", sha)
	h.Set("X-Hub-Signature", "sha1="+sum(sha1.New))
	h.Set("X-Hub-Signature-256", "sha256="+sha)
	h.Set("X-Gitea-Hook-Installation-Target-Type", d.target)
	h.Set("X-GitHub-Hook-Installation-Target-Type", d.target)
}

// Deliveries returns what was sent, in order.
func (g *Gitea) Deliveries() []GiteaDelivery {
	g.sender.mu.Lock()
	defer g.sender.mu.Unlock()
	return append([]GiteaDelivery(nil), g.sender.sent...)
}

// Redeliver sends the same bytes again under a new UUID, as the button on
// Gitea's page does, and returns that UUID.
func (g *Gitea) Redeliver(uuid string) (string, error) {
	for _, d := range g.Deliveries() {
		if d.UUID == uuid {
			d.UUID, d.Status, d.Err = newUUID(), 0, ""
			g.sender.push(d)
			return d.UUID, nil
		}
	}
	return "", unknown("delivery", uuid)
}

// Delivered waits until nothing is queued or under way.
func (g *Gitea) Delivered(ctx context.Context) error {
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
