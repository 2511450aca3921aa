package storagetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// users reads a listing to its end, in pages of a size.
func (b *bench) users(q storage.UserQuery, limit int) (rows []storage.UserRow, pages int) {
	b.Helper()
	for cursor, next := "", "-"; next != ""; cursor = next {
		var page []storage.UserRow
		var err error
		page, next, err = b.Users(b.ctx, q, cursor, limit)
		b.ok(err)
		if len(page) > limit {
			b.Fatalf("a page of %d rows, want at most %d", len(page), limit)
		}
		rows = append(rows, page...)
		pages++
	}
	return rows, pages
}

func (b *bench) logins(q storage.UserQuery) (logins []string) {
	b.Helper()
	rows, _ := b.users(q, 2)
	for _, r := range rows {
		logins = append(logins, r.User.Login)
	}
	return logins
}

func usersList(b *bench) {
	b.apply(storage.Change{Users: []providers.User{omar, li, ana, {ID: "3", Login: "Bo"}}})
	b.apply(list(ana, providers.Read, app, lib))
	b.apply(list(ana, providers.Read, app))
	b.diff(b.logins(storage.UserQuery{}), []string{"ana", "Bo", "li", "omar"})
	rows, pages := b.users(storage.UserQuery{Provider: git}, 2)
	b.diff(pages, 2)
	b.diff(rows[0], storage.UserRow{
		Provider: git, User: ana, Repos: 1, Version: 2, Complete: true, Checked: time.Now(),
	})
	renamed := providers.User{ID: ana.ID, Login: "zoe"}
	b.apply(storage.Change{Users: []providers.User{renamed}})
	b.diff(b.logins(storage.UserQuery{}), []string{"Bo", "li", "omar", "zoe"})
	_, _, err := b.Users(b.ctx, storage.UserQuery{}, "?", 10)
	b.is(err, storage.ErrCursor)
}

func usersAreSelected(b *bench) {
	b.apply(storage.Change{Users: []providers.User{omar}})
	b.apply(list(li, providers.Read, app))
	time.Sleep(time.Hour)
	b.apply(list(ana, providers.Read, app))
	b.diff(b.logins(storage.UserQuery{CheckedBefore: time.Now()}), []string{"li", "omar"})
	b.diff(b.logins(storage.UserQuery{Behind: drone}), []string{"ana", "li"})
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true})
	b.diff(b.logins(storage.UserQuery{Behind: drone}), []string{"li"})
	b.diff(b.logins(storage.UserQuery{Provider: "hub"}), []string(nil))
}

func reposList(b *bench) {
	other := providers.Repo{ID: "60", Path: "labs/app", Org: providers.Org{ID: "6", Name: "Labs"}}
	b.apply(storage.Change{Repos: []providers.Repo{web, other, app, lib}})
	b.apply(audience(app, providers.Read, ana, li))
	b.apply(audience(app, providers.Read, li))
	paths := func(q storage.RepoQuery) (out []string) {
		for cursor, next := "", "-"; next != ""; cursor = next {
			var page []storage.RepoRow
			var err error
			page, next, err = b.Repos(b.ctx, q, cursor, 2)
			b.ok(err)
			for _, r := range page {
				out = append(out, r.Repo.Path)
			}
		}
		return out
	}
	b.diff(paths(storage.RepoQuery{}), []string{"acme/app", "acme/lib", "acme/web", "labs/app"})
	b.diff(paths(storage.RepoQuery{Provider: git, Org: "ACME"}), []string{"acme/app", "acme/lib", "acme/web"})
	b.diff(paths(storage.RepoQuery{Org: "6"}), []string{"labs/app"})
	rows, _, err := b.Repos(b.ctx, storage.RepoQuery{}, "", 1)
	b.ok(err)
	b.diff(rows[0], storage.RepoRow{Provider: git, Repo: app, Users: 1, Seen: time.Now()})
	_, _, err = b.Repos(b.ctx, storage.RepoQuery{}, "?", 10)
	b.is(err, storage.ErrCursor)
}

func pathBelongsToTheNewer(b *bench) {
	again := providers.Repo{ID: "99", Path: "acme/app", Org: acme}
	b.apply(storage.Change{Repos: []providers.Repo{app}})
	b.apply(storage.Change{Repos: []providers.Repo{again}})
	b.apply(storage.Change{Repos: []providers.Repo{app}})
	c, err := b.RepoByPath(b.ctx, git, "acme/app")
	b.ok(err)
	b.diff(c.Repo.ID, again.ID)
	moved := again
	moved.Path = "acme/elsewhere"
	b.apply(storage.Change{Repos: []providers.Repo{moved}})
	c, err = b.RepoByPath(b.ctx, git, "acme/app")
	b.ok(err)
	b.diff(c.Repo.ID, app.ID)
}

func loginBelongsToTheNewer(b *bench) {
	b.apply(storage.Change{Users: []providers.User{ana}})
	b.apply(storage.Change{Users: []providers.User{{ID: "99", Login: "ana"}}})
	u, err := b.UserByLogin(b.ctx, git, "ana")
	b.ok(err)
	b.diff(u.ID, "99")
}

func namesFold(b *bench) {
	b.apply(audience(providers.Repo{ID: "1", Path: "Acme/App"}, providers.Read, providers.User{ID: "1", Login: "Ana"}))
	u, err := b.UserByLogin(b.ctx, git, " aNA")
	b.ok(err)
	b.diff(u.Login, "Ana")
	c, err := b.RepoByPath(b.ctx, git, "acme/APP")
	b.ok(err)
	b.diff(c.Repo.Path, "Acme/App")
}

func formerNames(b *bench) {
	call := func(path, login string) {
		b.apply(audience(providers.Repo{ID: "1", Path: path}, providers.Read, providers.User{ID: "7", Login: login}))
	}
	is := func(path, login string, want error) {
		b.Helper()
		repo, err := b.Former(b.ctx, git, providers.SubjectRepo, path)
		b.is(err, want)
		user, err := b.Former(b.ctx, git, providers.SubjectUser, login)
		b.is(err, want)
		if want == nil {
			b.diff([]string{repo, user}, []string{"1", "7"})
		}
	}
	call("acme/app", "ana")
	is("acme/app", "ana", storage.ErrUnknown)
	call("Acme/App", "Ana")
	is("acme/app", "ana", storage.ErrUnknown)
	call("acme/web", "anna")
	is("ACME/app", " Ana", nil)
	call("acme/web2", "anne")
	is("acme/app", "ana", nil)
	is("acme/web", "anna", nil)
	call("acme/app", "ana")
	is("acme/app", "ana", storage.ErrUnknown)
	is("acme/web", "anna", nil)

	// Somebody else takes a name, and gives it up too.
	call("acme/end", "end")
	b.apply(audience(providers.Repo{ID: "2", Path: "acme/app"}, providers.Read, providers.User{ID: "8", Login: "ana"}))
	is("acme/app", "ana", nil)
	b.apply(audience(providers.Repo{ID: "2", Path: "acme/other"}, providers.Read, providers.User{ID: "8", Login: "other"}))
	id, err := b.Former(b.ctx, git, providers.SubjectRepo, "acme/app")
	b.ok(err)
	b.diff(id, "2")
	_, err = b.Former(b.ctx, "hub", providers.SubjectRepo, "acme/app")
	b.is(err, storage.ErrUnknown)
	_, err = b.Former(b.ctx, git, providers.SubjectUser, "acme/app")
	b.is(err, storage.ErrUnknown)

	// Long names differ where a key may be cut short.
	long := strings.Repeat("long", 1<<8)
	for i, end := range []string{"a", "b", ""} {
		r := providers.Repo{ID: fmt.Sprint("9", i), Path: long + end}
		b.apply(audience(r, providers.Read, ana))
		r.Path = fmt.Sprint("acme/short", i)
		b.apply(audience(r, providers.Read, ana))
	}
	id, err = b.Former(b.ctx, git, providers.SubjectRepo, long+"a")
	b.ok(err)
	b.diff(id, "90")
}

func hostileNames(b *bench) {
	names := []string{
		"a\x00b", "a", "\x00", "\x00\x01", "a/b", "../../etc", "<script>", "x\xff\xfe", "\u202eoh", "a\r\nb",
		strings.Repeat("long", 1<<14), strings.Repeat("long", 1<<14) + "er",
	}
	for i, name := range names {
		u := providers.User{ID: fmt.Sprint(i), Login: name}
		b.apply(audience(providers.Repo{ID: fmt.Sprint(i), Path: name}, providers.Read, u))
	}
	for i, name := range names {
		if strings.ToValidUTF8(name, "") != name {
			continue // JSON cannot carry it, so no forge sends it
		}
		u, err := b.UserByLogin(b.ctx, git, name)
		b.ok(err)
		b.diff(u.ID, fmt.Sprint(i))
		c, err := b.RepoByPath(b.ctx, git, name)
		b.ok(err)
		b.diff(c.Repo.ID, fmt.Sprint(i))
	}
	rows, _ := b.users(storage.UserQuery{}, 5)
	b.diff(len(rows), len(names))
}

func providersAreApart(b *bench) {
	b.apply(list(ana, providers.Read, app))
	_, err := b.Holdings(b.ctx, "hub", ana.ID)
	b.is(err, storage.ErrUnknown)
	_, err = b.Repo(b.ctx, "hub", app.ID)
	b.is(err, storage.ErrUnknown)
	_, err = b.UserByLogin(b.ctx, "hub", ana.Login)
	b.is(err, storage.ErrUnknown)
}

func snapshotsAreKept(b *bench) {
	b.apply(storage.Change{Snapshots: map[string][]byte{"git/5": []byte("one"), "git/6": {}}})
	got, err := b.Snapshot(b.ctx, "git/5")
	b.ok(err)
	b.diff(string(got), "one")
	got, err = b.Snapshot(b.ctx, "git/6")
	b.ok(err)
	b.diff(len(got), 0)
	b.apply(storage.Change{Snapshots: map[string][]byte{"git/5": nil}})
	_, err = b.Snapshot(b.ctx, "git/5")
	b.is(err, storage.ErrUnknown)
}

// A job that is held, or looks again, has read something all the same.
func snapshotsAreKeptHoweverARunEnds(b *bench) {
	for _, r := range []syncqueue.Result{syncqueue.ResultSuperseded, syncqueue.ResultParked, syncqueue.ResultAgain} {
		b.complete(b.begin(), syncqueue.Outcome{
			Result: r, Next: time.Now().Add(24 * time.Hour),
			Change: &storage.Change{Provider: git, Snapshots: map[string][]byte{"turned": []byte(r)}},
		})
		got, err := b.Snapshot(b.ctx, "turned")
		b.ok(err)
		b.diff(string(got), string(r))
	}
}

func unknownIsUnknown(b *bench) {
	_, err := b.Holdings(b.ctx, git, "none")
	b.is(err, storage.ErrUnknown)
	_, err = b.UserByLogin(b.ctx, git, "none")
	b.is(err, storage.ErrUnknown)
	_, err = b.Repo(b.ctx, git, "none")
	b.is(err, storage.ErrUnknown)
	_, err = b.RepoByPath(b.ctx, git, "none")
	b.is(err, storage.ErrUnknown)
	_, err = b.Snapshot(b.ctx, "none")
	b.is(err, storage.ErrUnknown)
}

func copies(b *bench) {
	b.apply(list(ana, providers.Read, app))
	b.confirm(storage.Confirm{User: ana.ID, Version: 1, Done: true, Shown: []string{app.ID}})
	want := b.holdings(ana)
	h := b.holdings(ana)
	h.Targets[drone] = storage.Published{}
	delete(h.Cells[0].Shown, drone)
	b.diff(b.holdings(ana), want)
}
