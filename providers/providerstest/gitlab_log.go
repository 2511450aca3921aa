package providerstest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// glLogged is an entry of the log of hooks (app/models/hooks/web_hook_log.rb).
type glLogged struct {
	GitLabDelivery
	id int64
	at time.Time
}

// glLogDays is how long the API shows an entry (web_hook_log.rb,
// MAX_RECENT_DAYS), and glLogPage the most it gives at once
// (lib/api/hooks/events.rb).
const (
	glLogDays = 7
	glLogPage = 20
)

// glTrouble is the failures of a hook in a row. With automatic disabling four of
// them switch it off for a minute, each further one for twice as long, up to a
// day, and the fortieth for good (gitlab-org/gitlab merge request 166329).
// Whatever happens meanwhile is neither sent nor logged
// (app/services/web_hook_service.rb, execute).
type glTrouble struct {
	failures int
	until    time.Time
}

const (
	glTolerated = 3
	glForGood   = 40
)

// note logs what was sent. The caller holds s.mu.
func (s *glSender) note(d GitLabDelivery) {
	s.log = append(s.log, glLogged{GitLabDelivery: d, id: int64(len(s.log) + 1), at: s.now()})
	t := s.trouble[d.hook]
	if t == nil {
		t = &glTrouble{}
		s.trouble[d.hook] = t
	}
	if d.Status/100 == 2 || d.Status/100 == 3 {
		*t = glTrouble{}
		return
	}
	if t.failures++; t.failures > glTolerated {
		t.until = s.now().Add(min(time.Minute<<min(t.failures-glTolerated-1, 11), 24*time.Hour))
	}
}

// off reports whether nothing is sent to a hook. The caller holds s.mu.
func (s *glSender) off(hook int64) bool {
	t := s.trouble[hook]
	return s.autoDisable && t != nil && (t.failures >= glForGood || t.until.After(s.now()))
}

// alert is how the API tells of it.
func (s *glSender) alert(hook int64) (status string, until any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.off(hook):
		return "executable", nil
	case s.trouble[hook].failures >= glForGood:
		return "disabled", nil
	}
	return "temporarily_disabled", glStamp(s.trouble[hook].until)
}

// Outage makes every delivery fail, as if no receiver could be reached, until it
// is over. The logs of hooks tell of them.
func (g *GitLab) Outage(on bool) { g.sender.down.Store(on) }

// logged lists what the log shows of a hook, the latest first.
func (c *glCall) logged(hook int64) []glLogged {
	year, month, day := c.g.opt.Now().UTC().AddDate(0, 0, -glLogDays).Date()
	since := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	c.g.sender.mu.Lock()
	defer c.g.sender.mu.Unlock()
	var out []glLogged
	for _, l := range slices.Backward(c.g.sender.log) {
		if l.hook == hook && !l.at.Before(since) {
			out = append(out, l)
		}
	}
	return out
}

// hookEvents lists a group hook's log. (System hooks have no such route,
// lib/api/system_hooks.rb.)
func (c *glCall) hookEvents() {
	h := c.ownHook()
	if h == nil {
		return
	}
	q := c.r.URL.Query()
	if n, err := strconv.Atoi(q.Get("per_page")); q.Has("per_page") && (err != nil || n < 1 || n > glLogPage) {
		c.status = http.StatusBadRequest
		c.json(map[string]string{"error": "per_page does not have a valid value"})
		return
	}
	all := c.logged(h.id)
	if status := q.Get("status"); status != "" {
		all = slices.DeleteFunc(all, func(l glLogged) bool { return !l.is(strings.Split(status, ",")) })
	}
	glPaged(c, all, func(l glLogged) any { return c.g.wireLogged(l) })
}

// is reports whether the answer falls under one of the filters
// (app/finders/web_hooks/web_hook_logs_finder.rb).
func (l glLogged) is(filters []string) bool {
	for _, f := range filters {
		switch {
		case f == "successful" && l.Status/100 == 2, f == "client_failure" && l.Status/100 == 4,
			f == "server_failure" && (l.Status/100 == 5 || l.Status == 0), f == strconv.Itoa(l.Status):
			return true
		}
	}
	return false
}

// wireLogged has the fields of lib/api/entities/web_hook_log.rb. Whoever reads
// it sees neither tokens nor addresses of people.
func (g *GitLab) wireLogged(l glLogged) any {
	header := map[string]string{}
	for name := range l.header {
		header[name] = l.header.Get(name)
	}
	if l.token != "" {
		header["X-Gitlab-Token"] = "[REDACTED]"
	}
	status := strconv.Itoa(l.Status)
	if l.Status == 0 {
		status = "internal error"
	}
	w := map[string]any{
		"id": l.id, "url": l.url, "trigger": strings.ReplaceAll(strings.ToLower(l.Header), " ", "_") + "s",
		"request_headers": header, "request_data": json.RawMessage(Redacted(l.Body)),
		"response_headers": map[string]string{}, "response_body": "", "execution_duration": 0.1, "response_status": status,
	}
	if len(l.Body) > g.opt.LogLimit {
		w["request_data"] = map[string]bool{"oversize": true}
	}
	if !g.opt.LogNoTimes {
		w["created_at"] = glStamp(l.at)
	}
	return w
}

var glAddress = regexp.MustCompile(`^[a-zA-Z0-9.!#$%&'*+/=?^_{|}~-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$`)

// Redacted is a payload as GitLab logs it: addresses of people are gone
// (web_hook_log.rb, redact_user_emails).
func Redacted(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic("providerstest: a payload is no JSON: " + err.Error())
	}
	return mustJSON(redacted(v))
}

func redacted(v any) any {
	switch v := v.(type) {
	case string:
		if glAddress.MatchString(v) {
			return "[REDACTED]"
		}
	case []any:
		for i := range v {
			v[i] = redacted(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = redacted(v[k])
		}
	}
	return v
}

// glResends bounds the calls of resend in a minute, for each hook and user.
const glResends = 5

// resend sends what the log has under the same key
// (app/services/web_hooks/events/resend_service.rb).
func (c *glCall) resend() {
	h := c.ownHook()
	if h == nil {
		return
	}
	now := c.g.opt.Now()
	key := "resend " + c.r.PathValue("hook") + " " + c.doer.login
	c.g.callsMu.Lock()
	w := c.g.window[key]
	if w == nil || now.Sub(w.start) >= time.Minute {
		w = &glWindow{start: now}
		c.g.window[key] = w
	}
	w.n++
	over := w.n > glResends
	c.g.callsMu.Unlock()
	if over {
		c.refuse(http.StatusTooManyRequests, "This endpoint has been requested too many times. Try again later.")
		return
	}
	for _, l := range c.logged(h.id) {
		if strconv.FormatInt(l.id, 10) != c.r.PathValue("event") {
			continue
		}
		if l.url != h.url {
			c.refuse(http.StatusUnprocessableEntity, "The hook URL has changed, and this log entry cannot be retried")
			return
		}
		d := l.GitLabDelivery
		d.Status, d.Err, d.Body = 0, "", Redacted(d.Body)
		c.g.sender.push(d)
		c.status = http.StatusCreated
		c.json(map[string]int{"response_status": http.StatusOK})
		return
	}
	c.refuse(http.StatusNotFound, "404 Not found")
}
