package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// engine is what both engines are.
type engine interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Console
	storage.Catalogue
	storage.Visibles
	storage.Maintainer
}

// A player plays histories on one engine.
type player struct {
	engine
	now    func() time.Time
	leases []syncqueue.Lease
	fences []uint64
}

// An answer is what a step returned, with ids replaced by what is the same in
// both engines.
type answer struct {
	Receipt syncqueue.Receipt
	IDs     int
	Lease   syncqueue.Lease
	Job     syncqueue.Job
	Applied storage.Applied
	Swept   storage.Swept
	Err     string
}

var sentinels = []error{
	syncqueue.ErrLost, syncqueue.ErrUnknown, syncqueue.ErrAmbiguous, syncqueue.ErrBusy,
	storage.ErrUnknown, storage.ErrFull, context.DeadlineExceeded,
}

func class(err error) string {
	for _, s := range sentinels {
		if errors.Is(err, s) {
			return s.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// unnamed replaces a job's id, which every engine draws for itself.
func unnamed(j syncqueue.Job) syncqueue.Job {
	if j.ID != "" {
		j.ID = fmt.Sprint(j.Key, " of ", j.Created.UnixNano())
	}
	return j
}

var (
	orgs  = []providers.Org{{ID: "5", Name: "acme"}, {ID: "6", Name: "labs"}, {}, {ID: "7", Name: "zoo"}}
	paths = []string{"app", "lib", "App", ""}
)

func person(i int) providers.User {
	return providers.User{ID: fmt.Sprint(i), Login: []string{"ana", "li", "Omar", ""}[i]}
}

func repository(i, label int) providers.Repo {
	r := providers.Repo{ID: fmt.Sprint(40 + i), Org: orgs[i%2]}
	if name := paths[(i+label)%4]; name != "" {
		r.Path, r.Archived = r.Org.Name+"/"+name, label == 3
		r.Visibility = []providers.Visibility{providers.Private, providers.Public, "", providers.Internal}[label]
	}
	return r
}

func (p *player) job(s step, i int) syncqueue.Job {
	now := p.now()
	var j syncqueue.Job
	switch (s.A + i) % 4 {
	case 0, 1:
		j = syncqueue.RepoJob("git", repository(s.B, s.C), syncqueue.Lane(s.C), now)
	case 2:
		j = syncqueue.UserJob("git", person(s.B), syncqueue.Lane(s.C), now)
		j.Org = orgs[s.B].ID
	case 3:
		j = syncqueue.PollJob("git", "members", orgs[s.B], now)
	}
	j.NotBefore = now.Add(time.Duration(s.C) * time.Second)
	if s.A == 1 {
		j.Deadline = now.Add(5 * time.Second)
	}
	j.Hint.New = s.A == 2
	return j
}

// play takes one step. id is that of a delivery that may be pushed.
func (p *player) play(ctx context.Context, s step, id string) (a answer) {
	now := p.now()
	var err error
	switch s.Op {
	case "push":
		e := syncqueue.Entry{
			Delivery: providers.Delivery{ID: id, Provider: "git", GUID: fmt.Sprint(s.A, s.B), Body: []byte(id), Received: now},
			Event:    providers.Event{Name: "repository.created"}, Result: syncqueue.EntryAccepted,
		}
		var jobs []syncqueue.Job
		for i := range s.C {
			j := p.job(s, i)
			j.Since, j.Causes = now, []syncqueue.Cause{syncqueue.CauseOf(e.Delivery, e.Event)}
			jobs = append(jobs, j)
		}
		a.Receipt, err = p.Push(ctx, e, jobs...)
	case "enqueue":
		var ids []string
		ids, err = p.Enqueue(ctx, syncqueue.Cause{By: "poll", At: now}, p.job(s, 0), p.job(s, 1))
		a.IDs = len(ids)
	case "lease":
		f := syncqueue.Filter{}
		if s.A == 1 {
			f.Kinds = []syncqueue.Kind{syncqueue.KindRepo, syncqueue.KindPublish}
		}
		if s.B == 1 {
			f.Held = []syncqueue.Hold{{Provider: "git", Org: orgs[s.C].ID, From: syncqueue.Lane(s.A)}}
		}
		f.Urgent, f.Idle = s.B == 2, s.B == 3
		switch s.C {
		case 1:
			f.Peers = []syncqueue.Peer{{Provider: "git"}}
		case 2:
			f.Not = []syncqueue.Peer{{Target: "drone"}}
		}
		short, cancel := context.WithTimeout(ctx, time.Nanosecond)
		defer cancel()
		a.Lease, err = p.Lease(short, time.Minute, f)
		if err == nil {
			p.leases, p.fences = append(p.leases, a.Lease), append(p.fences, a.Lease.Fence)
		}
		a.Lease.Job = unnamed(a.Lease.Job)
	case "revive", "drop":
		jobs, _, _ := p.Jobs(ctx, syncqueue.JobQuery{}, "", 100)
		if len(jobs) == 0 {
			return a
		}
		j := jobs[s.A*7%len(jobs)]
		if s.Op == "drop" {
			err = p.Drop(ctx, j.ID)
			break
		}
		a.Job, err = p.Revive(ctx, j.ID)
		a.Job = unnamed(a.Job)
	case "pause":
		err = p.Pause(ctx, s.A == 0)
	case "maintain":
		a.Swept, err = p.Maintain(ctx, now)
	default:
		if len(p.leases) == 0 {
			return a
		}
		i := s.A % len(p.leases)
		l := p.leases[i]
		if s.B != 3 && s.Op != "extend" {
			p.leases = slices.Delete(p.leases, i, i+1) // else a stale one is used again
		}
		a, err = p.end(ctx, s, l, now)
	}
	a.Err = class(err)
	return a
}

// end ends a lease in the way that the step names.
func (p *player) end(ctx context.Context, s step, l syncqueue.Lease, now time.Time) (a answer, err error) {
	o := syncqueue.Outcome{Note: fmt.Sprint("note ", s.C)}
	switch s.Op {
	case "extend":
		a.Lease, err = p.Extend(ctx, l, time.Duration(s.C+1)*time.Minute)
		a.Lease.Job = unnamed(a.Lease.Job)
		return a, err
	case "retry":
		return a, p.Retry(ctx, l, now.Add(time.Duration(s.C)*time.Second), errors.New("broken"))
	case "release":
		return a, p.Retry(ctx, l, now, syncqueue.ErrReleased)
	case "bury":
		return a, p.Bury(ctx, l, errors.New("broken"))
	case "again":
		o.Result, o.Next = syncqueue.ResultAgain, now.Add(time.Duration(s.C)*time.Second)
	case "park":
		o.Result = syncqueue.ResultParked
	case "recur":
		o.Next = now.Add(time.Duration(s.C+1) * time.Second)
	case "confirm":
		o.Confirm = p.confirm(ctx, s)
	}
	if s.Change != nil {
		o.Change = p.change(*s.Change)
		o.Publish = []string{"drone", "woodpecker"}[:1+s.C%2]
	}
	if s.C == 2 {
		o.Follow = []syncqueue.Job{p.job(s, 1)}
	}
	a.Applied, err = p.Complete(ctx, l, o)
	return a, err
}

func (p *player) confirm(ctx context.Context, s step) *storage.Confirm {
	h, _ := p.Holdings(ctx, "git", person(s.C).ID)
	f := &storage.Confirm{
		Target: "drone", Provider: "git", User: person(s.C).ID,
		Version: h.Version - min(h.Version, uint64(s.B/3)), Done: s.B < 2, Note: fmt.Sprint("note ", s.B),
	}
	for _, r := range s.Shown {
		id := repository(r, 0).ID
		switch s.B {
		case 0, 1, 3:
			f.Shown, f.Gone = append(f.Shown, id), append(f.Gone, id)
		case 2:
			f.Hidden = map[string]string{id: "archived"}
		}
	}
	return f
}

func (p *player) change(c change) *storage.Change {
	out := &storage.Change{Provider: "git"}
	if n := len(p.fences); c.Read > 0 && n > c.Read {
		out.Read = p.fences[n-c.Read]
	}
	perm := providers.Permission(c.Permission)
	switch c.Kind {
	case "audience":
		a := storage.Audience{Repo: repository(c.Repo, c.Label)}
		for _, u := range c.Users {
			a.Users = append(a.Users, storage.Member{User: person(u), Permission: max(perm, providers.Read)})
		}
		out.Audiences = append(out.Audiences, a)
	case "list":
		l := storage.List{User: person(c.User)}
		for _, r := range c.Repos {
			l.Repos = append(l.Repos, providers.Access{Repo: repository(r, c.Label), Permission: max(perm, providers.Read)})
		}
		out.Lists = append(out.Lists, l)
	case "cells":
		for _, r := range c.Repos {
			out.Cells = append(out.Cells, providers.Access{User: person(c.User), Repo: repository(r, c.Label), Permission: perm})
		}
	case "gone":
		out.Gone = []string{repository(c.Repo, 0).ID}
	case "relabel":
		out.Repos = []providers.Repo{repository(c.Repo, c.Label)}
		out.Users = []providers.User{{ID: fmt.Sprint(c.User), Login: []string{"ana", "li", "Omar", "eve"}[c.Label]}}
		out.Snapshots = map[string][]byte{"org": {byte(c.Label)}}
		if c.Label == 0 {
			out.Snapshots["org"] = nil
		}
	}
	return out
}

// dump reads everything.
func (p *player) dump(ctx context.Context) map[string]any {
	out := map[string]any{}
	note := func(key string, v any, err error) {
		out[key] = v
		if jobs, ok := v.([]syncqueue.Job); ok {
			for i := range jobs {
				jobs[i] = unnamed(jobs[i])
			}
		}
		if err != nil {
			out[key] = class(err)
		}
	}
	records, _, err := p.Deliveries(ctx, syncqueue.DeliveryQuery{}, "", 500)
	note("deliveries", records, err)
	for _, r := range records {
		jobs, err := p.JobsOf(ctx, r.Delivery.ID)
		note("jobs of "+r.Delivery.ID, jobs, err)
		d, err := p.Body(ctx, r.Delivery.ID)
		note("body of "+r.Delivery.ID, d, err)
	}
	for _, state := range append([]syncqueue.State{""}, syncqueue.States...) {
		jobs, _, err := p.Jobs(ctx, syncqueue.JobQuery{State: state}, "", 500)
		note("jobs "+string(state), jobs, err)
	}
	stats, err := p.Stats(ctx)
	note("stats", stats, err)
	users, _, err := p.Users(ctx, storage.UserQuery{}, "", 100)
	note("users", users, err)
	behind, _, err := p.Users(ctx, storage.UserQuery{Behind: "drone", CheckedBefore: p.now()}, "", 100)
	note("behind", behind, err)
	repos, _, err := p.Repos(ctx, storage.RepoQuery{}, "", 100)
	note("repos", repos, err)
	for i := range 4 {
		h, err := p.Holdings(ctx, "git", person(i).ID)
		note("holdings of "+person(i).ID, h, err)
		u, err := p.UserByLogin(ctx, "git", person(i).Login)
		note("user "+person(i).Login, u, err)
		c, err := p.Repo(ctx, "git", repository(i, 0).ID)
		note("column of "+repository(i, 0).ID, c, err)
		c, err = p.RepoByPath(ctx, "git", "acme/"+paths[i])
		note("path "+paths[i], c, err)
	}
	snapshot, err := p.Snapshot(ctx, "org")
	note("snapshot", snapshot, err)
	visible, err := p.Visible(ctx, time.Time{})
	note("visible", visible, err)
	return out
}
