package handlers

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// A problem is an error answer (RFC 9457). Detail is for people and says what
// to do; it never holds anything secret or a word of the store's insides.
type problem struct {
	Type   string      `json:"type"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail,omitempty"`
	Checks []checkView `json:"checks,omitempty"`
	Job    string      `json:"job,omitempty"`
}

func newProblem(status int, detail string) problem {
	return problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p problem) write(w http.ResponseWriter) {
	writeAs(w, p.Status, "application/problem+json", p)
}

// writeProblem is newProblem and write in one.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	newProblem(status, detail).write(w)
}

// later marks an answer as worth repeating.
func later(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(after.Seconds())))
}

// writeJSON answers with v, which must be encodable: names are escaped, so that
// no forge's name can become markup.
func writeJSON(w http.ResponseWriter, status int, v any) {
	writeAs(w, status, "application/json", v)
}

func writeAs(w http.ResponseWriter, status int, mediaType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here: a fault of the program
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // a client that went away is nobody's error
}
