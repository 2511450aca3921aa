package dashboard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hookd/hookd/syncqueue"
)

const (
	maxStuck = 5000 // jobs of one state that are looked through
	maxShown = 50   // jobs listed of one cause or delivery
)

// stuckStates are those a job does not leave by itself.
var stuckStates = []syncqueue.State{syncqueue.Dead, syncqueue.Parked}

// stuckView is what waits in one state, by cause, the largest first.
type stuckView struct {
	State  string
	Title  string
	Jobs   int
	More   bool // there are more than were looked through
	Causes []causeView
}

type causeView struct {
	cause
	Jobs   []jobRow // the newest
	Count  int
	Since  moment // the oldest
	Latest moment
	oldest time.Time
	newest time.Time
}

// A cause is what stuck jobs have in common.
type cause struct {
	Kind, Where string
	Text        string
	key         string
}

// Key names the cause in forms.
func (c cause) Key() string { return c.key }

// causeOf finds what j has in common with others that are stuck for the same
// reason: their messages without names, paths and numbers, but for statuses.
func causeOf(j syncqueue.Job) cause {
	text := noteOf(j)
	for _, name := range []string{j.Subject.Name, j.Within.Name} {
		if len(name) > 1 {
			text = strings.ReplaceAll(text, name, "…")
		}
	}
	words := strings.Fields(clip(text))
	for i, w := range words {
		if particular(w) {
			words[i] = "…"
		}
	}
	c := cause{Kind: string(j.Kind), Where: clip(cmp.Or(j.Target, j.Provider)), Text: strings.Join(slices.Compact(words), " ")}
	if c.Text == "" {
		c.Text = "no reason was given"
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(j.State), c.Kind, j.Target, j.Provider, c.Text}, "\x00")))
	c.key = hex.EncodeToString(sum[:12])
	return c
}

// particular reports whether a word of a message names one thing and not a
// kind of things. Three digits are a status.
func particular(word string) bool {
	word = strings.Trim(word, `.,:;()"'`)
	if strings.Contains(word, "/") {
		return true
	}
	return strings.IndexFunc(word, unicode.IsDigit) >= 0 && len(word) != 3
}

// stuck lists the newest jobs in a state.
func (p *page) stuck(ctx context.Context, state syncqueue.State) (jobs []syncqueue.Job, more bool, err error) {
	for cursor := ""; len(jobs) < maxStuck; {
		page, next, err := p.Console.Jobs(ctx, syncqueue.JobQuery{State: state}, cursor, 500)
		if err != nil {
			return nil, false, err
		}
		jobs = append(jobs, page...)
		if cursor = next; next == "" {
			return jobs, false, nil
		}
	}
	return jobs, true, nil
}

func (p *page) stuckJobs(ctx context.Context, f filter, v *overview) error {
	titles := map[syncqueue.State]string{syncqueue.Dead: "Dead letters", syncqueue.Parked: "Parked"}
	for _, state := range stuckStates {
		jobs, more, err := p.stuck(ctx, state)
		if err != nil {
			return err
		}
		v.Stuck = append(v.Stuck, stuckView{
			State: string(state), Title: titles[state], Jobs: len(jobs), More: more, Causes: byCause(jobs, f, p.Now()),
		})
	}
	return nil
}

func byCause(jobs []syncqueue.Job, f filter, now time.Time) []causeView {
	found := map[string]*causeView{}
	var order []*causeView
	for _, j := range jobs {
		c := causeOf(j)
		g := found[c.key]
		if g == nil {
			g = &causeView{cause: c}
			found[c.key] = g
			order = append(order, g)
		}
		g.Count++
		when := since(j)
		if g.oldest.IsZero() || when.Before(g.oldest) {
			g.oldest = when
		}
		if when.After(g.newest) {
			g.newest = when
		}
		if len(g.Jobs) < maxShown {
			g.Jobs = append(g.Jobs, viewJob(j, f, now))
		}
	}
	slices.SortStableFunc(order, func(a, b *causeView) int { return cmp.Compare(b.Count, a.Count) })
	out := make([]causeView, len(order))
	for i, g := range order {
		g.Since, g.Latest = at(g.oldest, now), at(g.newest, now)
		out[i] = *g
	}
	return out
}

// since is when a job got stuck; a parked one does not say, and began then at
// the earliest.
func since(j syncqueue.Job) time.Time {
	if j.Finished.IsZero() {
		return j.Created
	}
	return j.Finished
}
