package storagetest

import (
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

func slowReadDoesNotBringAccessBack(b *bench) {
	b.apply(cells(providers.Write, ana, app))
	slow, quick := b.begin(), b.begin()
	b.end(quick, cells(providers.None, ana, app))
	a := b.end(slow, cells(providers.Write, ana, app))
	b.diff(a, storage.Applied{Stale: 1})
	b.has(ana, map[string]providers.Permission{app.ID: providers.None})
}

func slowAudience(b *bench) {
	slow, quick := b.begin(), b.begin()
	b.end(quick, audience(app, providers.Read, li))
	a := b.end(slow, audience(app, providers.Read, ana, li))
	b.diff(a, storage.Applied{Stale: 1})
	if c := b.cell(ana, app); c.Permission != providers.None {
		b.Fatal("an older read of the audience added a user")
	}
	b.diff(b.column(app).Floor, quick.Fence)
}

func slowList(b *bench) {
	b.apply(storage.Change{Repos: []providers.Repo{app, lib}})
	slow, quick := b.begin(), b.begin()
	b.end(quick, list(ana, providers.Read, lib))
	a := b.end(slow, list(ana, providers.Read, app, lib))
	b.diff(a, storage.Applied{Stale: 1})
	b.has(ana, map[string]providers.Permission{lib.ID: providers.Read})
	b.diff(b.holdings(ana).Floor, quick.Fence)
}

func slowReadOfGone(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	slow, quick := b.begin(), b.begin()
	b.end(quick, storage.Change{Gone: []string{app.ID}})
	b.end(slow, audience(app, providers.Read, ana, li))
	b.has(ana, map[string]providers.Permission{app.ID: providers.None})
	if c := b.cell(li, app); c.Permission != providers.None {
		b.Fatal("an older read of the audience gave a deleted repository to a user")
	}
	b.diff(b.column(app).Gone, true)
}

func slowReadDoesNotTakeAway(b *bench) {
	slow, quick := b.begin(), b.begin()
	b.end(quick, cells(providers.Write, ana, app))
	b.diff(b.end(slow, audience(app, providers.Read, li)).Stale, 1)
	b.has(ana, map[string]providers.Permission{app.ID: providers.Write})
	b.has(li, map[string]providers.Permission{app.ID: providers.Read})
}

func behindAKeptFact(b *bench) {
	b.apply(cells(providers.None, ana, app))
	slow, quick := b.begin(), b.begin()
	b.end(quick, cells(providers.None, ana, app))
	b.diff(b.end(slow, cells(providers.Write, ana, app)).Stale, 1)
	b.diff(b.cell(ana, app).Read, quick.Fence)
}

func readsOfOneLease(b *bench) {
	c := cells(providers.Read, ana, app)
	c.Cells = append(c.Cells, providers.Access{User: ana, Repo: app, Permission: providers.Admin})
	b.apply(c)
	b.has(ana, map[string]providers.Permission{app.ID: providers.Admin})
}

func cachedReadOfNew(b *bench) {
	model := b.begin()
	b.end(model, storage.Change{Users: []providers.User{ana}})
	b.apply(list(ana, providers.Read))
	l := b.begin()
	c := audience(app, providers.Write, ana)
	c.Read = model.Fence
	a := b.end(l, c)
	b.diff(a.Granted, 1)
	b.diff(a.Stale, 0)
	b.diff(b.column(app).Born, l.Fence)
	b.diff(b.column(app).Floor, model.Fence)

	// A repository that the sweep could have seen is another matter.
	b.apply(storage.Change{Repos: []providers.Repo{lib}})
	b.apply(list(ana, providers.Read, app))
	c = audience(lib, providers.Write, ana)
	c.Read = model.Fence
	b.diff(b.apply(c).Stale, 1)
}

func cachedListOfNew(b *bench) {
	slow := b.begin()
	b.apply(audience(app, providers.Write, ana))
	cached := list(ana, providers.Read, lib)
	cached.Read = slow.Fence
	b.apply(cached)
	b.has(ana, map[string]providers.Permission{app.ID: providers.Write, lib.ID: providers.Read})
}

func olderListOfNew(b *bench) {
	model := b.begin()
	b.end(model, storage.Change{Users: []providers.User{ana}})
	slow := b.begin()
	c := audience(app, providers.Write, ana)
	c.Read = model.Fence
	b.apply(c)
	b.end(slow, list(ana, providers.Read, lib))
	b.has(ana, map[string]providers.Permission{app.ID: providers.Write, lib.ID: providers.Read})
}

func slowLabels(b *bench) {
	b.apply(storage.Change{Users: []providers.User{ana}, Repos: []providers.Repo{app}})
	slow, quick := b.begin(), b.begin()
	renamed := app
	renamed.Path = "acme/application"
	b.end(quick, storage.Change{Users: []providers.User{{ID: ana.ID, Login: "anna"}}, Repos: []providers.Repo{renamed}})
	b.end(slow, storage.Change{Users: []providers.User{ana}, Repos: []providers.Repo{app}})
	b.diff(b.column(app).Repo, renamed)
	b.diff(b.holdings(ana).User.Login, "anna")
}

// A repository may be described by a later answer than its audience rests on,
// and by an earlier one.
func labelsOfTheirOwnRead(b *bench) {
	b.apply(storage.Change{Repos: []providers.Repo{app}})
	renamed := app
	renamed.Path = "acme/application"
	model, listed, renaming := b.begin(), b.begin(), b.begin()
	c := audience(renamed, providers.Read, ana)
	c.Repos, c.Read, c.Labels = []providers.Repo{renamed}, model.Fence, renaming.Fence
	b.end(renaming, c)
	late := b.begin()
	c = audience(app, providers.Read, ana, li)
	c.Repos, c.Read, c.Labels = []providers.Repo{app}, model.Fence, listed.Fence
	b.end(late, c)
	b.diff(b.column(app).Repo, renamed)
	b.has(li, map[string]providers.Permission{app.ID: providers.Read})
	b.diff(b.column(app).Floor, model.Fence)
}
