package bolt

import (
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// decodeJob reads the JSON of a job's record, or reports that encoding/json has
// to. What the job holds of it lives as long as the job does.
func decodeJob(data []byte) (*jobRecord, bool) {
	r, d := new(jobRecord), decoder{b: data, s: string(data)}
	d.job(r)
	return r, !d.lost && d.at == len(data)
}

func (d *decoder) job(r *jobRecord) {
	d.group(func() {
		r.ID = d.text("id")
		r.Kind = syncqueue.Kind(d.text("kind"))
		r.Key = syncqueue.Key(d.text("key"))
		r.Provider = d.text("provider")
		r.Target = d.text("target")
		r.Org = d.text("org")
		r.Subject = d.subject("subject")
		r.Within = d.subject("within")
		r.Hint = d.hint()
		r.Plan = d.plan()
		r.Lane = syncqueue.Lane(d.number("lane", 8))
		r.State = syncqueue.State(d.text("state"))
		r.Attempts = d.count("attempts")
		r.Looks = d.count("looks")
		r.NotBefore = d.time("not_before")
		r.Deadline = d.time("deadline")
		r.Failing = d.time("failing")
		r.Fresh = d.flag("fresh")
		r.Force = d.flag("force")
		r.Gentle = d.flag("gentle")
		r.LastError = d.text("last_error")
		r.Outcome = syncqueue.Result(d.text("outcome"))
		r.Note = d.text("note")
		r.Created = d.time("created_at")
		r.Finished = d.time("finished_at")
		r.Since = d.time("since")
		r.Causes = d.causes()
		d.object("again", func() {
			a := new(syncqueue.Again)
			a.Hint = d.hint()
			a.Plan = d.plan()
			a.Lane = syncqueue.Lane(d.number("lane", 8))
			a.NotBefore = d.time("not_before")
			a.Deadline = d.time("deadline")
			a.Fresh = d.flag("fresh")
			a.Force = d.flag("force")
			a.Since = d.time("since")
			a.Causes = d.causes()
			r.Again = a
		})
		r.Fence = d.number("fence", 64)
		r.Until = d.time("until")
	})
}

func (d *decoder) subject(name string) (s providers.Subject) {
	d.object(name, func() {
		s.Kind = providers.SubjectKind(d.text("kind"))
		s.ID = d.text("id")
		s.Name = d.text("name")
	})
	return s
}

func (d *decoder) hint() (h syncqueue.Hint) {
	d.object("hint", func() {
		h.Gone = d.flag("gone")
		h.New = d.flag("new")
		h.From = d.text("from")
		h.Narrowed = d.flag("narrowed")
	})
	return h
}

func (d *decoder) plan() *syncqueue.Plan {
	if !d.name("plan") {
		return nil
	}
	p := new(syncqueue.Plan)
	d.group(func() {
		if d.name("repos") {
			d.must("[")
			p.Repos = append(p.Repos, d.unquote())
			for !d.lost && d.next(",") {
				p.Repos = append(p.Repos, d.unquote())
			}
			d.must("]")
		}
		p.Done = d.count("done")
		p.Spent = d.count("spent")
		d.object("price", func() {
			p.Price.List = d.count("list")
			p.Price.Repo = d.count("repo")
			p.Price.Audience = d.count("audience")
		})
		p.Listed = d.number("listed", 64)
		p.Ends = d.time("ends")
	})
	return p
}

func (d *decoder) causes() []syncqueue.Cause {
	if !d.name("causes") {
		return nil
	}
	var room [syncqueue.MaxCauses]syncqueue.Cause
	causes := room[:0]
	d.must("[")
	for more := true; more && !d.lost; more = d.next(",") {
		var c syncqueue.Cause
		d.group(func() {
			c.Delivery = d.text("delivery")
			c.By = d.text("by")
			c.Event = d.text("event")
			c.Why = d.text("why")
			c.At = d.time("at")
		})
		causes = append(causes, c)
	}
	d.must("]")
	return slices.Clone(causes)
}
