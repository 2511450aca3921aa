package providerstest

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
)

// RunCoverage examines what a driver declares about how its changes are heard
// of: each table is sound, and each announcement in it is one that the driver
// reads in that way from one of the deliveries, which are those that belong to
// the hook of a table.
func RunCoverage(t *testing.T, kind []providers.Coverage, h providers.Hook, deliveries func(providers.Coverage) []providers.Delivery) {
	if len(kind) == 0 {
		t.Fatal("nothing is declared")
	}
	for i, c := range kind {
		t.Run(string(c.Hook), func(t *testing.T) {
			if c.Hook == "" || c.Header == "" || len(c.Values) == 0 {
				t.Error("its deliveries cannot be told from others")
			}
			for _, v := range c.Values {
				header := http.Header{}
				header.Set(c.Header, v)
				if got, seen := providers.CoverageOf(kind, header); got.Hook != c.Hook || !seen {
					t.Errorf("%s: %s counts as %s", c.Header, v, got.Hook)
				}
			}
			// An ordinary installation is not worse off for having more hooks.
			if i > 0 && len(c.Rows) < len(kind[0].Rows) {
				t.Error("it knows fewer changes than the hook that tells least")
			}
			announced := announcements(t, h, deliveries(c))
			for n, row := range c.Rows {
				if !slices.Contains(providers.Changes(), row.Change) {
					t.Errorf("%s is not in the vocabulary", row.Change)
				}
				if slices.ContainsFunc(c.Rows[:n], func(other providers.Heard) bool { return other.Change == row.Change }) {
					t.Errorf("%s is there twice", row.Change)
				}
				sound(t, row)
				for _, e := range row.Events {
					if !slices.Contains(announced[e], row.Effect) {
						t.Errorf("%s: no payload of %s means %q; they mean %q", row.Change, e, row.Effect, announced[e])
					}
				}
			}
		})
	}
}

// sound checks that a row says what its means need and nothing else.
func sound(t *testing.T, row providers.Heard) {
	event, polled := row.By == providers.ByEvent, row.By == providers.ByPoll
	if known := event || polled || row.By == providers.ByTimer || row.By == providers.Reconciled; !known {
		t.Errorf("%s: by %q", row.Change, row.By)
	}
	if event != (len(row.Events) > 0) || event != (row.Effect != providers.EffectNone) {
		t.Errorf("%s is %s with events %q meaning %q", row.Change, row.By, row.Events, row.Effect)
	}
	if polled != (row.Poll == providers.PollMembers || row.Poll == providers.PollRepos) || (!polled && row.Poll != "") {
		t.Errorf("%s is %s with poll %q", row.Change, row.By, row.Poll)
	}
}

// announcements reads what each event may mean, by its name.
func announcements(t *testing.T, h providers.Hook, deliveries []providers.Delivery) map[string][]providers.Effect {
	all := map[string][]providers.Effect{}
	for _, d := range deliveries {
		e, err := h.Parse(d)
		var ignored *providers.Ignored
		switch {
		case errors.As(err, &ignored):
		case err != nil:
			t.Errorf("%s: %v", e.Name, err)
		default:
			all[e.Name] = append(all[e.Name], e.Effect)
		}
	}
	return all
}
