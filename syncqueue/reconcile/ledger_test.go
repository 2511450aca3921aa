package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
)

const (
	publicURL  = "https://hookd.example.com"
	goodSecret = "good"
)

// plainHook reads deliveries that are events as JSON.
type plainHook struct{}

func (plainHook) Verify(h http.Header, _ []byte) (int, error) {
	if h.Get("X-Secret") != goodSecret {
		return 0, providers.ErrSignature
	}
	return 0, nil
}

func (plainHook) GUID(h http.Header) string { return h.Get("X-Delivery") }

func (plainHook) Parse(d providers.Delivery) (e providers.Event, err error) {
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return e, providers.ErrMalformed
	}
	return e, nil
}

func (plainHook) Describe(providers.Delivery) (providers.Details, error) {
	return providers.Details{}, nil
}

// ledger is a forge's delivery log in memory.
type ledger struct {
	mu       sync.Mutex
	hook     string // its id; "" for no webhook
	address  string
	attempts []providers.Attempt // the oldest first, with their payloads
	lost     map[string]bool     // GUIDs whose payload is not there
	noTimes  bool
	longer   bool // it keeps more than it says
	givesUp  int
	off      string
	lacks    string
	refused  error // what asking for webhooks answers
	broken   int   // Payload fails after so many more; -1 never
	read     int   // attempts that were yielded
	fetched  map[string]int
}

const ledgerKept = 3 * 24 * time.Hour

func newLedger() *ledger {
	return &ledger{hook: "7", address: publicURL + "/hooks/git", lost: map[string]bool{}, broken: -1, fetched: map[string]int{}}
}

// sent logs an attempt to tell of r.
func (l *ledger) sent(guid string, r providers.Repo, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	body, err := json.Marshal(providers.Event{Name: "repository.created", Effect: providers.EffectRepo, Repo: &r, Org: r.Org})
	if err != nil {
		panic(err)
	}
	l.attempts = append(l.attempts, providers.Attempt{
		ID: strconv.Itoa(len(l.attempts) + 1), GUID: guid, At: time.Now(), Event: "repository.created", Taken: taken, Answer: "for a test",
		Header: http.Header{"X-Delivery": {guid}, "X-Secret": {goodSecret}}, Body: body,
	})
}

func (l *ledger) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

type loggingWorld struct {
	*world
	log *ledger
}

func (w loggingWorld) DeliveryLogs(_ context.Context, org providers.Org, ours func(string) bool) ([]providers.HookLog, error) {
	l := w.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused != nil || l.hook == "" || !ours(l.address) {
		return nil, l.refused
	}
	return []providers.HookLog{{Org: org, Hook: l.hook, Kept: ledgerKept, GivesUp: l.givesUp, Off: l.off, Lacks: l.lacks}}, nil
}

func (w loggingWorld) Attempts(context.Context, providers.HookLog) iter.Seq2[providers.Attempt, error] {
	l := w.log
	l.mu.Lock()
	all := slices.Clone(l.attempts)
	l.mu.Unlock()
	return func(yield func(providers.Attempt, error) bool) {
		for _, a := range slices.Backward(all) {
			if !l.longer && a.At.Before(time.Now().Add(-ledgerKept)) {
				return
			}
			a.Header, a.Body = nil, nil
			if l.noTimes {
				a.At = time.Time{}
			}
			l.change(func() { l.read++ })
			if !yield(a, nil) {
				return
			}
		}
	}
}

var errBroken = &providers.ForgeError{Op: "GET /deliveries", Class: providers.ErrUnavailable}

func (w loggingWorld) Payload(_ context.Context, _ providers.HookLog, a providers.Attempt) (providers.Attempt, error) {
	l := w.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == 0 {
		return a, errBroken
	}
	l.broken = max(l.broken-1, -1)
	l.fetched[a.GUID]++
	if l.lost[a.GUID] {
		return a, &providers.ForgeError{Op: "GET /deliveries", Class: providers.ErrNotFound}
	}
	i := slices.IndexFunc(l.attempts, func(b providers.Attempt) bool { return b.ID == a.ID })
	if i < 0 {
		return a, errors.New("no such attempt")
	}
	a.Header, a.Body = l.attempts[i].Header, l.attempts[i].Body
	return a, nil
}

// outage makes n repositories of which nobody is told: the forge tries, and
// logs that it failed.
func (h *house) outage(from, n int) {
	for i := from; i < from+n; i++ {
		id := strconv.Itoa(1000 + i)
		h.plan.log.sent("g"+id, h.world.create(id, "app-"+id, "2"), false)
	}
}

// journalled counts how often each GUID is in the journal.
func (h *house) journalled() map[string]int {
	h.t.Helper()
	seen := map[string]int{}
	for cursor := ""; ; {
		page, next, err := h.store.Deliveries(h.t.Context(), everything, cursor, 500)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range page {
			seen[r.Delivery.GUID]++
		}
		if cursor = next; next == "" {
			return seen
		}
	}
}

// once fails unless the journal has just the deliveries of an outage, each once.
func (h *house) once(from, n int) {
	h.t.Helper()
	seen := h.journalled()
	for i := from; i < from+n; i++ {
		guid := "g" + strconv.Itoa(1000+i)
		if seen[guid] != 1 {
			h.t.Errorf("%s is journalled %d times", guid, seen[guid])
		}
		delete(seen, guid)
	}
	if len(seen) > 0 {
		h.t.Errorf("the journal has %v as well", seen)
	}
}

// scopes lists why organizations are or were read as a whole for the sake of a
// delivery log.
func (h *house) scopes() (why []string) {
	for _, j := range append(h.jobs(""), h.doneRuns()...) {
		for _, c := range j.Causes {
			if j.Kind == "scope" && c.By == "backfill" && !slices.Contains(why, c.Why) {
				why = append(why, c.Why)
			}
		}
	}
	return why
}

func (h *house) wantScope(words ...string) {
	h.t.Helper()
	got := h.scopes()
	if len(got) != len(words) {
		h.t.Errorf("the organization was read as a whole for %q, want %q", got, words)
		return
	}
	for i, w := range words {
		if !strings.Contains(got[i], w) {
			h.t.Errorf("the organization was read as a whole for %q, want %q", got[i], w)
		}
	}
}

func (h *house) note() string {
	h.t.Helper()
	all := h.engine.DeliveryLogs("git")
	if len(all) != 1 {
		h.t.Fatalf("the states are %+v", all)
	}
	return fmt.Sprintf("%v %s", all[0].Readable, all[0].Note)
}
