package storagetest

import (
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// meet applies a change of which drone is told by repository, and returns the
// jobs that are about repositories, by their ids.
func (b *bench) meet(l syncqueue.Lease, c storage.Change) map[string]syncqueue.Job {
	b.Helper()
	b.complete(l, syncqueue.Outcome{Change: &c, Publish: []string{drone}, Repos: []string{drone}})
	jobs := map[string]syncqueue.Job{}
	for _, j := range b.published() {
		if j.Subject.Kind == providers.SubjectRepo {
			jobs[j.Subject.ID] = j
		}
	}
	return jobs
}

func (b *bench) told(jobs map[string]syncqueue.Job, want map[string]syncqueue.Lane) {
	b.Helper()
	got := map[string]syncqueue.Lane{}
	for id, j := range jobs {
		if j.Target != drone || j.Kind != syncqueue.KindPublish {
			b.Fatalf("a job of kind %s for %q", j.Kind, j.Target)
		}
		got[id] = j.Lane
	}
	b.diff(got, want)
}

// newRepositoriesAreTold: each once, by whatever they came, and never those that
// are known by a bare id only.
func newRepositoriesAreTold(b *bench) {
	c := list(ana, providers.Read, app)
	c.Repos = []providers.Repo{lib, {ID: "99"}}
	c.Cells = cells(providers.Write, li, web).Cells
	jobs := b.meet(b.beginFor(announced("d1")), c)
	b.told(jobs, map[string]syncqueue.Lane{app.ID: syncqueue.LaneAddition, lib.ID: syncqueue.LaneAddition, web.ID: syncqueue.LaneAddition})
	b.diff(jobs[app.ID].Causes[0].Delivery, "d1")
	b.finish(jobs)
	b.told(b.meet(b.begin(), list(ana, providers.Write, app)), nil)
}

// firstFillTellsOfNoNewRepository, to which all are new, but of those that were
// created since it began.
func firstFillTellsOfNone(b *bench) {
	fill := syncqueue.Cause{By: syncqueue.ByFill, At: time.Now()}
	b.told(b.meet(b.beginFor(fill), audience(app, providers.Read, ana)), nil)
	amid := lib
	amid.Created = fill.At.Add(time.Second)
	jobs := b.meet(b.beginFor(fill), audience(amid, providers.Read, ana))
	b.told(jobs, map[string]syncqueue.Lane{lib.ID: syncqueue.LaneAddition})
	b.finish(jobs)
	open := app
	open.Visibility = providers.Public
	b.told(b.meet(b.beginFor(fill), audience(open, providers.Read, ana)), map[string]syncqueue.Lane{app.ID: syncqueue.LaneAddition})
}

// narrowerVisibilityGoesFirst, whichever kind of read finds it.
func narrowerVisibilityGoesFirst(b *bench) {
	open := app
	open.Visibility = providers.Public
	for _, read := range []func(providers.Repo) storage.Change{
		func(r providers.Repo) storage.Change { return storage.Change{Repos: []providers.Repo{r}} },
		func(r providers.Repo) storage.Change { return audience(r, providers.Read, ana) },
		func(r providers.Repo) storage.Change { return list(ana, providers.Read, r) },
		func(r providers.Repo) storage.Change { return cells(providers.Read, ana, r) },
	} {
		b.finish(b.meet(b.begin(), read(open)))
		jobs := b.meet(b.begin(), read(app))
		b.told(jobs, map[string]syncqueue.Lane{app.ID: syncqueue.LaneRemoval})
		b.finish(jobs)
		jobs = b.meet(b.begin(), read(open))
		b.told(jobs, map[string]syncqueue.Lane{app.ID: syncqueue.LaneAddition})
		b.finish(jobs)
	}
	renamed := open
	renamed.Path = "acme/other"
	b.told(b.meet(b.begin(), storage.Change{Repos: []providers.Repo{renamed}}), nil)
}

// slowReadTellsOfNoVisibility that a later one has overtaken.
func slowVisibility(b *bench) {
	slow := b.begin()
	b.finish(b.meet(b.begin(), storage.Change{Repos: []providers.Repo{app}}))
	open := app
	open.Visibility = providers.Public
	b.told(b.meet(slow, storage.Change{Repos: []providers.Repo{open}}), nil)
}

// A job about a repository is not one about the user of the same id.
func repositoryIsNoUser(b *bench) {
	same := providers.Repo{ID: ana.ID, Path: "acme/seven", Org: acme, Visibility: providers.Private}
	b.complete(b.begin(), syncqueue.Outcome{Change: changeOf(audience(same, providers.Read, ana)), Publish: []string{drone}, Repos: []string{drone}})
	if n := len(b.published()); n != 2 {
		b.Fatalf("%d jobs, want one for the user and one for the repository", n)
	}
}

func changeOf(c storage.Change) *storage.Change { return &c }

// finish ends jobs as if their work were done.
func (b *bench) finish(jobs map[string]syncqueue.Job) {
	b.Helper()
	for _, j := range jobs {
		b.ok(b.Drop(b.ctx, j.ID))
	}
}
