package syncqueue

import (
	"context"
	"net/http"

	"github.com/hookd/hookd/providers"
)

// recent is how many deliveries tell which hooks a provider has.
const recent = 20

// Coverage says how hookd hears of a provider's changes: what its kind of forge
// declares for the most telling hook of which one of the last deliveries came.
// Seen is false as long as none tells.
func Coverage(ctx context.Context, j Journal, provider string, kind []providers.Coverage) (c providers.Coverage, seen bool, err error) {
	last, _, err := j.Deliveries(ctx, DeliveryQuery{Provider: provider}, "", recent)
	if err != nil {
		return providers.Coverage{}, false, err
	}
	headers := make([]http.Header, len(last))
	for i, d := range last {
		headers[i] = d.Delivery.Header
	}
	c, seen = providers.CoverageOf(kind, headers...)
	return c, seen, nil
}
