package targettest

import (
	"net/http"
	"strings"
)

// A Fault is a way in which Drone, or what stands before it, fails.
type Fault string

// The faults.
const (
	FaultNone        Fault = ""
	FaultDown        Fault = "down"        // connection refused
	FaultUnavailable Fault = "unavailable" // 503 and HTML, by a proxy
	FaultHang        Fault = "hang"        // no answer until the caller leaves
	FaultInternal    Fault = "internal"    // 500 in Drone's words
	FaultHTML        Fault = "html"        // 200 and HTML
	FaultEmptyList   Fault = "empty list"  // 200 and [], as JSON
	FaultTruncated   Fault = "truncated"   // 200 and half a list
	FaultRedirect    Fault = "redirect"    // 302 to another address
	FaultStranger    Fault = "stranger"    // 401 to everybody: the database does not answer (source: session/session.go)
)

// fault is the fault in force.
type fault struct {
	kind Fault
	on   string // prefix of "METHOD /path" that it strikes; empty for all
	to   string // of FaultRedirect
}

// Break puts a fault in force, in place of the one before. on limits it to
// requests that begin with it, such as "POST /api/user/repos".
func (d *Drone) Break(kind Fault, on string) { d.breakWith(fault{kind: kind, on: on}) }

// Redirect answers every request with a redirect to an address.
func (d *Drone) Redirect(to string) { d.breakWith(fault{kind: FaultRedirect, to: to}) }

// Heal ends the fault in force.
func (d *Drone) Heal() { d.breakWith(fault{}) }

func (d *Drone) breakWith(f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	was := d.fault.kind
	d.fault = f
	switch {
	case f.kind == FaultDown && was != FaultDown:
		_ = d.server.Close()
	case f.kind != FaultDown && was == FaultDown:
		if err := d.listen(); err != nil {
			panic("targettest: the port was taken meanwhile: " + err.Error())
		}
	}
}

// strike answers a request by the fault in force, if that concerns it.
func (d *Drone) strike(w http.ResponseWriter, r *http.Request) bool {
	d.mu.Lock()
	f := d.fault
	d.mu.Unlock()
	if f.kind == FaultNone || !strings.HasPrefix(r.Method+" "+r.URL.Path, f.on) {
		return false
	}
	switch f.kind {
	case FaultUnavailable:
		page(w, http.StatusServiceUnavailable, "<html><h1>503 Service Temporarily Unavailable</h1></html>")
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-d.serve.Done():
		}
	case FaultInternal:
		fail(w, http.StatusInternalServerError, "database is locked")
	case FaultHTML:
		page(w, http.StatusOK, index)
	case FaultEmptyList:
		answer(w, http.StatusOK, []droneRepo{})
	case FaultTruncated:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"id":1,"uid":"1","slug":"acme/one"},{"id":2,"ui`))
	case FaultRedirect:
		http.Redirect(w, r, f.to+r.URL.Path, http.StatusFound)
	case FaultStranger:
		fail(w, http.StatusUnauthorized, "Unauthorized")
	default:
		return false
	}
	return true
}
