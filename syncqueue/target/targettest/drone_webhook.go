package targettest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"
)

// announcer is where Drone sends its webhooks, and by which secret.
type announcer struct{ endpoint, secret string }

// Announce sets DRONE_WEBHOOK_ENDPOINT and DRONE_WEBHOOK_SECRET.
func (d *Drone) Announce(endpoint, secret string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.announcer = announcer{endpoint, secret}
}

// announce sends one webhook and waits for the answer, which changes nothing,
// and is not sent again (source: plugin/webhook/webhook.go:90).
func (d *Drone) announce(action string, u droneUser) {
	d.mu.Lock()
	to := d.announcer
	d.mu.Unlock()
	if to.endpoint == "" {
		return
	}
	body, _ := json.Marshal(map[string]any{
		"event": "user", "action": action, "user": u,
		"system": map[string]string{"proto": "http", "host": d.addr, "link": d.URL, "version": "2.28.1"},
	})
	req, err := http.NewRequestWithContext(d.serve, http.MethodPost, to.endpoint, bytes.NewReader(body))
	if err != nil {
		return
	}
	sum := sha256.Sum256(body)
	date, digest := d.opt.Now().UTC().Format(http.TimeFormat), "SHA-256="+base64.StdEncoding.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, []byte(to.secret))
	mac.Write([]byte("date: " + date + "\ndigest: " + digest))
	req.Header.Set("X-Drone-Event", "user")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Date", date)
	req.Header.Set("Digest", digest)
	req.Header.Set("Signature", `keyId="hmac-key",algorithm="hmac-sha256",signature="`+
		base64.StdEncoding.EncodeToString(mac.Sum(nil))+`",headers="date digest"`)
	client := &http.Client{Timeout: time.Minute}
	if res, err := client.Do(req); err == nil {
		_ = res.Body.Close()
	}
}
