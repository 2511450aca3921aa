package dashboard

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hookd/hookd/storage"
)

const (
	window    = time.Hour
	maxPoints = 1500 // drawn
	maxLatest = 10   // told in words
)

// The chart's plane, in its own units: time goes right, duration up.
const (
	chartWidth, chartHeight = 1080, 220
	chartLeft, chartRight   = 56, 1072
	chartTop, chartBottom   = 10, 192
)

// timesView is how long additions took from their delivery to showing.
type timesView struct {
	Count         int
	P50, P95, P99 string
	Chart         *chart // nil if there is nothing to draw
	Latest        []timeRow
}

type timeRow struct {
	At                 moment
	Took               string
	Repo, User, Target string
	Why                string // where it is explained, "" if nowhere
}

// A chart is drawn by the template; the numbers here are places on its plane.
type chart struct {
	Width, Height, Left, Right, Top, Bottom int

	Points []point
	Hidden int // older points that are not drawn
	Rows   []tick
	Times  []tick
	Lines  []tick // percentiles
}

type point struct {
	X, Y  int
	Title string
}

type tick struct {
	At    int
	Label string
}

func (p *page) times(ctx context.Context, _ filter, v *overview) error {
	now := p.Now()
	shown, err := p.Visibles.Visible(ctx, now.Add(-window))
	if err != nil {
		return err
	}
	shown = storage.Announced(shown)
	took := storage.Took(shown)
	if len(took) == 0 {
		return nil
	}
	p50, _ := storage.Percentile(took, .50)
	p95, _ := storage.Percentile(took, .95)
	p99, _ := storage.Percentile(took, .99)
	t := timesView{Count: len(took), P50: seconds(p50), P95: seconds(p95), P99: seconds(p99)}
	for _, s := range slices.Backward(shown[max(0, len(shown)-maxLatest):]) {
		t.Latest = append(t.Latest, timeRow{at(s.At, now), seconds(s.Took()), clip(s.Repo), clip(s.User), clip(s.Target), whyLink(s.Provider, s.UserID, s.RepoID)})
	}
	t.Chart = draw(shown, took[len(took)-1], now)
	t.Chart.Lines = []tick{{t.Chart.height(p50), "p50"}, {t.Chart.height(p95), "p95"}}
	v.Times = t
	return nil
}

// scale are the durations that the chart may have lines for. It is
// logarithmic: one change that took minutes must not press all the others that
// took a second into the ground.
var scale = []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// draw places what was shown in the last hour, the longest of which took most.
func draw(shown []storage.Visible, most time.Duration, now time.Time) *chart {
	c := &chart{Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartRight, Top: chartTop, Bottom: chartBottom}
	rows := 2
	for rows < len(scale)-1 && scale[rows] < most {
		rows++
	}
	for _, d := range scale[:rows+1] {
		c.Rows = append(c.Rows, tick{Label: label(d)})
	}
	for i := range c.Rows {
		c.Rows[i].At = c.height(scale[i])
	}
	for i := range 5 {
		back := window - time.Duration(i)*window/4
		t := tick{At: chartLeft + i*(chartRight-chartLeft)/4, Label: "now"}
		if back > 0 {
			t.Label = fmt.Sprintf("%d min ago", back/time.Minute)
		}
		c.Times = append(c.Times, t)
	}
	taken := map[point]bool{}
	for i, s := range slices.Backward(shown) {
		if len(c.Points) == maxPoints {
			c.Hidden = i + 1
			break
		}
		at := point{X: c.across(now.Sub(s.At)), Y: c.height(s.Took())}
		if taken[at] {
			continue // it would hide the one that is there
		}
		taken[at] = true
		at.Title = clip(s.Repo) + " for " + clip(s.User) + " in " + clip(s.Target) + ": " + seconds(s.Took())
		c.Points = append(c.Points, at)
	}
	return c
}

func (c *chart) across(ago time.Duration) int {
	share := 1 - float64(ago)/float64(window)
	return chartLeft + int(math.Round(min(max(share, 0), 1)*(chartRight-chartLeft)))
}

func (c *chart) height(took time.Duration) int {
	low, high := math.Log(scale[0].Seconds()), math.Log(scale[len(c.Rows)-1].Seconds())
	share := (math.Log(max(took, scale[0]).Seconds()) - low) / (high - low)
	return chartBottom - int(math.Round(min(share, 1)*(chartBottom-chartTop)))
}

// label writes a duration of the scale.
func label(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%g s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d h", d/time.Hour)
}
