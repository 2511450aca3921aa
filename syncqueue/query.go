package syncqueue

import "time"

// Matches reports whether the query selects e. Since is included, Until is not.
func (q DeliveryQuery) Matches(e Entry) bool {
	return (q.Provider == "" || q.Provider == e.Delivery.Provider) &&
		(q.Event == "" || q.Event == e.Event.Name) &&
		(q.Result == "" || q.Result == e.Result) &&
		(q.Since.IsZero() || !e.Delivery.Received.Before(q.Since)) &&
		(q.Until.IsZero() || e.Delivery.Received.Before(q.Until))
}

// Matches reports whether the query selects j as it is now.
func (q JobQuery) Matches(j Job, now time.Time) bool {
	return (q.State == "" || q.State == j.StateAt(now)) &&
		(q.Kind == "" || q.Kind == j.Kind) &&
		(q.Provider == "" || q.Provider == j.Provider)
}
