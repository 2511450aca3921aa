package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// accounts are those of a CI server that is asked to deactivate somebody.
type accounts struct {
	inactive map[string]bool
	times    map[string]int      // each was deactivated
	had      map[string][]string // what the server listed for him then
	slip     int                 // so many times a sync brings him back
	refuse   error
	busy     string // who is being synchronized by somebody else
	unheard  bool   // it does what it is asked for, and no answer comes

	hands     map[string]bool // of the inactive: whom an operator shut out
	overruled []string        // how hookd went against that
}

func (a *accounts) ready() {
	if a.times == nil {
		a.times, a.had, a.hands = map[string]int{}, map[string][]string{}, map[string]bool{}
	}
	if a.inactive == nil {
		a.inactive = map[string]bool{}
	}
}

var errUnheard = errors.New("connection reset by peer")

func (c *ci) Deactivate(_ context.Context, u providers.User, o target.Leaving) (target.Departure, error) {
	listed := c.list(u.Login)
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.accounts
	switch {
	case c.down != nil:
		return target.Departure{}, c.down
	case a.refuse != nil && !o.Dry:
		return target.Departure{}, a.refuse
	case a.busy == u.Login && !o.Dry && !a.inactive[u.Login]:
		return target.Departure{}, errors.New("another sync of this user is running")
	}
	out := target.Departure{Listed: listed, Already: a.inactive[u.Login]}
	if o.Dry || out.Already {
		return out, nil
	}
	a.ready()
	out.Tried = true
	a.inactive[u.Login] = a.slip == 0
	a.slip = max(0, a.slip-1)
	if a.times[u.Login]++; a.times[u.Login] == 1 {
		a.had[u.Login] = listed
	}
	if a.unheard {
		return target.Departure{Tried: true}, errUnheard
	}
	return out, nil
}

func (c *ci) Reactivate(_ context.Context, u providers.User) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.accounts
	switch {
	case c.down != nil:
		return c.down
	case !a.inactive[u.Login]:
		return nil
	case a.refuse != nil:
		return a.refuse
	case a.hands[u.Login]:
		a.overruled = append(a.overruled, u.Login+" was shut out by an operator, and hookd let him in")
	}
	delete(a.inactive, u.Login)
	if a.unheard {
		return errUnheard
	}
	return nil
}

// Accounts lets a sweep find who is active again.
func (c *ci) Accounts(context.Context) ([]target.Account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []target.Account
	for login := range c.shows {
		out = append(out, target.Account{Login: login, Active: !c.accounts.inactive[login]})
	}
	return out, c.down
}

// shut lists who is deactivated.
func (c *ci) shut() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for login, is := range c.accounts.inactive {
		if is {
			out = append(out, login)
		}
	}
	slices.Sort(out)
	return out
}

func (h *house) isShut(logins ...string) {
	h.t.Helper()
	if got := h.ci.shut(); !slices.Equal(got, logins) {
		h.t.Fatalf("deactivated are %v, want %v", got, logins)
	}
}

func (h *house) departure(login string) (d storage.Departure) {
	h.t.Helper()
	return departureOf(h.t, h.store.Snapshot, login)
}

// quit takes somebody out of every team, and says so.
func (h *house) quit(logins ...string) {
	h.t.Helper()
	for _, login := range logins {
		for _, team := range slices.Sorted(maps.Keys(h.world.teams)) {
			h.world.leave(team, login)
		}
		h.ask(syncqueue.MemberJob("git", providers.User{ID: "u-" + login, Login: login}, h.world.org, syncqueue.LaneRemoval, time.Now()))
	}
}

// staff is an organization of which ten people see two repositories.
func staff() *world {
	w := newWorld()
	w.team("2", "core", providers.Write)
	for i := range 10 {
		w.join("2", fmt.Sprintf("p%d", i))
	}
	w.create("41", "app", "2")
	w.create("42", "lib", "2")
	return w
}

func TestALeaverIsDeactivatedBeforeHisListIsTaken(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.quit("p1")
		h.after(10 * time.Second)
		h.isShut("p1")
		h.agree("p1", "p2")
		if had := h.ci.accounts.had["p1"]; len(had) != 2 {
			t.Errorf("the CI server listed %v when he was deactivated", had)
		}
		d := h.departure("p1")
		if d.State != storage.Deactivated || !slices.Equal(d.Listed, []string{"acme/app", "acme/lib"}) {
			t.Errorf("the record is %+v", d)
		}
		h.after(3 * time.Hour)
		if n := h.ci.accounts.times["p1"]; n != 1 {
			t.Errorf("deactivated %d times", n)
		}
	})
}

func TestOffboardingIsOffUnlessSaid(t *testing.T) {
	for _, mode := range []target.Offboarding{"", target.OffboardNever, target.OffboardReport} {
		inBubble(t, staff(), plan{offboard: mode}, func(h *house) {
			h.quit("p1")
			h.after(time.Minute)
			h.isShut()
			h.agree("p1")
			if d := h.departure("p1"); mode == target.OffboardReport && (d.State != storage.Reported || !strings.Contains(d.Note, "acme/app")) {
				t.Errorf("reported was %+v", d)
			}
		})
	}
}

func TestWhoIsStillAMemberIsNotDeactivated(t *testing.T) {
	w := staff()
	w.team("3", "empty", providers.Read)
	w.join("3", "p1")
	inBubble(t, w, plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.world.leave("2", "p1")
		h.ask(syncqueue.MemberJob("git", providers.User{ID: "u-p1", Login: "p1"}, h.world.org, syncqueue.LaneRemoval, time.Now()))
		h.after(10 * time.Second)
		h.agree("p1")
		h.isShut()
	})
}

// A name may pass to somebody else, who has nothing to do with it.
func TestWhoeverTookALeaversNameIsNotDeactivated(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.world.change(func() {
			delete(h.world.users, "u-p1")
			h.world.users["u-new"] = providers.User{ID: "u-new", Login: "p1"}
		})
		h.quit("p1")
		h.after(time.Minute)
		h.isShut()
	})
}

// The forge knows his old login no more, which is not to say that he is gone.
func TestWhoeverIsRenamedAndStillHoldsIsNotDeactivated(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.world.change(func() {
			h.world.fault = func(op string) error {
				if op == "members" {
					return &providers.ForgeError{Op: op, Status: 503, Class: providers.ErrUnavailable}
				}
				return nil
			}
		})
		h.quit("p1")
		h.after(2 * time.Second)
		h.world.change(func() {
			h.world.fault = nil
			h.world.users["u-p1"] = providers.User{ID: "u-p1", Login: "renamed"}
			h.world.repos["41"].collaborators["u-p1"] = providers.Write
		})
		h.after(time.Minute)
		h.isShut()
	})
}

func TestADeletedUserIsDeactivated(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.world.change(func() { delete(h.world.users, "u-p1") })
		h.quit("p1")
		h.after(time.Minute)
		h.isShut("p1")
	})
}

func TestALostUpdateBringsNobodyBack(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.accounts.slip = 2
		h.ci.mu.Unlock()
		h.quit("p1")
		h.after(10 * time.Second)
		h.isShut("p1")
		if n := h.ci.accounts.times["p1"]; n != 3 {
			t.Errorf("deactivated %d times, want 3", n)
		}
	})
}

func TestALeaverWithoutACredentialIsDeactivatedAllTheSame(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.keys = map[string]bool{}
		h.ci.mu.Unlock()
		h.quit("p1")
		h.after(10 * time.Second)
		h.isShut("p1")
	})
}

func TestOnlyWhomHookdDeactivatedIsLetInAgain(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.accounts.inactive = map[string]bool{"p2": true} // by hand
		h.ci.mu.Unlock()
		h.quit("p1", "p2")
		h.after(10 * time.Second)
		h.isShut("p1", "p2")
		if d := h.departure("p2"); d.State != storage.Inactive {
			t.Errorf("the record of p2 is %+v", d)
		}
		for _, login := range []string{"p1", "p2"} {
			h.world.join("2", login)
			h.ask(syncqueue.MemberJob("git", providers.User{ID: "u-" + login, Login: login}, h.world.org, syncqueue.LaneAddition, time.Now()))
		}
		h.after(10 * time.Second)
		h.agree("p1", "p2")
		h.isShut("p2")
		if d := h.departure("p1"); d.State != "" {
			t.Errorf("the record of p1 is still %+v", d)
		}
	})
}

// Access ends in any case; an operator says whether the accounts do.
func TestManyLeaversAtOnceAreHeldForAnOperator(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		h.quit("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")
		h.after(10 * time.Minute)
		h.agree("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9")
		parked := h.jobs(syncqueue.Parked)
		shut := h.ci.shut()
		if len(parked)+len(shut) != 8 || len(shut) > 5 {
			t.Fatalf("%d parked, %v deactivated", len(parked), shut)
		}
		for _, j := range parked {
			if !strings.HasPrefix(j.Note, "held: ") {
				t.Errorf("parked: %s", j.Note)
			}
		}
		h.after(30 * time.Hour)
		if now := h.ci.shut(); !slices.Equal(now, shut) {
			t.Fatalf("nobody said so, and %v are deactivated", now)
		}
		for _, j := range parked {
			if _, err := h.store.Revive(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		h.after(time.Minute)
		h.isShut("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")
	})
}

// Neither a forge that says nothing nor a CI server that refuses keeps anybody's
// access alive.
func TestTroubleWithAnAccountDoesNotKeepAccess(t *testing.T) {
	for name, trouble := range map[string]func(h *house){
		"the forge names no members":  func(h *house) { h.world.empty["members"] = true },
		"the CI server says no to it": func(h *house) { h.ci.accounts.refuse = errors.New("403") },
	} {
		inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
			h.world.change(func() { trouble(h) })
			h.quit("p1")
			h.after(time.Minute)
			if got := h.ci.list("p1"); len(got) > 0 {
				t.Errorf("%s: he still sees %v", name, got)
			}
			h.isShut()
		})
	}
}

func TestAnAccountThatCouldNotBeEndedIsEndedWhenItCan(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate}, func(h *house) {
		refuse := func(err error) {
			h.ci.mu.Lock()
			h.ci.accounts.refuse = err
			h.ci.mu.Unlock()
		}
		refuse(errors.New("500"))
		h.quit("p1")
		h.after(2 * time.Minute)
		h.agree("p1")
		h.isShut()
		refuse(nil)
		h.after(11 * time.Minute)
		h.isShut("p1")
	})
}

// Long after, an account that is active again is somebody's wish, and so is that
// it is inactive once more.
func TestWhomSomebodyLetInAgainLongAfterIsLeftAlone(t *testing.T) {
	inBubble(t, staff(), plan{offboard: target.OffboardDeactivate, reconcile: time.Hour}, func(h *house) {
		h.quit("p1")
		h.after(25 * time.Hour)
		h.isShut("p1")
		h.ci.byHand("p1", false)
		h.after(3 * time.Hour)
		h.isShut()
		if d := h.departure("p1"); d.State != storage.Exempt {
			t.Errorf("the record is %+v", d)
		}
		h.ci.byHand("p1", true)
		h.world.join("2", "p1")
		h.ask(syncqueue.MemberJob("git", providers.User{ID: "u-p1", Login: "p1"}, h.world.org, syncqueue.LaneAddition, time.Now()))
		h.after(time.Hour)
		h.agree("p1")
		h.isShut("p1")
	})
}

func departureOf(t *testing.T, snapshot func(context.Context, string) ([]byte, error), login string) (d storage.Departure) {
	t.Helper()
	b, err := snapshot(t.Context(), storage.DepartureKey("drone", "git", "u-"+login))
	if errors.Is(err, storage.ErrUnknown) {
		return d
	}
	if err == nil {
		d, err = storage.ReadDeparture(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAccessThatOutlivesItsLossIsCalledSo(t *testing.T) {
	inBubble(t, staff(), plan{}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.keys = map[string]bool{}
		h.ci.mu.Unlock()
		h.quit("p1")
		h.after(10 * time.Second)
		parked := h.jobs(syncqueue.Parked)
		if len(parked) != 1 || !strings.HasPrefix(parked[0].Note, "security: he may still see what he lost, 2: acme/app, acme/lib: ") {
			t.Errorf("parked are %+v", parked)
		}
	})
}
