package storagetest

import (
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

func confirmShowsOnce(b *bench) {
	at := time.Now()
	b.end(b.beginFor(announced("d1")), list(ana, providers.Read, app, lib))
	time.Sleep(time.Second)
	a := b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID}})
	want := storage.Visible{
		Target: drone, Provider: git, UserID: ana.ID, User: ana.Login,
		RepoID: app.ID, Repo: app.Path, Asked: at, At: at.Add(time.Second),
	}
	b.diff(a.Visible, []storage.Visible{want})
	b.diff(a.Visible[0].Took(), time.Second)
	time.Sleep(time.Second)
	a = b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID, lib.ID, "none"}})
	b.diff(len(a.Visible), 1)
	b.diff(b.cell(ana, app).Shown, map[string]time.Time{drone: at.Add(time.Second)})
	b.diff(b.cell(ana, lib).Shown, map[string]time.Time{drone: at.Add(2 * time.Second)})
	b.diff(b.holdings(ana).Version, uint64(1))
}

func confirmGoneOnce(b *bench) {
	b.apply(list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true, Shown: []string{app.ID}})
	at := time.Now()
	b.end(b.beginFor(announced("d1")), cells(providers.None, ana, app))
	b.diff(len(b.holdings(ana).Absent(drone)), 1)
	time.Sleep(time.Second)
	f := storage.Confirm{User: ana.ID, Version: 2, Gone: []string{app.ID}}
	a := b.confirm(f)
	b.diff(a.Visible, []storage.Visible{{
		Target: drone, Provider: git, UserID: ana.ID, User: ana.Login,
		RepoID: app.ID, Repo: app.Path, Gone: true, Asked: at, At: time.Now(),
	}})
	c := b.cell(ana, app)
	b.diff(len(c.Shown), 0)
	b.diff(c.Gone, map[string]time.Time{drone: time.Now()})
	b.diff(len(b.confirm(f).Visible), 0)
	f.Done = true
	b.confirm(f)
	b.diff(len(b.holdings(ana).Absent(drone)), 0)
}

func unannouncedShows(b *bench) {
	b.apply(list(ana, providers.Read, app))
	a := b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID}})
	b.diff(len(a.Visible), 0)
	b.diff(len(b.cell(ana, app).Shown), 1)
}

func confirmOfOldVersion(b *bench) {
	b.end(b.beginFor(announced("d1")), list(ana, providers.Read, app))
	renamed := app
	renamed.Path = "acme/application"
	b.end(b.beginFor(announced("d2")), storage.Change{Repos: []providers.Repo{renamed}})
	a := b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true, Shown: []string{app.ID}})
	b.diff(len(a.Visible), 0)
	b.diff(len(b.cell(ana, app).Shown), 0)
	b.diff(b.holdings(ana).Behind(drone), true)
	b.end(b.begin(), cells(providers.None, ana, app))
	a = b.confirm(storage.Confirm{User: ana.ID, Version: 2, Done: true, Gone: []string{app.ID}})
	b.diff(len(b.cell(ana, app).Gone), 0)
	b.diff(len(b.holdings(ana).Absent(drone)), 1)
}

func regrantedShows(b *bench) {
	b.apply(list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID}})
	b.apply(cells(providers.None, ana, app))
	b.end(b.beginFor(announced("d1")), cells(providers.Read, ana, app))
	b.diff(len(b.cell(ana, app).Shown), 0)
	a := b.confirm(storage.Confirm{User: ana.ID, Version: 3, Shown: []string{app.ID}})
	b.diff(len(a.Visible), 1)
}

func hiddenKeeps(b *bench) {
	b.end(b.beginFor(announced("d1")), list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Hidden: map[string]string{app.ID: "archived"}})
	b.diff(b.cell(ana, app).Hidden, map[string]string{drone: "archived"})
	a := b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{app.ID}})
	b.diff(len(a.Visible), 1)
	b.diff(len(b.cell(ana, app).Hidden), 0)
}

func hiddenAnew(b *bench) {
	b.apply(list(ana, providers.Read, app, lib))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{lib.ID}, Hidden: map[string]string{app.ID: "he may only read it"}})
	b.apply(list(ana, providers.Write, app, lib))
	b.diff(len(b.cell(ana, app).Hidden), 0)
	b.diff(len(b.cell(ana, lib).Shown), 1)
}

func doneIsNotBehind(b *bench) {
	b.apply(list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1})
	b.diff(b.holdings(ana).Behind(drone), true)
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true})
	h := b.holdings(ana)
	b.diff(h.Behind(drone), false)
	b.diff(h.Targets[drone], storage.Published{Version: 1, At: time.Now()})
	b.apply(list(ana, providers.Read, app, lib))
	b.diff(b.holdings(ana).Behind(drone), true)
	b.confirm(storage.Confirm{User: "none", Version: 1, Done: true})
	_, err := b.Holdings(b.ctx, git, "none")
	b.is(err, storage.ErrUnknown)
}

func credentialStays(b *bench) {
	b.apply(list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Credential: "missing", Note: "no token file"})
	b.diff(b.holdings(ana).Targets[drone], storage.Published{Credential: "missing", Note: "no token file"})
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true})
	b.diff(b.holdings(ana).Targets[drone], storage.Published{Version: 1, At: time.Now(), Credential: "missing"})
}

func visibleInOrder(b *bench) {
	b.end(b.beginFor(announced("d1")), list(ana, providers.Read, lib, app, web))
	start := time.Now()
	for i, r := range []providers.Repo{web, app, lib} {
		time.Sleep(time.Duration(i) * time.Second)
		b.confirm(storage.Confirm{User: ana.ID, Version: 1, Shown: []string{r.ID}})
	}
	repos := func(since time.Time) (ids []string) {
		all, err := b.Visible(b.ctx, since)
		b.ok(err)
		for _, v := range all {
			ids = append(ids, v.RepoID)
		}
		return ids
	}
	b.diff(repos(time.Time{}), []string{web.ID, app.ID, lib.ID})
	b.diff(repos(start.Add(time.Second)), []string{app.ID, lib.ID})
	b.diff(repos(time.Now().Add(1)), []string(nil))
}

func tombstonesGo(b *bench) {
	b.apply(list(ana, providers.Read, app, lib))
	b.apply(list(ana, providers.Read, lib))
	time.Sleep(storage.Settle + time.Second)
	sweep := func() int {
		s, err := b.Maintain(b.ctx, time.Now())
		b.ok(err)
		return s.Tombstones
	}
	b.diff(sweep(), 0)
	b.confirm(storage.Confirm{User: ana.ID, Version: 2, Done: true, Gone: []string{app.ID}})
	b.diff(sweep(), 1)
	b.has(ana, map[string]providers.Permission{lib.ID: providers.Read})
	b.diff(len(b.column(app).Holders), 0)
	b.diff(sweep(), 0)
}
