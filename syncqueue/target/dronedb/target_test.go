package dronedb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/dronedb"
)

func TestUnknownSchemaIsRefused(t *testing.T) {
	cases := []struct{ change, says string }{
		{"DROP TABLE migrations", "no table migrations"},
		{"DROP TABLE perms", "no table perms"},
		{"ALTER TABLE users DROP COLUMN user_machine", "users.user_machine is missing"},
		{"ALTER TABLE repos RENAME COLUMN repo_visibility TO repo_vis", "repos.repo_visibility is missing"},
		{"ALTER TABLE perms RENAME TO was; CREATE TABLE perms (perm_user_id INTEGER, perm_repo_uid TEXT, perm_read BOOLEAN, perm_write BOOLEAN, " +
			"perm_admin BOOLEAN, perm_synced INTEGER, perm_created INTEGER, perm_updated INTEGER)", "perm_repo_uid,perm_user_id is not unique in table perms"},
		{"ALTER TABLE repos RENAME COLUMN repo_active TO was; ALTER TABLE repos ADD COLUMN repo_active TEXT", "repos.repo_active is text and not boolean"},
	}
	needs := map[string]string{
		"PostgreSQL": "ALTER TABLE perms ADD COLUMN perm_tenant INTEGER NOT NULL",
		// SQLite adds no such column to a table that exists.
		"SQLite": "DROP TABLE perms; CREATE TABLE perms (perm_user_id INTEGER, perm_repo_uid TEXT, perm_read BOOLEAN, perm_write BOOLEAN, perm_admin BOOLEAN, " +
			"perm_synced INTEGER, perm_created INTEGER, perm_updated INTEGER, perm_tenant INTEGER NOT NULL, PRIMARY KEY (perm_user_id, perm_repo_uid))",
	}
	for i := range len(cases) + 1 {
		each(t, func(t *testing.T, w *world) {
			r := w.repo("acme/app")
			u := w.join(t, "ana")
			change, says := needs[w.engine], "perms.perm_tenant needs a value"
			if i < len(cases) {
				change, says = cases[i].change, cases[i].says
			}
			for _, statement := range strings.Split(change, "; ") {
				w.exec(t, statement)
			}
			_, err := w.driver.Sync(t.Context(), u, w.want(r))
			_, probed := w.driver.Probe(t.Context())
			_, listed := w.driver.Accounts(t.Context())
			for _, err := range []error{err, probed, listed} {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), says) {
					t.Errorf("%s: got %v, want %q", change, err, says)
				}
			}
			if n := w.text(t, "SELECT count(*) FROM repos"); n != "0" || w.asked != 0 {
				t.Errorf("%s: %s rows written, %d questions", change, n, w.asked)
			}
		})
	}
}

// A Drone that was upgraded under a running hookd.
func TestSchemaThatBecomesUnknownStopsWriting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.join(t, "ana")
		w.sync(t, u, w.want(w.repo("acme/one")))
		w.exec(t, "ALTER TABLE repos RENAME COLUMN repo_signer TO repo_key")
		if _, err := w.driver.Probe(t.Context()); err == nil {
			t.Error("the probe passes")
		}
		if _, err := w.driver.Sync(t.Context(), u, w.want(w.repo("acme/two"))); err == nil || !strings.Contains(err.Error(), "repo_signer is missing") {
			t.Errorf("got %v", err)
		}
		w.exec(t, "ALTER TABLE repos RENAME COLUMN repo_key TO repo_signer")
		w.sync(t, u, w.want(w.repo("acme/two")))
	})
}

func TestWhoHasNoAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.repo("acme/app")
		w.join(t, "Ana")
		for login, change := range map[string]string{"robot": "user_machine", "left": "user_active"} {
			w.join(t, login)
			w.exec(t, "UPDATE users SET "+change+" = NOT "+change+" WHERE user_login = ?", login)
		}
		for _, login := range []string{"robot", "left", "nobody", "", "an%", "ana' OR '1'='1"} {
			if _, err := w.driver.Sync(t.Context(), providers.User{Login: login}, w.want(r)); !errors.Is(err, target.ErrNoAccount) {
				t.Errorf("%q: got %v", login, err)
			}
		}
		if res := w.sync(t, providers.User{Login: "aNA"}, w.want(r)); !res.Settled() {
			t.Errorf("logins compare folded: got %+v", res)
		}
	})
}

// 500 people get one repository: one call of the forge, where each one's own sync
// would read his whole list.
func TestManyUsersCostOneForgeCall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const people = 500
		users := make([]providers.User, people)
		for i := range users {
			users[i] = w.join(t, fmt.Sprintf("user-%03d", i))
		}
		want := w.want(w.repo("acme/app"))
		start := time.Now()
		var wg sync.WaitGroup
		next := make(chan providers.User)
		for range 8 {
			wg.Go(func() {
				for u := range next {
					if res, err := w.driver.Sync(t.Context(), u, want); err != nil || !res.Settled() {
						t.Errorf("%s: got %+v, %v", u.Login, res, err)
					}
				}
			})
		}
		for _, u := range users {
			next <- u
		}
		close(next)
		wg.Wait()
		t.Logf("%d users in %s", people, time.Since(start).Round(time.Millisecond))
		if n := w.text(t, "SELECT count(*) FROM perms"); n != "500" || w.text(t, "SELECT count(*) FROM repos") != "1" {
			t.Errorf("%s permissions", n)
		}
		if w.asked != 1 {
			t.Errorf("%d forge calls, want 1", w.asked)
		}
	})
}

// Two hookds, and Drone's own syncs between them, come to one and the same.
func TestSecondWriterIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.repo("acme/a"), w.repo("acme/b")
		users := []providers.User{w.join(t, "ana", a, b), w.join(t, "li", a), w.join(t, "omar")}
		ida, idb := w.rowID(t, a), w.rowID(t, b)
		a, b = w.rename(a, "acme/b"), w.rename(b, "acme/a")
		c := w.repo("acme/c")
		want := w.want(a, b, c)
		var wg sync.WaitGroup
		for _, driver := range []*dronedb.Target{w.driver, w.another(t)} {
			for _, u := range users {
				wg.Go(func() {
					for range 5 {
						if _, err := driver.Sync(t.Context(), u, want); err != nil {
							t.Errorf("%s: %v", u.Login, err)
						}
					}
				})
			}
		}
		wg.Go(func() { // what Drone's batch does to two of the users
			for range 20 {
				for _, id := range []string{"1", "2"} {
					w.exec(t, "UPDATE perms SET perm_updated = 1, perm_synced = 0 WHERE perm_user_id = "+id)
					w.row(t, c)
					w.exec(t, "INSERT INTO perms VALUES ("+id+", '"+c.ID+"', ?, ?, ?, 0, 1, 1) ON CONFLICT DO NOTHING", true, false, false)
				}
			}
		})
		wg.Wait()
		for _, u := range users {
			if res := w.sync(t, u, want); res.Synced || len(res.Shown) != 3 || res.After != 3 {
				t.Errorf("%s: %+v", u.Login, res)
			}
		}
		if n := w.text(t, "SELECT count(*) FROM repos"); n != "3" {
			t.Errorf("%s rows", n)
		}
		w.kept(t, a, ida)
		w.kept(t, b, idb)
	})
}

func TestLargeListComesAndGoes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.join(t, "ana")
		var all []providers.Repo
		for i := range 250 {
			all = append(all, w.repo(fmt.Sprintf("acme/r%03d", i)))
		}
		if res := w.sync(t, u, w.want(all...)); !res.Settled() || res.After != 250 || w.asked != 250 {
			t.Errorf("%d shown after %d calls, %d missing", res.After, w.asked, len(res.Missing))
		}
		// More than one statement names.
		for i := range 600 {
			all = append(all, w.repo(fmt.Sprintf("acme/s%03d", i)))
		}
		w.sync(t, u, w.want(all...))
		want := w.want(all[0])
		want.Absent = of(all[1:]...)
		if res := w.sync(t, u, want); !res.Settled() || len(res.Gone) != 849 || res.After != 1 {
			t.Errorf("%d shown, %d gone", res.After, len(res.Gone))
		}
	})
}

func TestAddressesAreReadOrRefused(t *testing.T) {
	for address, says := range map[string]string{
		"":                               "missing",
		"mysql://root:hunter22@db/drone": "MySQL is not served yet",
		"https://hunter22.example.com":   "must be postgres://",
		"postgres://drone:hunter22@db:port/drone": "cannot be read",
		"sqlite://": "path",
	} {
		err := dronedb.Check(address)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%s: got %v", address, err)
		}
	}
	for _, address := range []string{"postgres://drone:hunter22@db/drone?sslmode=require", "postgresql:///drone", "sqlite:///var/lib/drone.sqlite", "/var/lib/drone.sqlite"} {
		if err := dronedb.Check(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestErrorsTellNothingOfTheAddress(t *testing.T) {
	for _, address := range []string{
		"postgres://drone:hunter22%21@127.0.0.1:1/drone?connect_timeout=2",
		"sqlite://" + t.TempDir() + "/hunter22/none.sqlite",
	} {
		d, err := dronedb.New(dronedb.Config{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		_, err = d.Sync(t.Context(), providers.User{Login: "ana"}, target.Desired{})
		_, probed := d.Probe(t.Context())
		_, listed := d.Accounts(t.Context())
		for _, err := range []error{err, probed, listed} {
			if err == nil || strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "Drone's database") {
				t.Errorf("%s: got %v", address, err)
			}
		}
	}
}

func TestRekeyGoesOnElsewhere(t *testing.T) {
	w, other := newWorld(t, "SQLite"), newWorld(t, "SQLite")
	u := other.join(t, "ana")
	if _, err := w.driver.Sync(t.Context(), u, w.want()); !errors.Is(err, target.ErrNoAccount) {
		t.Fatalf("got %v", err)
	}
	if err := w.driver.Rekey("mysql://x"); err == nil {
		t.Error("MySQL is taken")
	}
	if err := w.driver.Rekey(other.url); err != nil {
		t.Fatal(err)
	}
	if res := w.sync(t, u, w.want(w.repo("acme/app"))); !res.Settled() {
		t.Errorf("got %+v", res)
	}
}

func TestDatabaseThatIsAwayIsAnError(t *testing.T) {
	w := newWorld(t, "SQLite")
	codes := []int{}
	d, err := dronedb.New(dronedb.Config{URL: w.url, Observe: func(code int) { codes = append(codes, code) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sync(t.Context(), providers.User{Login: "ana"}, w.want()); err == nil || errors.Is(err, target.ErrNoAccount) {
		t.Errorf("got %v", err)
	}
	if fmt.Sprint(codes) != "[200 0]" || d.Requests() != 2 {
		t.Errorf("observed %v, %d requests", codes, d.Requests())
	}
}
