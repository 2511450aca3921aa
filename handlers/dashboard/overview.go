package dashboard

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// overview is everything the page says.
type overview struct {
	links
	Title string
	Every string // seconds to the next load, "" for never
	Live  bool   // loads when something happened
	Path  string // the page's own address

	Name, Role string
	Acts       bool   // buttons are shown
	Form       string // what each form carries
	Notice     string

	Now       moment
	Seen      string // when this was true, for the buttons of causes
	Queue     queueView
	Plans     []planView
	Times     timesView
	Stuck     []stuckView
	Filter    filterView
	Chosen    *chosenView
	Delivered []deliveryRow
	Newest    string // addresses, "" if there is nothing
	Older     string
	People    peopleView
	Asking    whyView // the form that asks why
	Paces     []pace
}

// A pace is a link that sets how often the page loads itself.
type pace struct {
	Label, Link string
	Current     bool
}

// overview answers GET /: the form to sign in for strangers, everything for
// the others.
func (p *page) overview(w http.ResponseWriter, r *http.Request) {
	who, ok := p.visitor(r)
	if !ok {
		p.ask(w, http.StatusOK, "")
		return
	}
	f := readFilter(r.URL.Query())
	if f.Every == live && p.Events == nil {
		f.Every = ""
	}
	now := p.Now()
	v := overview{
		links: p.links, Title: "Overview", Every: f.Every, Path: f.link(),
		Name: who.name, Role: who.role, Acts: who.acts, Form: who.form,
		Now: at(now, now), Seen: now.UTC().Format(time.RFC3339Nano), Paces: p.pacesOf(f), Asking: whyView{Providers: p.Providers},
	}
	if v.Live = f.Every == live; v.Live {
		v.Every = ""
		w.Header().Set("Content-Security-Policy", livePolicy)
	}
	for _, part := range []func(context.Context, filter, *overview) error{
		p.queue, p.plans, p.times, p.stuckJobs, p.deliveries, p.chosen, p.people,
	} {
		if err := part(r.Context(), f, &v); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	v.Notice = p.sessions.told(who.cookie)
	p.render(w, http.StatusOK, "overview", v)
}

func (p *page) pacesOf(f filter) []pace {
	out := []pace{{"off", f.each("").link(), f.Every == ""}}
	for _, s := range paces {
		label := "every " + s + " s"
		if s == live {
			label = "when something happens"
			if p.Events == nil {
				continue
			}
		}
		out = append(out, pace{label, f.each(s).link(), f.Every == s})
	}
	return out
}

// queueView is the queue in numbers.
type queueView struct {
	States []stateCount
	Oldest string
	Paused bool
	Size   string
}

type stateCount struct {
	State, Means string
	Jobs         int
	Bad          bool
}

// meanings tells what the words of the queue mean.
var meanings = map[syncqueue.State]string{
	syncqueue.Ready:   "due now",
	syncqueue.Waiting: "due later",
	syncqueue.Leased:  "running",
	syncqueue.Parked:  "wait for somebody",
	syncqueue.Dead:    "given up",
	syncqueue.Done:    "ended",
}

func (p *page) queue(ctx context.Context, _ filter, v *overview) error {
	s, err := p.Console.Stats(ctx)
	if err != nil {
		return err
	}
	v.Queue = queueView{Paused: s.Paused, Size: size(s.Bytes), Oldest: "nothing is overdue"}
	if !s.Oldest.IsZero() {
		v.Queue.Oldest = "the oldest is " + coarse(max(0, p.Now().Sub(s.Oldest))) + " overdue"
	}
	for _, state := range syncqueue.States {
		v.Queue.States = append(v.Queue.States, stateCount{
			State: string(state), Means: meanings[state], Jobs: s.Jobs[state],
			Bad: slices.Contains(stuckStates, state) && s.Jobs[state] > 0,
		})
	}
	return nil
}
