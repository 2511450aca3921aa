package reconcile

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// people are n users who were last looked at in order of their numbers, a step
// apart, the last of them so long before noon.
func people(n int, step, last time.Duration) []storage.UserRow {
	out := make([]storage.UserRow, n)
	for i := range out {
		out[n-1-i] = storage.UserRow{
			User:    providers.User{ID: fmt.Sprint(i), Login: fmt.Sprint("user-", i)},
			Checked: noon.Add(-last - step*time.Duration(n-1-i)),
		}
	}
	return out
}

func TestLooksAreOldestFirstAndApart(t *testing.T) {
	p := paceOf(6 * time.Hour) // ticks of half an hour, five hours for all
	for name, c := range map[string]struct {
		users       []storage.UserRow
		want        int
		first, last time.Duration
	}{
		"nobody":                 {nil, 0, 0, 0},
		"looked at together":     {people(100, 0, 0), 9, 3 * time.Minute, 27 * time.Minute},
		"in the rhythm":          {people(100, 3*time.Minute, time.Minute), 10, 2 * time.Minute, 29 * time.Minute},
		"a look is late":         {people(100, 3*time.Minute, 4*time.Minute), 10, 0, 27 * time.Minute},
		"a few":                  {people(2, time.Hour, time.Minute), 0, 0, 0},
		"a few, and one is next": {people(2, 2*time.Hour, 2*time.Hour+20*time.Minute), 1, 10 * time.Minute, 10 * time.Minute},
		"all are overdue":        {people(100, 0, 24*time.Hour), 100, 0, 30*time.Minute - 18*time.Second},
		"all would be overdue":   {people(60, 0, 5*time.Hour+time.Second), 60, 0, 30*time.Minute - 30*time.Second},
		"never":                  {[]storage.UserRow{{}, {}, {}}, 3, 0, 200 * time.Millisecond},
	} {
		got := p.looks(c.users, noon)
		if len(got) != c.want {
			t.Errorf("%s: %d looks, want %d", name, len(got), c.want)
			continue
		}
		for i := range got {
			if i > 0 && (got[i].Checked.Before(got[i-1].Checked) || got[i].wait < got[i-1].wait) {
				t.Errorf("%s: %s is out of turn", name, got[i].User.Login)
			}
		}
		if n := len(got); n > 0 && (got[0].wait != c.first || got[n-1].wait != c.last) {
			t.Errorf("%s: from %s to %s, want %s to %s", name, got[0].wait, got[n-1].wait, c.first, c.last)
		}
	}
}

func TestWhoWasNeverLookedAtDoesNotWaitForThePace(t *testing.T) {
	users := append(people(10, time.Minute, time.Minute), storage.UserRow{User: providers.User{ID: "new"}})
	got := paceOf(6*time.Hour).looks(users, noon)
	if len(got) == 0 || got[0].User.ID != "new" || got[0].wait != 0 {
		t.Errorf("%+v", got)
	}
}
