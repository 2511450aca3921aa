package target

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestGuardHoldsWhatNobodyExplains(t *testing.T) {
	g := Guard{Percent: 50, MinRepos: 20}
	for _, c := range []struct {
		have, expect, explained int
		holds                   bool
		why                     string
	}{
		{0, 0, 0, false, "nothing to lose"},
		{950, 951, 0, false, "grows"},
		{950, 0, 0, true, "empty"},
		{950, 0, 950, false, "empty, and all of it known to be lost"},
		{950, 0, 949, true, "empty, and one not explained"},
		{1, 0, 0, true, "the only one, however small the list"},
		{19, 1, 0, false, "small lists may shrink"},
		{20, 10, 0, false, "half is allowed"},
		{20, 9, 0, true, "more than half is not"},
		{20, 9, 1, false, "unless explained"},
		{1000, 400, 100, false, "what is explained does not count"},
	} {
		if got := g.Holds(c.have, c.expect, c.explained); got != c.holds {
			t.Errorf("%s: Holds(%d, %d, %d) is %v", c.why, c.have, c.expect, c.explained, got)
		}
	}
}

func TestMoreReasonsNeverHold(t *testing.T) {
	g := Guard{Percent: 50, MinRepos: 5}
	for have := range 25 {
		for expect := range 25 {
			for explained := range 25 {
				if g.Holds(have, expect, explained) {
					continue
				}
				if g.Holds(have, expect, explained+1) || g.Holds(have, expect+1, explained) {
					t.Fatalf("(%d, %d, %d) passes, but one more reason holds it", have, expect, explained)
				}
			}
		}
	}
}

func TestZeroGuardHoldsEveryUnexplainedLoss(t *testing.T) {
	for have := 1; have < 50; have++ {
		if !(Guard{}).Holds(have, have-1, 0) || (Guard{}).Holds(have, have-1, 1) {
			t.Errorf("at %d", have)
		}
	}
}

func TestHiddenAndGoneAreSettled(t *testing.T) {
	for _, c := range []struct {
		res  Result
		want bool
	}{
		{Result{}, true},
		{Result{Shown: []string{"1"}, Hidden: map[string]string{"2": "archived"}, Gone: []string{"3"}}, true},
		{Result{Missing: []string{"1"}}, false},
		{Result{Remaining: []string{"1"}}, false},
	} {
		if got := c.res.Settled(); got != c.want {
			t.Errorf("%+v: %v", c.res, got)
		}
	}
}

func TestHeldErrorTellsItsNumbers(t *testing.T) {
	err := fmt.Errorf("drone: %w", &HeldError{Have: 950, Expect: 7, Explained: 3, Reason: "the forge counts 7 of 950"})
	var held *HeldError
	if !errors.As(err, &held) {
		t.Fatal("it is not found")
	}
	for _, n := range []string{"950", "has 7", "3 losses"} {
		if !strings.Contains(err.Error(), n) {
			t.Errorf("%q does not tell %q", err, n)
		}
	}
}
