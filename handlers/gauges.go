package handlers

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookd/hookd/syncqueue"
)

// Gauges are what the metrics read at scrape time. A nil function leaves its
// series out.
type Gauges struct {
	Stats     func(ctx context.Context) (syncqueue.Stats, error)
	Users     func() map[string]map[string]int // target -> credential -> users
	Remaining func() map[string]*int           // provider -> requests left; nil where the forge told of no limit
	Now       func() time.Time
}

// statsTimeout bounds how long a scrape waits for the store.
const statsTimeout = 2 * time.Second

var (
	descJobs      = prometheus.NewDesc("hookd_queue_jobs", "Jobs by state.", []string{"state"}, nil)
	descOldest    = prometheus.NewDesc("hookd_queue_oldest_seconds", "How long the longest overdue job has been due.", nil, nil)
	descBytes     = prometheus.NewDesc("hookd_store_bytes", "Size of the data file.", nil, nil)
	descUsers     = prometheus.NewDesc("hookd_users", "Users the CI server knows, by the state of their credential.", []string{"target", "credential"}, nil)
	descRemaining = prometheus.NewDesc("hookd_forge_rate_remaining", "Requests the forge still allows in this window; NaN where it told of no limit.", []string{"provider"}, nil)
)

// credentials are the states of a credential, as in package target.
var credentials = []string{"ok", "missing", "rejected", "unknown"}

// gaugeCollector asks when it is asked. What cannot be had now is left out: a
// gap shows that nobody knows, a zero would lie. A rate that the forge told
// nothing of is not a number, which no comparison takes for a low one.
type gaugeCollector struct{ g Gauges }

func (c gaugeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descJobs, descOldest, descBytes, descUsers, descRemaining} {
		ch <- d
	}
}

func (c gaugeCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if c.g.Stats != nil {
		ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
		defer cancel()
		if s, err := c.g.Stats(ctx); err == nil {
			for _, state := range syncqueue.States {
				gauge(descJobs, float64(s.Jobs[state]), string(state))
			}
			oldest := 0.0
			if !s.Oldest.IsZero() {
				oldest = max(0, c.g.Now().Sub(s.Oldest).Seconds())
			}
			gauge(descOldest, oldest)
			gauge(descBytes, float64(s.Bytes))
		}
	}
	if c.g.Users != nil {
		for target, states := range c.g.Users() {
			for _, state := range credentials {
				gauge(descUsers, float64(states[state]), target, state)
			}
		}
	}
	if c.g.Remaining != nil {
		for provider, n := range c.g.Remaining() {
			left := math.NaN()
			if n != nil {
				left = float64(*n)
			}
			gauge(descRemaining, left, provider)
		}
	}
}
