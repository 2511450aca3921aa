package storagetest

import (
	"fmt"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func versionRisesOnce(b *bench) {
	l := b.beginFor(announced("d1"))
	at := time.Now()
	time.Sleep(time.Second)
	b.end(l, list(ana, providers.Read, app, lib))
	h := b.holdings(ana)
	b.diff(h.Version, uint64(1))
	b.diff(h.Behind(drone), true)
	for _, c := range h.Cells {
		b.diff(c, storage.Cell{
			Repo: c.Repo, Permission: providers.Read, Read: l.Fence, Version: 1,
			Changed: time.Now(), Asked: at, Cause: "d1",
		})
	}
	b.apply(cells(providers.Write, ana, app))
	h = b.holdings(ana)
	b.diff(h.Version, uint64(2))
	b.diff(b.cell(ana, app).Version, uint64(2))
	b.diff(b.cell(ana, lib).Version, uint64(1))
}

func nothingNew(b *bench) {
	b.apply(list(ana, providers.Read, app, lib))
	before := b.holdings(ana)
	a := b.apply(list(ana, providers.Read, app, lib))
	b.diff(a, storage.Applied{})
	after := b.holdings(ana)
	b.diff(after.Version, before.Version)
	b.diff(after.Cells, before.Cells)
}

func cellsTellTheirCause(b *bench) {
	b.apply(cells(providers.Read, ana, app))
	b.diff(b.cell(ana, app).Cause, "sweep")
	b.diff(b.cell(ana, app).Asked.IsZero(), true)
	at := time.Now()
	b.end(b.beginFor(announced("d1")), cells(providers.None, ana, app))
	b.diff(b.cell(ana, app).Cause, "d1")
	b.diff(b.cell(ana, app).Asked, at)
}

func cellsTellWhatWasSeen(b *bench) {
	saw := func(why string) syncqueue.Lease {
		return b.beginFor(syncqueue.Cause{By: "poll", Why: why, At: time.Now()})
	}
	is := func(was providers.Permission, why string) {
		c := b.cell(ana, app)
		b.diff(c.Was, was)
		b.diff(c.Why, why)
	}
	b.end(saw("joined core"), list(ana, providers.Read, app))
	is(providers.None, "joined core")
	b.end(saw("core may write"), cells(providers.Write, ana, app))
	is(providers.Read, "core may write")
	b.end(saw("nothing new"), cells(providers.Write, ana, app))
	is(providers.Read, "core may write")
	b.end(saw("left core"), cells(providers.None, ana, app))
	is(providers.Write, "left core")
	b.apply(cells(providers.Read, ana, app))
	is(providers.None, "")
	renamed := app
	renamed.Path = "acme/application"
	b.apply(storage.Change{Repos: []providers.Repo{renamed}})
	is(providers.Read, "renamed from acme/app")
	renamed.Archived = true
	b.end(saw("put away"), storage.Change{Repos: []providers.Repo{renamed}})
	is(providers.Read, "put away")
}

func renameChangesHolders(b *bench) {
	b.apply(audience(app, providers.Read, ana, li))
	b.apply(audience(lib, providers.Read, omar))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true, Shown: []string{app.ID}})
	renamed := app
	renamed.Path = "acme/application"
	at := time.Now()
	a := b.end(b.beginFor(announced("d1")), storage.Change{Repos: []providers.Repo{renamed}})
	b.diff(a, storage.Applied{Altered: 2, Users: 2, Followed: 2})
	c := b.cell(ana, app)
	b.diff(c.Repo, renamed)
	b.diff(c.Version, uint64(2))
	b.diff(c.Shown, map[string]time.Time(nil))
	b.diff(c.Asked, at)
	b.diff(c.Cause, "d1")
	b.diff(b.holdings(omar).Version, uint64(1))
	got, err := b.RepoByPath(b.ctx, git, "acme/application")
	b.ok(err)
	b.diff(got.Repo, renamed)
	_, err = b.RepoByPath(b.ctx, git, "acme/app")
	b.is(err, storage.ErrUnknown)
}

func newOwnerKeepsShown(b *bench) {
	b.end(b.beginFor(announced("d1")), audience(app, providers.Read, ana))
	asked := b.cell(ana, app).Asked
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID}})
	time.Sleep(time.Second)
	public := app
	public.Visibility = providers.Public
	a := b.apply(storage.Change{Repos: []providers.Repo{public}})
	b.diff(a.Altered, 1)
	c := b.cell(ana, app)
	b.diff(c.Version, uint64(2))
	b.diff(len(c.Shown), 1)
	b.diff(c.Asked, asked)
	moved := public
	moved.Org = providers.Org{ID: "6", Name: "labs"}
	b.diff(b.apply(storage.Change{Repos: []providers.Repo{moved}}).Altered, 1)
	b.diff(b.apply(storage.Change{Repos: []providers.Repo{moved}}).Altered, 0)
}

func bareID(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	a := b.apply(cells(providers.Write, ana, providers.Repo{ID: app.ID}))
	b.diff(a.Altered, 1)
	b.diff(b.cell(ana, app).Repo, app)
	b.apply(cells(providers.Write, providers.User{ID: ana.ID}, app))
	b.diff(b.holdings(ana).User, ana)
}

func countsAreByEffect(b *bench) {
	a := b.apply(list(ana, providers.Read, app, lib))
	b.diff(a, storage.Applied{Granted: 2, First: 2, Users: 1, Followed: 1})
	a = b.apply(list(ana, providers.Write, lib, web))
	b.diff(a, storage.Applied{Granted: 1, Altered: 1, Revoked: 1, Users: 1, Followed: 1})
	a = b.apply(audience(web, providers.Write, ana, li))
	b.diff(a, storage.Applied{Granted: 1, First: 1, Users: 1, Followed: 1})
}

// A label alone makes nobody known for what he holds.
func firstOfALabelledUser(b *bench) {
	b.apply(storage.Change{Users: []providers.User{ana}})
	a := b.apply(list(ana, providers.Read, app, lib))
	b.diff(a.First, 2)
	a = b.apply(list(ana, providers.Read, app, lib, web))
	b.diff(a.First, 0)
}

// Until somebody's whole list was read, what is found of it is found for the
// first time, in however many pieces.
func firstOfAPartlyKnownUser(b *bench) {
	b.diff(b.apply(audience(app, providers.Read, ana)).First, 1)
	b.diff(b.apply(audience(lib, providers.Read, ana)).First, 1)
	b.diff(b.apply(list(ana, providers.Read, app, lib, web)).First, 1)
	b.diff(b.apply(list(li, providers.Read)).First, 0)
	b.diff(b.apply(audience(web, providers.Read, ana, li)).First, 1)
}

func changedUsersArePublished(b *bench) {
	b.apply(audience(app, providers.Read, ana, li))
	b.diff(len(b.published()), 2)
	l := b.beginFor(announced("d1"))
	a := b.complete(l, syncqueue.Outcome{
		Change:  &storage.Change{Audiences: audience(app, providers.Read, li, omar).Audiences},
		Publish: []string{drone, "woodpecker"},
	})
	b.diff(a.Followed, 4)
	jobs := b.published()
	lost := jobs[syncqueue.MakeKey("publish", "woodpecker", git, ana.ID)]
	b.diff(lost.Lane, syncqueue.LaneRemoval)
	b.diff(lost.Target, "woodpecker")
	b.diff(lost.Subject, syncqueue.UserSubject(ana))
	b.diff(lost.Causes, l.Job.Causes)
	b.diff(jobs[syncqueue.MakeKey("publish", "woodpecker", git, omar.ID)].Lane, syncqueue.LaneAddition)
	b.diff(jobs[syncqueue.MakeKey("publish", drone, git, ana.ID)].Lane, syncqueue.LaneRemoval)
	b.diff(len(jobs), 5)
}

func publishCoalesces(b *bench) {
	at := time.Now()
	b.end(b.beginFor(announced("d1")), cells(providers.Read, ana, app))
	time.Sleep(time.Second)
	b.end(b.beginFor(announced("d2")), cells(providers.Read, ana, lib))
	jobs := b.published()
	b.diff(len(jobs), 1)
	for _, j := range jobs {
		b.diff(j.Since, at)
		b.diff(len(j.Causes), 2)
	}
}

func lostComplete(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	l := b.begin()
	time.Sleep(ttl)
	before, published := b.holdings(ana), b.published()
	change := audience(app, providers.Read, li)
	change.Provider = git
	_, err := b.Complete(b.ctx, l, syncqueue.Outcome{Change: &change, Publish: []string{drone}})
	b.is(err, syncqueue.ErrLost)
	b.diff(b.holdings(ana), before)
	b.diff(b.published(), published)
	_, err = b.Holdings(b.ctx, git, li.ID)
	b.is(err, storage.ErrUnknown)
}

func outrunRunsAgain(b *bench) {
	model := b.begin()
	b.end(model, audience(app, providers.Read, ana))
	b.apply(audience(app, providers.Read, li))
	l := b.beginFor(announced("d1"))
	c := audience(app, providers.Read, ana)
	c.Read = model.Fence
	a := b.end(l, c)
	b.diff(a, storage.Applied{Stale: 2, Rerun: true})
	j, err := b.Job(b.ctx, l.Job.ID)
	b.ok(err)
	b.diff(j.StateAt(time.Now()), syncqueue.Ready)
	b.diff(j.Fresh, true)
	b.diff(j.Causes, l.Job.Causes)
	b.diff(j.Since, l.Job.Since)
}

func outrunOwnRead(b *bench) {
	slow, quick := b.begin(), b.begin()
	b.end(quick, audience(app, providers.Read, li))
	a := b.end(slow, audience(app, providers.Read, ana))
	b.diff(a, storage.Applied{Stale: 2})
	j, err := b.Job(b.ctx, slow.Job.ID)
	b.ok(err)
	b.diff(j.State, syncqueue.Done)
}

func largeChanges(b *bench) {
	var c storage.Change
	const repos, users = 60, 200
	for r := range repos {
		a := storage.Audience{Repo: providers.Repo{ID: fmt.Sprint(r), Path: fmt.Sprint("acme/", r), Org: acme}}
		for u := range users {
			a.Users = append(a.Users, storage.Member{User: providers.User{ID: fmt.Sprint(u), Login: fmt.Sprint("u", u)}, Permission: providers.Read})
		}
		c.Audiences = append(c.Audiences, a)
	}
	c.Snapshots = map[string][]byte{"org": []byte("all")}
	l := b.begin()
	a := b.end(l, c)
	b.diff(a.Granted, repos*users)
	b.diff(a.First, repos*users)
	b.diff(a.Users, users)
	j, err := b.Job(b.ctx, l.Job.ID)
	b.ok(err)
	b.diff(j.State, syncqueue.Done)
	b.diff(len(b.holdings(providers.User{ID: "77"}).Cells), repos)
	b.diff(len(b.column(providers.Repo{ID: "7"}).Holders), users)
	b.diff(len(b.published()), users)
	_, err = b.Snapshot(b.ctx, "org")
	b.ok(err)
}
