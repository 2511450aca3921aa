package bolt

import (
	"maps"
	"net/http"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func (e *encoder) job(r *jobRecord) {
	e.group(func() {
		e.text("id", r.ID)
		e.text("kind", string(r.Kind))
		e.text("key", string(r.Key))
		e.text("provider", r.Provider)
		e.textIf("target", r.Target)
		e.textIf("org", r.Org)
		e.subject("subject", r.Subject)
		if r.Within != (providers.Subject{}) {
			e.subject("within", r.Within)
		}
		e.hintIf(r.Hint)
		e.planIf(r.Plan)
		e.count("lane", int(r.Lane))
		e.text("state", string(r.State))
		e.count("attempts", r.Attempts)
		if r.Looks != 0 {
			e.count("looks", r.Looks)
		}
		e.time("not_before", r.NotBefore)
		e.timeIf("deadline", r.Deadline)
		e.timeIf("failing", r.Failing)
		e.flagIf("fresh", r.Fresh)
		e.flagIf("force", r.Force)
		e.flagIf("gentle", r.Gentle)
		e.text("last_error", r.LastError)
		e.textIf("outcome", string(r.Outcome))
		e.textIf("note", r.Note)
		e.time("created_at", r.Created)
		e.timeIf("finished_at", r.Finished)
		e.timeIf("since", r.Since)
		e.causesIf(r.Causes)
		if a := r.Again; a != nil {
			e.object("again", func() {
				e.hintIf(a.Hint)
				e.planIf(a.Plan)
				e.count("lane", int(a.Lane))
				e.time("not_before", a.NotBefore)
				e.timeIf("deadline", a.Deadline)
				e.flagIf("fresh", a.Fresh)
				e.flagIf("force", a.Force)
				e.timeIf("since", a.Since)
				e.causesIf(a.Causes)
			})
		}
		if r.Fence != 0 {
			e.number("fence", r.Fence)
		}
		e.timeIf("until", r.Until)
	})
}

func (e *encoder) subject(name string, s providers.Subject) {
	e.object(name, func() {
		e.text("kind", string(s.Kind))
		e.text("id", s.ID)
		e.textIf("name", s.Name)
	})
}

func (e *encoder) hintIf(h syncqueue.Hint) {
	if h == (syncqueue.Hint{}) {
		return
	}
	e.object("hint", func() {
		e.flagIf("gone", h.Gone)
		e.flagIf("new", h.New)
		e.textIf("from", h.From)
		e.flagIf("narrowed", h.Narrowed)
	})
}

func (e *encoder) planIf(p *syncqueue.Plan) {
	if p == nil {
		return
	}
	e.object("plan", func() {
		if len(p.Repos) > 0 {
			e.name("repos")
			for i, id := range p.Repos {
				e.b = append(e.b, "[,"[min(i, 1)])
				e.quote(id)
			}
			e.b = append(e.b, ']')
		}
		e.count("done", p.Done)
		e.count("spent", p.Spent)
		e.object("price", func() {
			e.count("list", p.Price.List)
			e.count("repo", p.Price.Repo)
			e.count("audience", p.Price.Audience)
		})
		if p.Listed != 0 {
			e.number("listed", p.Listed)
		}
		e.timeIf("ends", p.Ends)
	})
}

func (e *encoder) causesIf(causes []syncqueue.Cause) {
	if len(causes) == 0 {
		return
	}
	e.name("causes")
	for i, c := range causes {
		e.b = append(e.b, "[,"[min(i, 1)])
		e.group(func() {
			e.textIf("delivery", c.Delivery)
			e.textIf("by", c.By)
			e.textIf("event", c.Event)
			e.textIf("why", c.Why)
			e.time("at", c.At)
		})
	}
	e.b = append(e.b, ']')
}

func (e *encoder) delivery(d *deliveryRecord) {
	e.group(func() {
		e.object("Delivery", func() {
			e.text("ID", d.Delivery.ID)
			e.text("Provider", d.Delivery.Provider)
			e.text("GUID", d.Delivery.GUID)
			e.name("Header")
			e.header(d.Delivery.Header)
			e.name("Body")
			e.b = append(e.b, "null"...)
			e.count("Secret", d.Delivery.Secret)
			e.time("Received", d.Delivery.Received)
			e.timeIf("Sent", d.Delivery.Sent)
		})
		e.event(&d.Event)
		e.text("Result", string(d.Result))
		e.text("Reason", d.Reason)
		e.count("Size", d.Size)
	})
}

func (e *encoder) event(v *providers.Event) {
	e.object("Event", func() {
		e.text("name", v.Name)
		if r := v.Repo; r != nil {
			e.object("repo", func() {
				e.text("id", r.ID)
				e.textIf("path", r.Path)
				e.orgIf(r.Org)
				e.textIf("visibility", string(r.Visibility))
				e.flagIf("archived", r.Archived)
				e.flagIf("fork", r.Fork)
				e.timeIf("created", r.Created)
			})
		}
		e.orgIf(v.Org)
		if v.Team != nil {
			e.object("team", func() {
				e.text("id", v.Team.ID)
				e.textIf("name", v.Team.Name)
			})
		}
		if v.User != nil {
			e.user("user", *v.User)
		}
		if v.Sender != (providers.User{}) {
			e.user("sender", v.Sender)
		}
		e.textIf("from", v.From)
		e.textIf("effect", string(v.Effect))
		e.textIf("detail", v.Detail)
	})
}

func (e *encoder) orgIf(o providers.Org) {
	if o == (providers.Org{}) {
		return
	}
	e.object("org", func() {
		e.text("id", o.ID)
		e.textIf("name", o.Name)
		e.flagIf("personal", o.Personal)
	})
}

func (e *encoder) user(name string, u providers.User) {
	e.object(name, func() {
		e.text("id", u.ID)
		e.textIf("login", u.Login)
	})
}

func (e *encoder) header(h http.Header) {
	if h == nil {
		e.b = append(e.b, "null"...)
		return
	}
	var room [16]string
	names := slices.AppendSeq(room[:0], maps.Keys(h))
	slices.Sort(names)
	e.group(func() {
		for _, name := range names {
			if e.b[len(e.b)-1] != '{' {
				e.b = append(e.b, ',')
			}
			e.quote(name)
			e.b = append(e.b, ':')
			values := h[name]
			if values == nil {
				e.b = append(e.b, "null"...)
				continue
			}
			e.b = append(e.b, '[')
			for i, v := range values {
				if i > 0 {
					e.b = append(e.b, ',')
				}
				e.quote(v)
			}
			e.b = append(e.b, ']')
		}
	})
}
