package storagetest

import (
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

func audienceScope(b *bench) {
	b.apply(audience(app, providers.Read, ana, li))
	b.apply(audience(lib, providers.Read, ana, li))
	a := b.apply(audience(app, providers.Read, li, omar))
	b.diff(a.Revoked, 1)
	b.diff(a.Granted, 1)
	b.has(ana, map[string]providers.Permission{app.ID: providers.None, lib.ID: providers.Read})
	b.has(li, map[string]providers.Permission{app.ID: providers.Read, lib.ID: providers.Read})
	c := b.column(app)
	b.diff([]string{c.Holders[0].User.Login, c.Holders[1].User.Login, c.Holders[2].User.Login}, []string{"ana", "li", "omar"})
	b.diff(c.Holders[0].Cell.Permission, providers.None)
	b.diff(c.Holders[0].Cell.Repo, providers.Repo{})
}

func listScope(b *bench) {
	b.apply(audience(app, providers.Read, ana, li))
	b.apply(list(ana, providers.Write, lib))
	b.has(ana, map[string]providers.Permission{app.ID: providers.None, lib.ID: providers.Write})
	b.has(li, map[string]providers.Permission{app.ID: providers.Read})
}

func listCompletes(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	b.diff(b.holdings(ana).Complete, false)
	time.Sleep(time.Second)
	l := b.begin()
	b.end(l, list(ana, providers.Read, app))
	h := b.holdings(ana)
	b.diff(h.Complete, true)
	b.diff(h.Floor, l.Fence)
	b.diff(h.Checked, time.Now())
}

func nothingUnnamed(b *bench) {
	b.apply(list(ana, providers.Read, app, lib))
	b.apply(storage.Change{Users: []providers.User{ana}, Repos: []providers.Repo{app, lib, web}})
	b.apply(cells(providers.Write, ana, web))
	b.apply(cells(providers.None, ana, lib))
	b.has(ana, map[string]providers.Permission{app.ID: providers.Read, lib.ID: providers.None, web.ID: providers.Write})
}

func noneOnAbsent(b *bench) {
	slow, quick := b.begin(), b.begin()
	b.end(quick, cells(providers.None, ana, app))
	b.has(ana, map[string]providers.Permission{app.ID: providers.None})
	b.diff(b.end(slow, cells(providers.Read, ana, app)).Stale, 1)
	b.has(ana, map[string]providers.Permission{app.ID: providers.None})
}

func noneOnAbsentTold(b *bench) {
	a := b.apply(cells(providers.None, ana, app))
	b.diff(a.Users, 1)
	b.diff(a.Changed(), 0)
	b.diff(len(b.holdings(ana).Absent(drone)), 1)
	b.diff(len(b.published()), 1)

	b.apply(list(li, providers.Read, lib))
	before := b.holdings(li).Version
	a = b.apply(cells(providers.None, li, app))
	b.diff(a.Users, 0)
	b.diff(b.holdings(li).Version, before)
	b.diff(len(b.holdings(li).Absent(drone)), 0)
}

func goneTakesFromEverybody(b *bench) {
	b.apply(audience(app, providers.Read, ana, li))
	a := b.apply(storage.Change{Gone: []string{app.ID}})
	b.diff(a.Revoked, 2)
	b.diff(a.Users, 2)
	b.diff(b.column(app).Gone, true)
	b.has(ana, map[string]providers.Permission{app.ID: providers.None})
	rows, _, err := b.Repos(b.ctx, storage.RepoQuery{}, "", 10)
	b.ok(err)
	b.diff(len(rows), 0)
	b.diff(b.apply(storage.Change{Gone: []string{app.ID}}).Changed(), 0)
}

// A repository that is gone was not seen.
func goneIsNoSighting(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	seen := b.column(app).Seen
	time.Sleep(2 * storage.SeenStep)
	b.apply(storage.Change{Gone: []string{app.ID}})
	b.diff(b.column(app).Seen, seen)
}

func seenAgain(b *bench) {
	b.apply(audience(app, providers.Read, ana))
	slow := b.begin()
	b.apply(storage.Change{Gone: []string{app.ID}})
	b.end(slow, storage.Change{Repos: []providers.Repo{app}})
	b.diff(b.column(app).Gone, true)
	b.apply(storage.Change{Repos: []providers.Repo{app}})
	b.diff(b.column(app).Gone, false)
}
