package providerstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ghAttempt is an entry of a webhook's delivery log. Its fields are those of the
// schemas hook-delivery-item and hook-delivery of GitHub's description of its
// API; that a redelivery is an entry of its own under the same guid is how
// GitHub's own script for redelivering reads the log (github/docs,
// automatically-redelivering-failed-deliveries-for-an-organization-webhook).
type ghAttempt struct {
	id            int64
	hook          *ghHook
	guid          string
	at            time.Time
	redelivery    bool
	event, action string
	payload       []byte      // the JSON, also of a form
	header        http.Header // with the signature, as the log shows it
	status        int         // 0 if no answer came
	err           string
}

// attempt finds the latest entry of the log that fits.
func (s *ghSender) attempt(fits func(*ghAttempt) bool) *ghAttempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range slices.Backward(s.log) {
		if fits(a) {
			return a
		}
	}
	return nil
}

// logged lists what the log still has of a hook, the latest first.
func (c *ghCall) logged(h *ghHook) []*ghAttempt {
	since := c.g.opt.Now().Add(-c.g.opt.LogKept)
	c.g.sender.mu.Lock()
	defer c.g.sender.mu.Unlock()
	var out []*ghAttempt
	for _, a := range slices.Backward(c.g.sender.log) {
		if a.hook == h && a.at.After(since) {
			out = append(out, a)
		}
	}
	return out
}

// loggedHook is the hook whose log is asked for: an organization's, whose owners
// may look, or that of the App that signed the request.
func (c *ghCall) loggedHook() *ghHook {
	if c.r.PathValue("org") != "" {
		return c.own()
	}
	token := strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	for _, app := range c.g.apps {
		if !app.signed(token, c.g.opt.Now()) {
			continue
		}
		for _, h := range c.g.hooks {
			if h.app == app {
				return h
			}
		}
		c.notFound()
		return nil
	}
	c.refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
	return nil
}

func (c *ghCall) appHookConfig() {
	if h := c.loggedHook(); h != nil {
		c.json(c.g.wireHook(h)["config"])
	}
}

// listDeliveries answers a page that begins at the cursor, with a link to the
// next one. (GitHub documents the cursor as opaque, and no order; its own script
// relies on the latest being first.)
func (c *ghCall) listDeliveries() {
	h := c.loggedHook()
	if h == nil {
		return
	}
	size, _ := strconv.Atoi(c.r.URL.Query().Get("per_page"))
	if size <= 0 {
		size = 30
	}
	all := c.logged(h)
	if cursor := c.r.URL.Query().Get("cursor"); cursor != "" {
		from, err := strconv.ParseInt(strings.TrimPrefix(cursor, "v1_"), 10, 64)
		if err != nil {
			c.refuse(http.StatusBadRequest, "Invalid cursor")
			return
		}
		all = slices.DeleteFunc(all, func(a *ghAttempt) bool { return a.id > from })
	}
	n := min(size, 100, len(all))
	if n < len(all) {
		q := url.Values{"per_page": {strconv.Itoa(size)}, "cursor": {fmt.Sprintf("v1_%d", all[n].id)}}
		c.header.Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, c.g.url, c.r.URL.Path, q.Encode()))
	}
	items := make([]any, n)
	for i, a := range all[:n] {
		items[i] = a.wire()
	}
	c.json(items)
}

func (a *ghAttempt) wire() ghFields {
	w := ghFields{
		"id": a.id, "guid": a.guid, "delivered_at": a.at.UTC().Truncate(time.Second), "redelivery": a.redelivery, "duration": 0.27,
		"status": http.StatusText(a.status), "status_code": a.status, "event": a.event, "action": nil, "installation_id": nil, "repository_id": nil,
	}
	if a.action != "" {
		w["action"] = a.action
	}
	if a.hook.app != nil {
		w["installation_id"] = a.hook.app.installation
	}
	if a.status == 0 {
		w["status"], w["status_code"] = a.err, http.StatusBadGateway
	}
	return w
}

// asked finds the entry that the path names, and its hook's delivery.
func (c *ghCall) asked() *ghAttempt {
	h := c.loggedHook()
	if h == nil {
		return nil
	}
	for _, a := range c.logged(h) {
		if a.id == c.id("delivery") {
			return a
		}
	}
	c.notFound()
	return nil
}

func (c *ghCall) getDelivery() {
	a := c.asked()
	if a == nil {
		return
	}
	header := map[string]string{}
	for name := range a.header {
		header[name] = a.header.Get(name)
	}
	w := a.wire()
	w["url"] = a.hook.url
	w["request"] = ghFields{"headers": header, "payload": c.shown(a.payload)}
	w["response"] = ghFields{"headers": ghFields{}, "payload": nil}
	c.json(w)
}

// shown is a payload as the log shows it: an object within the answer. Whether
// its bytes are those that were signed is not documented.
func (c *ghCall) shown(payload []byte) any {
	if !c.g.opt.LogReencodes {
		return json.RawMessage(payload)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		panic("providerstest: a payload is no JSON: " + err.Error())
	}
	return v
}

// redeliver sends the same again and answers that it will.
func (c *ghCall) redeliver() {
	a := c.asked()
	if a == nil {
		return
	}
	for _, d := range c.g.Deliveries() {
		if d.UUID == a.guid {
			c.g.sender.again(d, a)
			break
		}
	}
	c.status = http.StatusAccepted
	c.json(ghFields{})
}
