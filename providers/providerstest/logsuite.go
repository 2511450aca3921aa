package providerstest

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// A LogWorld is a forge that logs what it sends to webhooks, and the driver that
// reads the log.
type LogWorld struct {
	Log     providers.DeliveryLog
	Org     providers.Org
	Address string        // where one webhook of Org sends
	Happen  func(n int)   // makes n things happen in Org that the webhook tells, and waits until that was tried
	Outage  func(on bool) // makes deliveries fail
	Sent    func() []Sent // what was sent so far, in order
}

// Sent is what a forge sent, as the test knows it.
type Sent struct {
	GUID string
	Body []byte // JSON
}

// RunDeliveryLog examines a driver's DeliveryLog.
func RunDeliveryLog(t *testing.T, open func(t *testing.T) LogWorld) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, LogWorld)
	}{
		{"OurHookIsFoundByItsAddress", hookIsFound},
		{"LatestFirstWithoutAGap", latestFirst},
		{"WhatFailedSaysSo", failuresShow},
		{"PayloadsComeBack", payloadsComeBack},
		{"ReadingStopsWhereItIsToldTo", readingStops},
		{"WhatIsNotInTheLogIsNotFound", strangersAreNotFound},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func (w LogWorld) log(t *testing.T) providers.HookLog {
	t.Helper()
	logs, err := w.Log.DeliveryLogs(t.Context(), w.Org, func(a string) bool { return a == w.Address })
	if err != nil || len(logs) != 1 || logs[0].Lacks != "" || logs[0].Off != "" || logs[0].Kept <= 0 {
		t.Fatalf("the logs are %+v, %v", logs, err)
	}
	return logs[0]
}

func (w LogWorld) attempts(t *testing.T, l providers.HookLog) []providers.Attempt {
	t.Helper()
	var all []providers.Attempt
	for a, err := range w.Log.Attempts(t.Context(), l) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

func hookIsFound(t *testing.T, w LogWorld) {
	w.log(t)
	logs, err := w.Log.DeliveryLogs(t.Context(), w.Org, func(string) bool { return false })
	if err != nil || len(logs) != 0 {
		t.Errorf("nobody's hook is %+v, %v", logs, err)
	}
}

func latestFirst(t *testing.T, w LogWorld) {
	w.Happen(250)
	sent, got := w.Sent(), w.attempts(t, w.log(t))
	if len(got) < 250 || len(got) != len(sent) {
		t.Fatalf("%d attempts of %d that were sent", len(got), len(sent))
	}
	want := map[string]bool{}
	for _, s := range sent {
		want[s.GUID] = true
	}
	for i, a := range got {
		if !want[a.GUID] || !a.Taken || a.At.IsZero() || a.Answer == "" {
			t.Fatalf("an attempt that was none: %+v", a)
		}
		if i > 0 && a.At.After(got[i-1].At) {
			t.Fatalf("attempt %d is of %v, the one before of %v", i, a.At, got[i-1].At)
		}
		delete(want, a.GUID)
	}
}

func failuresShow(t *testing.T, w LogWorld) {
	w.Happen(1)
	w.Outage(true)
	w.Happen(2)
	w.Outage(false)
	w.Happen(1)
	all := w.attempts(t, w.log(t))
	failed := 0
	for _, a := range all {
		if !a.Taken {
			failed++
		}
	}
	if failed == 0 || failed >= len(all) || !all[0].Taken {
		t.Errorf("%d of %d attempts failed, the last one: %v", failed, len(all), !all[0].Taken)
	}
}

func payloadsComeBack(t *testing.T, w LogWorld) {
	w.Outage(true)
	w.Happen(3)
	bodies := map[string][]byte{}
	for _, s := range w.Sent() {
		bodies[s.GUID] = s.Body
	}
	l, n := w.log(t), 0
	for _, a := range w.attempts(t, l) {
		if a.Moot {
			continue
		}
		n++
		a, err := w.Log.Payload(t.Context(), l, a)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain(t, bodies[a.GUID]), plain(t, a.Body)); diff != "" {
			t.Errorf("%s: sent (-), logged (+):\n%s", a.Event, diff)
		}
		if len(a.Header) == 0 || !strings.Contains(a.Header.Get("Content-Type"), "json") {
			t.Errorf("%s: the header is %v", a.Event, a.Header)
		}
	}
	if n < 3 {
		t.Errorf("%d payloads of three", n)
	}
}

func plain(t *testing.T, body []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
	return v
}

func readingStops(t *testing.T, w LogWorld) {
	w.Happen(250)
	n := 0
	for _, err := range w.Log.Attempts(t.Context(), w.log(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
}

func strangersAreNotFound(t *testing.T, w LogWorld) {
	w.Happen(1)
	l := w.log(t)
	a := w.attempts(t, l)[0]
	a.ID, a.Header, a.Body = "987654321", nil, nil
	if _, err := w.Log.Payload(t.Context(), l, a); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("an attempt that never was: %v", err)
	}
	l.Hook = "987654321"
	for _, err := range w.Log.Attempts(t.Context(), l) {
		if !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("a webhook that never was: %v", err)
		}
	}
}
