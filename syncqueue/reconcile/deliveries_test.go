package reconcile_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

var everything = syncqueue.DeliveryQuery{}

// doneRuns are the jobs of all runs so far.
func (h *house) doneRuns() []syncqueue.Job {
	h.mu.Lock()
	defer h.mu.Unlock()
	var jobs []syncqueue.Job
	for _, r := range h.runs {
		jobs = append(jobs, r.Job)
	}
	return jobs
}

// passes counts the runs that read an organization for the sake of a log.
func (h *house) passes() (n int) {
	for _, j := range h.doneRuns() {
		if j.Kind == syncqueue.KindScope && j.CausedBy("backfill") {
			n++
		}
	}
	return n
}

// logging is a plan in which nothing but the delivery log tells what happened.
func logging() plan { return plan{log: newLedger(), readings: 10 * time.Minute} }

// away stops the house, lets things happen, and starts it again.
func (h *house) away(d time.Duration, happens func()) {
	h.stop()
	happens()
	h.after(d)
	h.start()
	h.after(2 * time.Minute)
}

func TestWhatFailedWhileWeWereAwayIsFetchedOnce(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(2*time.Hour, func() { h.outage(0, 450) })
		h.once(0, 450)
		h.agree(everybody...)
		h.wantScope()
		for guid, n := range h.plan.log.fetched {
			if n != 1 {
				t.Errorf("%s was fetched %d times", guid, n)
			}
		}
		h.after(time.Hour) // reads it again and again
		h.once(0, 450)
		if want := "true "; h.note() != want {
			t.Errorf("the state is %q", h.note())
		}
	})
}

func TestWhatArrivedIsNotFetched(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.after(time.Hour)
		r := h.world.create("50", "new", "2")
		h.hear(providers.EffectRepo, r)
		for guid := range h.journalled() {
			h.plan.log.sent(guid, r, true)
		}
		h.after(time.Hour)
		if n := len(h.plan.log.fetched); n != 0 {
			t.Errorf("%d deliveries were fetched", n)
		}
		if n := len(h.journalled()); n != 1 {
			t.Errorf("the journal has %d deliveries", n)
		}
	})
}

// A proxy that answers 200 on our behalf loses deliveries without a failure.
func TestWhatSomebodyElseTookIsFetched(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.hear(providers.EffectRepo, h.world.repos["41"].Repo)
		h.after(time.Hour)
		h.plan.log.sent("g1000", h.world.create("1000", "app-1000", "2"), true)
		h.after(11 * time.Minute)
		if seen := h.journalled(); seen["g1000"] != 1 {
			t.Errorf("the journal has %v", seen)
		}
		h.agree(everybody...)
	})
}

// What was taken before the journal begins was forgotten in its time.
func TestWhatTheJournalForgotIsNotFetched(t *testing.T) {
	pl := logging()
	pl.readings = 0
	inBubble(t, small(), pl, func(h *house) {
		h.plan.log.sent("g1000", h.world.create("1000", "app-1000", "2"), true)
		h.after(time.Hour)
		h.hear(providers.EffectRepo, h.world.repos["41"].Repo)
		h.after(time.Minute)
		got, err := h.engine.Backfill(t.Context(), "git", time.Now().Add(-24*time.Hour))
		if err != nil || len(got) != 1 || got[0].Ignored != 1 || got[0].Missed != 0 || !got[0].Complete || got[0].Scope {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestARedeliveryIsTheSameDelivery(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(time.Hour, func() {
			h.outage(0, 1)
			h.plan.log.sent("g1000", h.world.repos["1000"].Repo, false)
			h.plan.log.sent("g1000", h.world.repos["1000"].Repo, false)
		})
		h.once(0, 1)
		if n := h.plan.log.fetched["g1000"]; n != 1 {
			t.Errorf("it was fetched %d times", n)
		}
	})
}

func TestAFetchedDeliverySaysWhereItCameFrom(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		var sent time.Time
		h.away(time.Hour, func() {
			sent = time.Now()
			h.outage(0, 2)
			h.plan.log.attempts[1].Header.Set("X-Secret", "[REDACTED]")
		})
		page, _, err := h.store.Deliveries(t.Context(), everything, "", 10)
		if err != nil || len(page) != 2 {
			t.Fatal(page, err)
		}
		for i, secret := range []int{providers.Unsigned, 0} { // the newest first
			d := page[i].Delivery
			if d.Secret != secret || !d.Sent.Equal(sent) || d.Received.Sub(sent) < time.Hour {
				t.Errorf("secret %d, sent %v, received %v", d.Secret, d.Sent, d.Received)
			}
			if v := d.Header.Get("X-Secret"); v != "" {
				t.Errorf("the journal keeps %q", v)
			}
		}
	})
}

// A reading that breaks off has lost nothing, and what it did is not done twice.
func TestAReadingThatBreaksOffGoesOn(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(time.Hour, func() {
			h.outage(0, 300)
			h.plan.log.broken = 120
			for i := range h.plan.log.attempts { // over most of the time, which no overlap covers
				h.plan.log.attempts[i].At = time.Now().Add(time.Duration(i) * 10 * time.Second)
			}
		})
		if n := len(h.journalled()); n != 120 {
			t.Fatalf("%d deliveries are journalled", n)
		}
		h.plan.log.change(func() { h.plan.log.broken = -1 })
		h.after(20 * time.Minute)
		h.once(0, 300)
		h.agree(everybody...)
	})
}

func TestAwayForLongerThanTheLogKeepsReadsTheOrganization(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.after(time.Hour)
		h.away(ledgerKept+time.Hour, func() { h.outage(0, 5) })
		h.wantScope("goes back 72h0m0s")
		h.after(2 * time.Minute)
		h.agree(everybody...)
		if n := len(h.journalled()); n != 0 {
			t.Errorf("%d deliveries are journalled of a log that has none", n)
		}
		h.after(2 * time.Hour)
		h.wantScope("goes back 72h0m0s")
	})
}

func TestALogThatKeepsMoreThanItSaysIsBelieved(t *testing.T) {
	pl := logging()
	pl.log.longer = true
	inBubble(t, small(), pl, func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 1) })
		h.after(time.Hour)
		h.away(ledgerKept+time.Hour, func() { h.outage(1, 5) })
		h.wantScope()
		h.once(0, 6)
	})
}

// Logs are written when an attempt ended, and by several at once.
func TestWhatWasLoggedLateIsFetched(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 1) })
		h.after(time.Hour)
		h.outage(1, 1)
		h.plan.log.change(func() { h.plan.log.attempts[1].At = h.plan.log.attempts[0].At.Add(-10 * time.Minute) })
		h.after(11 * time.Minute)
		h.once(0, 2)
	})
}

// What a webhook failed to tell before there was a hookd is read by the first
// fill.
func TestAFirstStartFetchesNothingOfOld(t *testing.T) {
	pl, w := logging(), small()
	pl.log.sent("g1000", w.create("1000", "app-1000", "2"), false)
	pl.log.attempts[0].At = time.Date(1999, 12, 31, 22, 0, 0, 0, time.UTC) // a bubble's time begins two hours later
	inBubble(t, w, pl, func(h *house) {
		h.after(time.Hour)
		if seen := h.journalled(); len(seen) != 0 {
			t.Errorf("the journal has %v", seen)
		}
		h.agree(everybody...)
	})
}

// Whoever has a journal and no watermark was upgraded, or has just got a token
// that may read webhooks: the log is read from where the journal begins.
func TestTheFirstReadingBeginsWithTheJournal(t *testing.T) {
	pl := logging()
	pl.readings = 0
	inBubble(t, small(), pl, func(h *house) {
		h.outage(0, 1) // before the journal begins: the first fill's business
		h.after(time.Hour)
		h.hear(providers.EffectRepo, h.world.repos["41"].Repo)
		h.after(time.Minute)
		h.plan.readings = 10 * time.Minute
		h.away(time.Hour, func() { h.outage(1, 3) })
		if seen := h.journalled(); len(seen) != 4 || seen["g1000"] != 0 || seen["g1003"] != 1 {
			t.Errorf("the journal has %v", seen)
		}
	})
}

// A hook that nothing was sent to for long is not one we were away from.
func TestAQuietWebhookIsNoGap(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 1) })
		h.after(2 * ledgerKept)
		h.away(time.Hour, func() { h.outage(1, 1) })
		h.once(0, 2)
		h.wantScope()
	})
}

func TestWhatTheLogDoesNotHoldIsReadFromTheForge(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.away(time.Hour, func() {
			h.outage(0, 3)
			h.plan.log.lost["g1001"] = true
		})
		if seen := h.journalled(); len(seen) != 2 || seen["g1001"] != 0 {
			t.Errorf("the journal has %v", seen)
		}
		h.wantScope("the log does not hold the payload of 1")
		h.after(2 * time.Minute)
		h.agree(everybody...)
	})
}

// GitLab stops sending after some failures, and does not log what it did not
// send.
func TestAForgeThatGaveUpIsNotBelievedToHaveLoggedAll(t *testing.T) {
	pl := logging()
	pl.log.givesUp = 4
	inBubble(t, small(), pl, func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 3) })
		h.wantScope() // three it still bears
		h.away(time.Hour, func() {
			h.outage(3, 1)
			h.world.create("60", "silent", "2") // sent to nobody
		})
		h.wantScope("after 4 failures")
		h.after(2 * time.Minute)
		h.agree(everybody...)
	})
}

// What happened before a forge that gave up sends again was told to nobody.
func TestAForgeThatSendsAgainLeavesAGap(t *testing.T) {
	pl := logging()
	pl.log.givesUp = 4
	inBubble(t, small(), pl, func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 5) })
		h.wantScope("after 4 failures")
		before := h.passes()
		h.after(time.Hour)
		if n := h.passes(); n != before {
			t.Errorf("%d passes without a reason", n-before)
		}
		h.plan.log.sent("g2000", h.world.create("2000", "told", "2"), true)
		h.after(12 * time.Minute)
		if n := h.passes(); n != before+1 {
			t.Errorf("%d passes after it sends again", n-before)
		}
	})
}

func TestAWebhookThatWasOffLeavesAGap(t *testing.T) {
	pl := logging()
	pl.log.off = "switched off"
	inBubble(t, small(), pl, func(h *house) {
		h.world.create("60", "silent", "2")
		h.after(30 * time.Minute)
		h.wantScope()
		h.plan.log.change(func() { h.plan.log.off = "" })
		h.after(12 * time.Minute)
		h.wantScope("switched off for a while")
		h.after(time.Minute)
		h.agree(everybody...)
	})
}

func TestAnotherWebhookLeavesAGap(t *testing.T) {
	inBubble(t, small(), logging(), func(h *house) {
		h.world.create("60", "silent", "2")
		h.plan.log.change(func() { h.plan.log.hook = "8" })
		h.after(12 * time.Minute)
		h.wantScope("another than before")
		h.after(time.Minute)
		h.agree(everybody...)
	})
}

func TestALogWithoutTimesIsNotReadToItsEndEachTime(t *testing.T) {
	pl := logging()
	pl.log.noTimes = true
	inBubble(t, small(), pl, func(h *house) {
		h.away(time.Hour, func() { h.outage(0, 300) })
		h.once(0, 300)
		h.after(time.Hour)
		h.plan.log.change(func() { h.plan.log.read = 0 })
		h.away(time.Hour, func() { h.outage(300, 5) })
		h.once(0, 305)
		if n := h.plan.log.read; n > 2*(5+40+2) {
			t.Errorf("%d attempts were read", n)
		}
	})
}

func TestWhyALogCannotBeReadIsSaidOnce(t *testing.T) {
	pl := logging()
	var said strings.Builder
	pl.said = &said
	pl.log.hook = ""
	inBubble(t, small(), pl, func(h *house) {
		h.after(3 * time.Hour)
		if n := strings.Count(said.String(), "no webhook of acme"); n != 1 {
			t.Errorf("it was said %d times", n)
		}
		h.plan.log.change(func() { h.plan.log.hook = "7" })
		h.after(time.Hour)
		if n := strings.Count(said.String(), "can be read"); n != 1 || !strings.HasPrefix(h.note(), "true") {
			t.Errorf("that it can be read was said %d times", n)
		}
	})
}

func TestWhyALogCannotBeReadIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ledger)
		want   string
	}{
		"forbidden":       {func(l *ledger) { l.refused = &providers.ForgeError{Op: "GET /hooks", Class: providers.ErrForbidden} }, "false hookd's token may not read the webhooks of acme"},
		"not found":       {func(l *ledger) { l.refused = &providers.ForgeError{Op: "GET /hooks", Class: providers.ErrNotFound} }, "false hookd's token may not read the webhooks of acme"},
		"none":            {func(l *ledger) { l.hook = "" }, "false no webhook of acme sends to https://hookd.example.com/hooks/git"},
		"somebody else's": {func(l *ledger) { l.address = "https://other.example.com/hooks/git" }, "false no webhook of acme sends to"},
		"lacks":           {func(l *ledger) { l.lacks = "a system hook" }, "false a system hook"},
	} {
		t.Run(name, func(t *testing.T) {
			pl := logging()
			c.change(pl.log)
			inBubble(t, small(), pl, func(h *house) {
				if got := h.note(); !strings.HasPrefix(got, c.want) {
					t.Errorf("the state is %q, want %q", got, c.want)
				}
				h.after(time.Hour)
				for _, j := range h.doneRuns() {
					if j.Within.Name == "deliveries" && j.LastError != "" {
						t.Errorf("reading failed: %s", j.LastError)
					}
				}
				got, err := h.engine.Backfill(t.Context(), "git", time.Time{})
				if err != nil || len(got) != 1 || got[0].Complete || got[0].Note == "" {
					t.Errorf("asked for it: %+v, %v", got, err)
				}
			})
		})
	}
}

func TestABackfillOnRequestTellsWhatItFound(t *testing.T) {
	pl := logging()
	pl.readings = 0 // nobody reads by himself
	inBubble(t, small(), pl, func(h *house) {
		h.hear(providers.EffectRepo, h.world.repos["41"].Repo)
		for guid := range h.journalled() {
			h.plan.log.sent(guid, h.world.repos["41"].Repo, true)
		}
		h.outage(0, 250)
		h.after(time.Hour)
		since := time.Now().Add(-2 * time.Hour)
		for _, want := range []string{"251 read, 250 missed, 250 fetched, 1 known", "251 read, 0 missed, 0 fetched, 251 known"} {
			got, err := h.engine.Backfill(t.Context(), "git", since)
			if err != nil || len(got) != 1 || got[0].String() != want || !got[0].Complete {
				t.Errorf("%v, %v, want %s", got, err, want)
			}
		}
		h.after(time.Minute)
		h.agree(everybody...)
		if _, err := h.engine.Backfill(t.Context(), "git", time.Now().Add(-ledgerKept-time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.wantScope("goes back 72h0m0s only")
		if seen := h.journalled(); len(seen) != 251 {
			t.Errorf("the journal has %d deliveries", len(seen))
		}
		for i := range 250 {
			if n := h.plan.log.fetched["g"+strconv.Itoa(1000+i)]; n != 1 {
				t.Errorf("delivery %d was fetched %d times", i, n)
			}
		}
	})
}
