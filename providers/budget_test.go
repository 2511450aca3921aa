package providers_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// A purse is a budget with a clock of its own, and a forge's with another.
type purse struct {
	*providers.Budget
	t   *testing.T
	now time.Time
	off time.Duration // of the forge's clock
}

func newPurse(t *testing.T) *purse {
	p := &purse{t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), off: 37 * time.Minute}
	p.Budget = providers.NewBudget(func() time.Time { return p.now })
	return p
}

// answer is what GitHub tells with so many requests left.
func (p *purse) answer(limit, left int, reset time.Duration) *providers.Answer {
	date := p.now.Add(p.off)
	h := http.Header{}
	h.Set("Date", date.Format(http.TimeFormat))
	h.Set("X-RateLimit-Limit", fmt.Sprint(limit))
	h.Set("X-RateLimit-Remaining", fmt.Sprint(left))
	h.Set("X-RateLimit-Reset", fmt.Sprint(date.Add(reset).Unix()))
	return providers.ReadAnswer(h, 50*time.Millisecond, p.now)
}

// ask sends one request that leaves a share alone, unless it is refused.
func (p *purse) ask(percent int, a *providers.Answer) (wait time.Duration) {
	p.t.Helper()
	at := p.Begin(providers.Leaving(context.Background(), percent), "")
	if at.IsZero() {
		p.End("", a)
		return 0
	}
	return at.Sub(p.now)
}

func (p *purse) waits(percent int, want time.Duration) {
	p.t.Helper()
	if got := p.ask(percent, nil); got != want {
		p.t.Errorf("whoever leaves %d%% waits %s, want %s", percent, got, want)
	}
}

func TestTheReserveIsLeftToRemovals(t *testing.T) {
	p := newPurse(t)
	p.waits(30, 0) // nothing is known yet
	p.ask(0, p.answer(5000, 501, 40*time.Minute))
	p.waits(providers.Reserve, 0)
	p.waits(20, 40*time.Minute)
	p.ask(0, p.answer(5000, 500, 40*time.Minute))
	p.waits(providers.Reserve, 40*time.Minute)
	p.waits(0, 0)
	p.ask(0, p.answer(5000, 0, 40*time.Minute))
	p.waits(0, 40*time.Minute)
	p.now = p.now.Add(40 * time.Minute)
	p.waits(0, 0)
	p.waits(30, 0)
}

func TestRequestsInFlightAreSpent(t *testing.T) {
	p := newPurse(t)
	p.ask(0, p.answer(10, 3, time.Hour))
	for range 3 {
		if at := p.Begin(providers.Leaving(t.Context(), 0), ""); !at.IsZero() {
			t.Fatal("refused although three are left")
		}
	}
	p.waits(0, time.Hour)
	p.End("", nil) // no answer: nobody knows whether it was counted
	p.waits(0, 0)
}

func TestAnswersThatOvertakeDoNotFillTheBudget(t *testing.T) {
	p := newPurse(t)
	p.ask(0, p.answer(100, 1, time.Hour))
	p.ask(0, p.answer(100, 2, time.Hour))
	if r, _ := p.Rate(); r.Remaining != 1 || r.Limit != 100 || r.Reserve != 10 || !r.Reset.Equal(p.now.Add(time.Hour)) {
		t.Errorf("%+v", r)
	}
	// A new window does, and an answer from the one before does not empty it.
	old := p.answer(100, 0, time.Hour)
	p.now = p.now.Add(time.Hour)
	p.ask(0, p.answer(100, 99, time.Hour))
	p.ask(0, old)
	if r, _ := p.Rate(); r.Remaining != 99 {
		t.Errorf("%+v", r)
	}
}

func TestResourcesAreCountedApart(t *testing.T) {
	p := newPurse(t)
	p.Begin(t.Context(), "graphql")
	p.End("graphql", p.answer(5000, 0, time.Hour))
	p.waits(providers.Reserve, 0)
	if at := p.Begin(t.Context(), "graphql"); !at.Equal(p.now.Add(time.Hour)) {
		t.Errorf("GraphQL may be asked from %v on", at)
	}
	if _, ok := p.Rate(); ok {
		t.Error("the limit of GraphQL passes for that of all")
	}
}

// A forge that refuses without a word is asked less and less often, as GitHub
// wants it for its secondary limits, however many were refused at once.
func TestPausesGrowUntilSomethingIsAnswered(t *testing.T) {
	p := newPurse(t)
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		for range 8 {
			if at := p.Refuse("", 0); !at.Equal(p.now.Add(want)) {
				t.Fatalf("refused until %s, want %s", at.Sub(p.now), want)
			}
		}
		p.waits(0, want)
		p.now = p.now.Add(want)
	}
	p.ask(0, p.answer(5000, 4000, time.Hour))
	if at := p.Refuse("", 0); !at.Equal(p.now.Add(time.Minute)) {
		t.Errorf("after an answer refused until %s", at.Sub(p.now))
	}
}

func TestAForgeCannotSilenceHookdForDays(t *testing.T) {
	p := newPurse(t)
	p.ask(0, p.answer(5000, 0, 1000*time.Hour))
	p.waits(0, 2*time.Hour)
	p = newPurse(t)
	p.Refuse("", 1000*time.Hour)
	p.waits(0, 2*time.Hour)
}

func TestHeadersOfALimitAreReadInEveryDialect(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	epoch := fmt.Sprint(now.Add(time.Minute).Unix())
	for name, c := range map[string]struct {
		header map[string]string
		told   bool
	}{
		"github":       {map[string]string{"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "41", "X-RateLimit-Reset": epoch}, true},
		"gitlab":       {map[string]string{"RateLimit-Limit": "60", "RateLimit-Remaining": "41", "RateLimit-Reset": epoch}, true},
		"draft":        {map[string]string{"RateLimit-Limit": "60", "RateLimit-Remaining": "41", "RateLimit-Reset": "60"}, true},
		"no end":       {map[string]string{"RateLimit-Limit": "60", "RateLimit-Remaining": "41"}, false},
		"nonsense":     {map[string]string{"RateLimit-Limit": "60", "RateLimit-Remaining": "-1", "RateLimit-Reset": epoch}, false},
		"no limit":     {map[string]string{"RateLimit-Limit": "0", "RateLimit-Remaining": "0", "RateLimit-Reset": epoch}, false},
		"nothing said": {nil, false},
	} {
		h := http.Header{}
		for k, v := range c.header {
			h.Set(k, v)
		}
		a := providers.ReadAnswer(h, 0, now)
		if a.Told != c.told || c.told && (a.Limit != 60 || a.Left != 41 || a.Reset != time.Minute) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestTheEndIsEstimatedFromPaceAndWindows(t *testing.T) {
	p := newPurse(t)
	if at := p.Ends(100, 1, 10); !at.IsZero() {
		t.Errorf("estimated %v out of nothing", at)
	}
	p.ask(0, p.answer(5000, 4500, time.Hour)) // 50 ms
	if at := p.Ends(100, 1, 10); !at.Equal(p.now.Add(5 * time.Second)) {
		t.Errorf("100 requests take %s", at.Sub(p.now))
	}
	if at := p.Ends(100, 4, 10); !at.Equal(p.now.Add(1250 * time.Millisecond)) {
		t.Errorf("100 requests take %s, four at a time", at.Sub(p.now))
	}
	// 4,000 of this window, all of the next, and half of the one after.
	if at := p.Ends(4000+4500+2250, 1, 10); !at.Equal(p.now.Add(2*time.Hour + 2250*50*time.Millisecond)) {
		t.Errorf("10,750 requests take %s", at.Sub(p.now))
	}
}
