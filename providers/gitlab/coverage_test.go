package gitlab_test

import (
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

// A group's hook and a system hook say the same in deliveries of their own.
func TestWhatIsCoveredByEventsIsReadFromThem(t *testing.T) {
	providerstest.RunCoverage(t, gitlab.Coverage(), newHook(t, secret), func(c providers.Coverage) (own []providers.Delivery) {
		for _, d := range payloads(t) {
			if slices.Contains(c.Values, d.Header.Get(c.Header)) {
				own = append(own, d)
			}
		}
		return own
	})
}
