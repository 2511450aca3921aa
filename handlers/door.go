package handlers

import (
	"mime"
	"net/http"
	"strings"

	"github.com/hookd/hookd/providers/document"
)

// A door is where the authentic messages of one sender come in: a provider's
// forge, or a target's CI server.
type door struct {
	of     string // "provider" or "target"
	name   string
	forms  bool
	verify func(h http.Header, body []byte) (secret int, err error)
	count  func(event, result string)
}

func (rc *receiver) doorOf(src Source) door {
	return door{
		of: "provider", name: src.Name, forms: src.Forms, verify: src.Hook.Verify,
		count: func(event, result string) { rc.Metrics.Delivery(src.Name, event, result) },
	}
}

// A message is what came in.
type message struct {
	raw, body []byte // as it was signed; the JSON document in it
	form      bool
	secret    int
	held      *hold // of the budget for bodies; release it, also if it was refused
}

// admit takes one message of a sender who is known, or answers why not. The
// order of the checks is part of the contract.
func (rc *receiver) admit(w http.ResponseWriter, r *http.Request, d door) (m message, ok bool) {
	m.held = rc.bodies.nothing()
	if r.Method != http.MethodPost {
		d.count("", resultUnacceptable)
		refuseMethod(w, http.MethodPost)
		return m, false
	}
	if m.form, ok = mediaType(r, d.forms); !ok {
		d.count("", resultUnacceptable)
		writeProblem(w, http.StatusUnsupportedMediaType, "send application/json without a Content-Encoding")
		return m, false
	}
	var err error
	if m.raw, m.held, err = rc.bodies.read(w, r); err != nil {
		rc.unread(w, d, err)
		return m, false
	}
	if m.secret, err = d.verify(r.Header, m.raw); err != nil {
		rc.reject(w, r, d)
		return m, false
	}
	body, problem := jsonOf(m.raw, m.form, m.held)
	if problem != nil {
		d.count("", resultOf(problem.Status))
		if problem.Status == http.StatusServiceUnavailable {
			later(w, retryAfter)
		}
		problem.write(w)
		return m, false
	}
	m.body = body
	return m, true
}

// mediaType reports whether the body is a form, and whether it may be sent at
// all.
func mediaType(r *http.Request, forms bool) (form, ok bool) {
	for _, enc := range r.Header.Values("Content-Encoding") {
		if strings.TrimSpace(enc) != "" {
			return false, false
		}
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return false, false
	}
	form = t == "application/x-www-form-urlencoded"
	return form, t == "application/json" || form && forms
}

// jsonOf returns the JSON document of a verified body: the body itself, or
// the payload field of a form.
func jsonOf(raw []byte, form bool, held *hold) ([]byte, *problem) {
	body := raw
	if form {
		field := payloadOf(raw)
		if !held.add(int64(len(field))) {
			p := newProblem(http.StatusServiceUnavailable, "too much at once")
			return nil, &p
		}
		var err error
		if body, err = unescape(field); err != nil {
			p := newProblem(http.StatusBadRequest, "the body is not a form")
			return nil, &p
		}
	}
	if !document.Valid(body) {
		p := newProblem(http.StatusBadRequest, "the body is not valid JSON")
		return nil, &p
	}
	return body, nil
}
