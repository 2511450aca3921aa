package github_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestWhatIsCoveredByEventsIsReadFromThem(t *testing.T) {
	all := slices.Collect(maps.Values(payloads(t)))
	providerstest.RunCoverage(t, github.Coverage(), newHook(t, secret), func(providers.Coverage) []providers.Delivery { return all })
}
