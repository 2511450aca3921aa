package targettest

import (
	"context"
	"net/http"
	"strings"
)

// A Fault is a way in which a CI server, or what stands before it, fails.
type Fault string

// The faults.
const (
	FaultNone        Fault = ""
	FaultDown        Fault = "down"        // connection refused
	FaultUnavailable Fault = "unavailable" // 503 and HTML, by a proxy
	FaultHang        Fault = "hang"        // no answer until the caller leaves
	FaultUnheard     Fault = "unheard"     // carried out, and then no answer until the caller leaves
	FaultInternal    Fault = "internal"    // 500 in its own words
	FaultHTML        Fault = "html"        // 200 and HTML
	FaultEmptyList   Fault = "empty list"  // 200 and [], as JSON
	FaultTruncated   Fault = "truncated"   // 200 and half a list
	FaultRedirect    Fault = "redirect"    // 302 to another address
	FaultAnother     Fault = "another"     // 200 and the list of another user, whoever is asked about
	FaultStranger    Fault = "stranger"    // 401 to everybody, in its own words: the database does not answer
)

// fault is the fault in force.
type fault struct {
	kind Fault
	on   string // prefix of "METHOD /path" that it strikes; empty for all
	to   string // of FaultRedirect
	list any    // of FaultAnother
}

// words are what a CI server says itself of faults.
type words interface {
	internal(w http.ResponseWriter)  // 500
	stranger(w http.ResponseWriter)  // 401 to everybody
	emptyList(w http.ResponseWriter) // 200
	truncated() string               // half a list
	index() string                   // the page that answers what is not known
}

// Break puts a fault in force, in place of the one before. on limits it to
// requests that begin with it, such as "POST /api/user/repos".
func (l *loopback) Break(kind Fault, on string) { l.breakWith(fault{kind: kind, on: on}) }

// Redirect answers every request with a redirect to an address.
func (l *loopback) Redirect(to string) { l.breakWith(fault{kind: FaultRedirect, to: to}) }

// Heal ends the fault in force.
func (l *loopback) Heal() { l.breakWith(fault{}) }

func (l *loopback) breakWith(f fault) {
	l.state.Lock()
	defer l.state.Unlock()
	was := l.fault.kind
	l.fault, l.struck = f, 0
	switch {
	case f.kind == FaultDown && was != FaultDown:
		_ = l.server.Close()
	case f.kind != FaultDown && was == FaultDown:
		if err := l.listen(); err != nil {
			panic("targettest: the port was taken meanwhile: " + err.Error())
		}
	}
}

// strike answers a request by the fault in force, if that concerns it.
func (l *loopback) strike(w http.ResponseWriter, r *http.Request) bool {
	l.state.Lock()
	f := l.fault
	l.calls++
	meets := f.kind != FaultNone && strings.HasPrefix(r.Method+" "+r.URL.Path, f.on)
	if meets && f.kind != FaultUnheard {
		l.struck++
	}
	l.state.Unlock()
	if !meets {
		return false
	}
	switch f.kind {
	case FaultUnavailable:
		page(w, http.StatusServiceUnavailable, "<html><h1>503 Service Temporarily Unavailable</h1></html>")
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-l.serve.Done():
		}
	case FaultUnheard:
		l.carryOut(r)
		select {
		case <-r.Context().Done():
		case <-l.serve.Done():
		}
	case FaultInternal:
		l.words.internal(w)
	case FaultHTML:
		page(w, http.StatusOK, l.words.index())
	case FaultEmptyList:
		l.words.emptyList(w)
	case FaultAnother:
		answer(w, http.StatusOK, f.list)
	case FaultTruncated:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(l.words.truncated()))
	case FaultRedirect:
		http.Redirect(w, r, f.to+r.URL.Path, http.StatusFound)
	case FaultStranger:
		l.words.stranger(w)
	default:
		return false
	}
	return true
}

// CutOff ends all connections, as a restart does, and goes on listening.
func (l *loopback) CutOff() {
	l.Break(FaultDown, "")
	l.Heal()
}

// Struck counts the requests that met the fault in force. One that is carried
// out is counted afterwards.
func (l *loopback) Struck() int {
	l.state.Lock()
	defer l.state.Unlock()
	return l.struck
}

// carryOut does what a request asks for, whether its caller waits for it or not.
func (l *loopback) carryOut(r *http.Request) {
	l.real.ServeHTTP(&unheard{header: http.Header{}}, r.WithContext(context.WithoutCancel(r.Context())))
	l.state.Lock()
	defer l.state.Unlock()
	l.struck++
}

// unheard is an answer that nobody gets.
type unheard struct{ header http.Header }

func (u *unheard) Header() http.Header         { return u.header }
func (u *unheard) Write(p []byte) (int, error) { return len(p), nil }
func (u *unheard) WriteHeader(int)             {}
