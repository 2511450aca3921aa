package providerstest

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Fault is a way for answers to go wrong. One table of faults serves all
// forges; what a forge does not have (GitHub has no counts) changes nothing
// there.
type Fault struct {
	Kind  FaultKind
	Path  string        // a part of the path below the API's root, "" for every call
	User  string        // only calls made as this user, by his token or Sudo; "" for everybody
	Page  int           // only this page of a list, 0 for all
	Times int           // how often, 0 until it is healed
	After time.Duration // the Retry-After of FaultLimit, the pause between the bytes of FaultDrip
	To    string        // where FaultElsewhere redirects to
}

// FaultKind is what goes wrong.
type FaultKind string

// The faults.
const (
	FaultError        FaultKind = "500"       // an error of the server
	FaultLimit        FaultKind = "429"       // a rate limit, as a proxy in front of Gitea has it
	FaultUnauthorized FaultKind = "401"       // the token is refused
	FaultForbidden    FaultKind = "403"       // the token may not
	FaultHang         FaultKind = "hang"      // no answer until the client gives up
	FaultDrip         FaultKind = "drip"      // one byte at a time
	FaultHTML         FaultKind = "html"      // a page for people, with status 200
	FaultProxy404     FaultKind = "proxy 404" // a 404 that is not Gitea's
	FaultTruncated    FaultKind = "truncated" // half of the JSON, with status 200
	FaultNull         FaultKind = "null"      // JSON of another shape, with status 200
	FaultEmpty        FaultKind = "empty"     // an empty list that says it is: count 0
	FaultHollow       FaultKind = "hollow"    // an empty list under the true count
	FaultStub         FaultKind = "stub"      // an empty list without any header
	FaultNoLink       FaultKind = "no link"   // without the Link header
	FaultNoTotal      FaultKind = "no total"  // without X-Total-Count
	FaultBare         FaultKind = "bare"      // without both
	FaultLoop         FaultKind = "loop"      // the same page again and again
	FaultElsewhere    FaultKind = "elsewhere" // a redirect to another origin
)

// faults are those of one server that are switched on.
type faults struct {
	mu  sync.Mutex
	all []*broken
}

type broken struct {
	Fault
	left int // -1 for ever
}

// Break switches a fault on. The returned function heals it; later faults go
// before earlier ones.
func (f *faults) Break(what Fault) (heal func()) {
	x := &broken{Fault: what, left: what.Times}
	if what.Times == 0 {
		x.left = -1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, x)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all = slices.DeleteFunc(f.all, func(y *broken) bool { return y == x })
	}
}

// meets returns the fault of a call, nil if there is none: of a path below the
// API's root, by whom, and of which page.
func (f *faults) meets(path, login string, page int) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range slices.Backward(f.all) {
		if x.left == 0 || !strings.Contains(path, x.Path) || x.Page != 0 && x.Page != page || x.User != "" && fold(x.User) != fold(login) {
			continue
		}
		if x.left > 0 {
			x.left--
		}
		return &x.Fault
	}
	return nil
}

// drip sends an answer byte by byte, until it is all there or either side ends.
func drip(ctx context.Context, w http.ResponseWriter, status int, header http.Header, body *bytes.Buffer, pause time.Duration, done <-chan struct{}) {
	for k, v := range header {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	tick := time.NewTicker(max(pause, time.Millisecond))
	defer tick.Stop()
	for _, b := range body.Bytes() {
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-done:
			return
		}
	}
}
