package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
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
	w, err := newWorld("gitea", "drone", t.TempDir())
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

// Polls would hide it if deliveries were refused while a secret is rotated; so
// the scenario looks at how the forge's deliveries were answered.
func TestRotationSeesWhatIsRefused(t *testing.T) {
	for _, kind := range forgeNames() {
		d := &demo{app: &app{stdout: io.Discard, stderr: io.Discard}, log: slog.New(slog.DiscardHandler), level: &slog.LevelVar{}, addr: "127.0.0.1:0", kind: kind, ci: "drone"}
		err := d.run(t.Context(), scenarios["rotation"], func(ctx context.Context) error {
			// The forge changes over before hookd knows the new secret.
			if err := d.world.setSecret(ctx, secret(newKey())); err != nil {
				return err
			}
			if err := d.world.create("app-1"); err != nil {
				return err
			}
			return d.world.forge.Delivered(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		if refused := d.world.forge.refused(); len(refused) == 0 || !strings.Contains(refused[0], "status 401") {
			t.Errorf("%s: refused %v", kind, refused)
		}
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
