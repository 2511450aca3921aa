package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/syncqueue/target"
)

// A demo in this process leaves nothing behind.
func TestDemoEndsClean(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(),
		// The runtime's own, once a process has asked for signals.
		goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreTopFunction("os/signal.loop"))
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	code, out, stderr := hookd(t, nil, "demo", "--headless")
	if code != exitDone || stderr != "" || !strings.Contains(out, "scenario created: 27 changes, 27 visible") {
		t.Errorf("exit %d, said\n%s%s", code, out, stderr)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// The demo's verdict has to be able to fail: with Drone's sync broken nothing
// shows, whatever hookd believes.
func TestDemoFailsWhenNothingShows(t *testing.T) {
	w, err := newWorld("gitea", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	var out bytes.Buffer
	tr := newTracker(w, &out)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := created(ctx, &demo{world: w}, tr); err == nil {
		t.Error("a world without hookd plays the scenario to its end")
	}
	tr.finish()
	if tr.failed() == 0 || !strings.Contains(out.String(), "FAILED visible acme/app-1 for ana") {
		t.Errorf("%d failed:\n%s", tr.failed(), out.String())
	}
}

func TestPercentilesAreNearestRanks(t *testing.T) {
	var d []time.Duration
	for i := range 20 {
		d = append(d, time.Duration(i+1))
	}
	for p, want := range map[float64]time.Duration{50: 10, 95: 19, 100: 20, 1: 1} {
		if got := percentile(d, p); got != want {
			t.Errorf("percentile %v is %d, want %d", p, got, want)
		}
	}
	if percentile(nil, 95) != 0 {
		t.Error("a percentile of nothing is not zero")
	}
}

func TestArrivalsAreThoseWhoWereNotThere(t *testing.T) {
	p := &targetParty{}
	logins := func(list []target.Account) []string {
		var out []string
		for _, a := range list {
			out = append(out, a.Login)
		}
		return out
	}
	if !p.knows("anybody") {
		t.Error("nobody is known while the CI server was not asked")
	}
	first := p.update([]target.Account{{Login: "Ana", Active: true}, {Login: "bot", Active: true, Machine: true}, {Login: "old"}})
	if !slices.Equal(logins(first), []string{"Ana"}) || !p.knows("ana") || p.knows("bot") || p.knows("old") {
		t.Errorf("arrived %v", logins(first))
	}
	next := p.update([]target.Account{{Login: "ana", Active: true}, {Login: "old", Active: true}, {Login: "li", Active: true}})
	if !slices.Equal(logins(next), []string{"old", "li"}) {
		t.Errorf("arrived %v, want old and li", logins(next))
	}
}
