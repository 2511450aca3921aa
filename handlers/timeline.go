package handlers

import (
	"slices"
	"time"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// A moment is one line of a delivery's story.
type moment struct {
	At      time.Time        `json:"at"`
	Seconds float64          `json:"seconds"` // since the delivery was received
	What    string           `json:"what"`
	Job     string           `json:"job,omitempty"`
	Kind    syncqueue.Kind   `json:"kind,omitempty"`
	Target  string           `json:"target,omitempty"`
	Repo    string           `json:"repo,omitempty"`
	User    string           `json:"user,omitempty"`
	Outcome syncqueue.Result `json:"outcome,omitempty"`
	Note    string           `json:"note,omitempty"`
}

// timeline tells a delivery's story in order of time: received, what was made
// of it, its jobs' beginnings and ends, and what began or ceased to show. A
// job older than the delivery was joined by it, and begins with it here.
func timeline(rec syncqueue.Record, jobs []syncqueue.Job, shown []storage.Visible) []moment {
	received := rec.Delivery.Received
	arrival := moment{At: received, What: "received"}
	if sent := rec.Delivery.Sent; !sent.IsZero() {
		arrival.What, arrival.Note = "fetched", "out of the forge's delivery log: it was sent "+sent.UTC().Format(time.RFC3339)+" and never arrived"
	}
	story := []moment{
		arrival,
		{At: received, What: string(rec.Result), Note: rec.Reason},
	}
	for _, j := range jobs {
		begun := j.Created
		if begun.Before(received) {
			begun = received
		}
		m := moment{At: begun, What: "job created", Job: j.ID, Kind: j.Kind, Target: j.Target}
		switch {
		case j.Target != "" || j.Kind == syncqueue.KindMember || j.Kind == syncqueue.KindUser:
			m.User = j.Subject.Name
		case j.Kind == syncqueue.KindRepo:
			m.Repo = j.Subject.Name
		}
		story = append(story, m)
		if !j.Finished.IsZero() {
			m.At, m.What, m.Outcome, m.Note = j.Finished, "job ended", j.Outcome, j.Note
			if j.State == syncqueue.Dead {
				m.Outcome, m.Note = syncqueue.ResultBuried, j.LastError
			}
			story = append(story, m)
		}
	}
	for _, v := range shown {
		if v.Provider != rec.Delivery.Provider || !v.Asked.Equal(received) {
			continue
		}
		m := moment{At: v.At, What: "visible", Target: v.Target, Repo: v.Repo, User: v.User}
		if v.Gone {
			m.What = "gone"
		}
		story = append(story, m)
	}
	for i := range story {
		story[i].Seconds = story[i].At.Sub(received).Seconds()
	}
	slices.SortStableFunc(story, func(a, b moment) int { return a.At.Compare(b.At) })
	return story
}
