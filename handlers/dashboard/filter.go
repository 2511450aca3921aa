package dashboard

import (
	"net/url"
	"slices"

	"github.com/hookd/hookd/syncqueue"
)

// A filter is what the page's address says: which deliveries, from where on,
// which one in full, and how often to load again.
type filter struct {
	Provider, Event, Result string
	Cursor                  string
	Delivery                string
	Every                   string // seconds, live, "" for never
}

var (
	results = []syncqueue.EntryResult{syncqueue.EntryAccepted, syncqueue.EntryIgnored, syncqueue.EntryPing}
	paces   = []string{live, "5", "30"}
)

// readFilter reads an address. What it does not know, and what no name is as
// long as, it leaves out: links made by others must not lead to an error.
func readFilter(q url.Values) filter {
	f := filter{
		Provider: q.Get("provider"), Event: q.Get("event"), Result: q.Get("result"),
		Cursor: q.Get("cursor"), Delivery: q.Get("delivery"), Every: q.Get("every"),
	}
	for _, v := range []*string{&f.Provider, &f.Event, &f.Cursor, &f.Delivery} {
		if len(*v) > maxText {
			*v = ""
		}
	}
	if !slices.Contains(results, syncqueue.EntryResult(f.Result)) {
		f.Result = ""
	}
	if !slices.Contains(paces, f.Every) {
		f.Every = ""
	}
	return f
}

func (f filter) query() syncqueue.DeliveryQuery {
	return syncqueue.DeliveryQuery{Provider: f.Provider, Event: f.Event, Result: syncqueue.EntryResult(f.Result)}
}

// params is the filter as the query of an address, with its "?".
func (f filter) params() string {
	q := url.Values{}
	for name, v := range map[string]string{
		"provider": f.Provider, "event": f.Event, "result": f.Result,
		"cursor": f.Cursor, "delivery": f.Delivery, "every": f.Every,
	} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func (f filter) link() string { return "/" + f.params() }

func (f filter) from(cursor string) filter { f.Cursor, f.Delivery = cursor, ""; return f }
func (f filter) of(delivery string) filter { f.Delivery = delivery; return f }
func (f filter) each(pace string) filter   { f.Every = pace; return f }
