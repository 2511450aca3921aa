package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// move is one thing that happens to the people of an organization, their
// accounts, the CI server or hookd.
type move struct {
	what string
	who  string
	wait time.Duration
}

func drawMoves(t *rapid.T) []move {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		return move{
			what: rapid.SampledFrom([]string{
				"leaves", "leaves", "comes back", "comes back", "is shut out by an operator", "is let in by an operator",
				"is being synchronized", "the CI server refuses", "the CI server is not heard", "the CI server is down", "all is well", "hookd starts anew",
			}).Draw(t, "what"),
			who:  rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(t, "who"),
			wait: time.Duration(rapid.SampledFrom([]int{0, 0, 1, 3, 20, 90, 900}).Draw(t, "wait")) * time.Second,
		}
	}), 1, 40).Draw(t, "moves")
}

// TestWhoIsGoneEndsInactiveAndWhoIsBackIsLetIn is a model of offboarding: however
// people come and go while the CI server fails and hookd starts anew, who is
// gone ends inactive, who is there is inactive only if an operator wants that,
// and hookd never lets in whom an operator shut out.
func TestWhoIsGoneEndsInactiveAndWhoIsBackIsLetIn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moves := drawMoves(rt)
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			h := open(t, staff(), plan{offboard: target.OffboardDeactivate, reconcile: time.Hour})
			defer func() { h.stop(); h.store.Close() }()
			h.after(40 * time.Second)
			o := &office{house: h, since: map[string]bool{}}
			for _, m := range moves {
				o.make(m)
				h.after(m.wait)
			}
			o.make(move{what: "all is well"})
			h.after(3 * time.Hour)
			wrong = o.wrong()
		})
		for _, w := range wrong {
			rt.Error(w)
		}
	})
}

// An office is a house whose people come and go.
type office struct {
	*house
	since map[string]bool // whose end was on disk when hookd started, and not done
}

func (o *office) make(m move) {
	a := &o.ci.accounts
	o.ci.mu.Lock()
	switch m.what {
	case "is being synchronized":
		a.busy = m.who
	case "the CI server refuses":
		a.refuse = errors.New("500")
	case "the CI server is not heard":
		a.unheard = true
	case "the CI server is down":
		o.ci.down = errors.New("connection refused")
	case "all is well":
		a.busy, a.refuse, a.unheard, o.ci.down = "", nil, false, nil
	}
	o.ci.mu.Unlock()
	switch m.what {
	case "leaves":
		o.quit(m.who)
	case "comes back":
		o.world.join("2", m.who)
		o.ask(syncqueue.MemberJob("git", providers.User{ID: "u-" + m.who, Login: m.who}, o.world.org, syncqueue.LaneAddition, time.Now()))
	case "is shut out by an operator":
		// Who did it cannot be told if hookd started anew amid its own attempt.
		if !o.since[m.who] || o.departure(m.who).State != storage.Departing {
			o.ci.byHand(m.who, true)
		}
	case "is let in by an operator":
		if !o.away(m.who) { // else it is hookd that he argues with
			o.ci.byHand(m.who, false)
		}
	case "hookd starts anew":
		for _, p := range []string{"p1", "p2", "p3"} {
			o.since[p] = o.departure(p).State == storage.Departing
			if o.since[p] && o.ci.shutByHand(p) {
				return
			}
		}
		o.stop()
		o.start()
	}
}

func (o *office) away(login string) bool { return len(o.world.sees(login)) == 0 }

func (o *office) wrong() (wrong []string) {
	shut := o.ci.shut()
	for _, p := range []string{"p1", "p2", "p3", "p4"} {
		is, byHand := slices.Contains(shut, p), o.ci.shutByHand(p)
		switch {
		case o.away(p) && !is:
			wrong = append(wrong, p+" is gone and still active")
		case !o.away(p) && is && !byHand:
			wrong = append(wrong, p+" is back and shut out by nobody but hookd")
		}
		if want, got := o.world.sees(p), o.ci.list(p); !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("the CI server shows %s %v, the forge says %v", p, got, want))
		}
	}
	o.ci.mu.Lock()
	defer o.ci.mu.Unlock()
	return append(wrong, o.ci.accounts.overruled...)
}

// byHand is an operator who shuts somebody out, or lets him in.
func (c *ci) byHand(login string, out bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.accounts
	a.ready()
	switch {
	case !out:
		delete(a.inactive, login)
		delete(a.hands, login)
	case !a.inactive[login]:
		a.inactive[login], a.hands[login] = true, true
	}
}

func (c *ci) shutByHand(login string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accounts.hands[login]
}
