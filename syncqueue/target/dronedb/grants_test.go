package dronedb_test

import (
	"crypto/rand"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the README lets hookd's own user of PostgreSQL do is enough, and no more
// than that: nothing of what hangs on a repository, and no user's session.
func TestGrantsOfTheReadmeAreEnough(t *testing.T) {
	w := newWorld(t, "PostgreSQL")
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	grants := regexp.MustCompile("(?s)`(GRANT [^`]*)`").FindSubmatch(readme)
	if grants == nil {
		t.Fatal("the README grants nothing")
	}
	role := "r" + strings.ToLower(rand.Text())
	address, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	schema := address.Query().Get("search_path")
	w.exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'canary'")
	t.Cleanup(func() { w.exec(t, "DROP OWNED BY "+role); w.exec(t, "DROP ROLE "+role) })
	w.exec(t, "GRANT USAGE ON SCHEMA "+schema+" TO "+role)
	w.exec(t, strings.ReplaceAll(string(grants[1]), " TO hookd", " TO "+role))
	address.User = url.UserPassword(role, "canary")
	w.url = address.String()
	w.driver = w.another(t)

	old, lost := w.repo("acme/app"), w.repo("acme/lost")
	u := w.join(t, "ana", old, lost)
	w.rename(old, "acme/was")
	fresh := w.repo("acme/app")
	want := w.want(fresh)
	want.Absent = of(lost)
	if res := w.sync(t, u, want); !res.Settled() {
		t.Errorf("got %+v", res)
	}
	if _, err := w.driver.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if all, err := w.driver.Accounts(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("got %v, %v", all, err)
	}
	for _, forbidden := range []string{"SELECT user_hash FROM users", "DELETE FROM repos"} {
		w.exec(t, "SET ROLE "+role)
		if _, err := w.ExecContext(t.Context(), forbidden); err == nil {
			t.Errorf("%s is allowed", forbidden)
		}
		w.exec(t, "RESET ROLE")
	}
}
