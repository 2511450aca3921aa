package dronedb_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
)

// kept examines that a row is the one it was, with what hangs on it.
func (w *world) kept(t *testing.T, r providers.Repo, id string) {
	t.Helper()
	if got := w.rowID(t, r); got != id {
		t.Errorf("the row of %s is %q, was %s", r.Path, got, id)
	}
	if got := w.text(t, "SELECT repo_counter FROM repos WHERE repo_uid = '"+r.ID+"'"); got != "42" {
		t.Errorf("the counter of %s is %q", r.Path, got)
	}
	if got := w.text(t, "SELECT repo_secret FROM repos WHERE repo_uid = '"+r.ID+"'"); got != "secret" {
		t.Errorf("the secret of %s is %q", r.Path, got)
	}
}

func TestSlugCollisionNeverDeletesARow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old := w.repo("acme/app")
		u, other := w.join(t, "ana", old), w.join(t, "li", old)
		id := w.rowID(t, old)
		w.gone(old)
		fresh := w.repo("acme/app")
		want := w.want(fresh)
		want.Absent = of(old)
		res := w.sync(t, u, want)
		if !res.Settled() || !slices.Equal(res.Shown, []string{fresh.ID}) || !slices.Equal(res.Gone, []string{old.ID}) {
			t.Errorf("got %+v", res)
		}
		w.kept(t, old, id)
		if slug := w.slug(t, old); !strings.Contains(slug, "~") || w.slug(t, fresh) != "acme/app" {
			t.Errorf("the old one is %q, the new one %q", slug, w.slug(t, fresh))
		}
		if res := w.sync(t, other, want); !res.Settled() || res.After != 1 {
			t.Errorf("the other: %+v", res)
		}
	})
}

func TestHolderOfANameMovesToItsOwnFirst(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.repo("acme/a"), w.repo("acme/b")
		u := w.join(t, "ana", a, b)
		ida, idb := w.rowID(t, a), w.rowID(t, b)
		// A chain: c comes as a, a went to b, b went to another owner.
		b, a = w.rename(b, "other/b"), w.rename(a, "acme/b")
		c := w.repo("acme/a")
		if res := w.sync(t, u, w.want(c)); !res.Settled() {
			t.Errorf("got %+v", res)
		}
		w.kept(t, a, ida)
		w.kept(t, b, idb)
		for _, r := range []providers.Repo{a, b, c} {
			if got := w.slug(t, r); got != r.Path {
				t.Errorf("%s is %q", r.Path, got)
			}
			if got := w.text(t, "SELECT repo_clone_url FROM repos WHERE repo_uid = '"+r.ID+"'"); got != remoteOf(r).Clone {
				t.Errorf("%s is cloned from %q", r.Path, got)
			}
		}
		if got := w.text(t, "SELECT repo_namespace FROM repos WHERE repo_uid = '"+b.ID+"'"); got != "other" {
			t.Errorf("namespace %q", got)
		}
	})
}

func TestSwapOfTwoNames(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.repo("acme/a"), w.repo("acme/b")
		u := w.join(t, "ana", a, b)
		ida, idb := w.rowID(t, a), w.rowID(t, b)
		a, b = w.rename(a, "acme/b"), w.rename(b, "acme/a")
		if res := w.sync(t, u, w.want(a, b)); !res.Settled() {
			t.Errorf("got %+v", res)
		}
		w.kept(t, a, ida)
		w.kept(t, b, idb)
		if w.slug(t, a) != "acme/b" || w.slug(t, b) != "acme/a" {
			t.Errorf("a is %q and b %q", w.slug(t, a), w.slug(t, b))
		}
	})
}

func TestForgeThatIsUnsureLeavesNamesAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old := w.repo("acme/app")
		u := w.join(t, "ana", old)
		fresh := w.repo("acme/app")
		for _, said := range []error{providers.ErrUnavailable, providers.ErrForbidden, nil} { // nil: both have it
			w.broken[old.ID] = said
			res := w.sync(t, u, w.want(fresh))
			if res.Synced || !slices.Equal(res.Missing, []string{fresh.ID}) || res.Note == "" {
				t.Errorf("%v: got %+v", said, res)
			}
			if w.slug(t, old) != "acme/app" || w.slug(t, fresh) != "" {
				t.Errorf("%v: the old one is %q, the new one %q", said, w.slug(t, old), w.slug(t, fresh))
			}
		}
		w.rename(old, "acme/elsewhere")
		w.now = w.now.Add(3 * time.Second) // an answer that does not fit is not kept longer
		if res := w.sync(t, u, w.want(fresh)); !res.Settled() {
			t.Errorf("got %+v", res)
		}
	})
}

// What is new is asked for; that the forge does not answer is an error, and takes
// nothing from what else is to be written.
func TestForgeThatFailsStopsOnlyWhatNeedsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		known, lost, fresh := w.repo("acme/known"), w.repo("acme/lost"), w.repo("acme/fresh")
		u := w.join(t, "ana", lost)
		w.row(t, known)
		w.broken[fresh.ID] = providers.ErrUnavailable
		want := w.want(known, fresh)
		want.Absent = of(lost)
		if _, err := w.driver.Sync(t.Context(), u, want); !errors.Is(err, providers.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		delete(w.broken, fresh.ID)
		want.Remote = nil
		if _, err := w.driver.Sync(t.Context(), u, want); err == nil || !strings.Contains(err.Error(), "no call") {
			t.Errorf("got %v", err)
		}
		want.Remote = w.Remote
		if res := w.sync(t, u, want); !res.Settled() || res.Before != 1 || res.After != 2 {
			t.Errorf("got %+v, want the known one to be there and the lost one gone before", res)
		}
	})
}

func TestNestedAndArchivedAreNeverWritten(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.join(t, "ana")
		nested, attic := w.repo("acme/sub/deep"), w.repo("acme/attic")
		attic = w.change(attic.ID, func(r *providers.Repo) { r.Archived = true })
		res := w.sync(t, u, w.want(nested, attic))
		if len(res.Hidden) != 2 || !res.Settled() || res.Synced || w.asked != 0 {
			t.Errorf("got %+v after %d calls", res, w.asked)
		}
		// The catalogue is behind the forge.
		stale := w.repo("acme/stale")
		w.change(stale.ID, func(r *providers.Repo) { r.Archived = true })
		if res := w.sync(t, u, w.want(stale)); res.Settled() || w.text(t, "SELECT count(*) FROM repos") != "0" {
			t.Errorf("got %+v", res)
		}
	})
}

// Drone inserts a row between our look and our transaction: nothing is written
// on the ground of that look.
func TestNameTakenAtTheLastMomentIsBegunAgain(t *testing.T) {
	w := newWorld(t, "SQLite")
	u := w.join(t, "ana", w.repo("acme/old"))
	fresh := w.repo("acme/app")
	w.exec(t, "CREATE TRIGGER drone BEFORE UPDATE ON perms BEGIN INSERT OR IGNORE INTO repos (repo_uid, repo_slug) VALUES ('900', 'acme/app'); END")
	if _, err := w.driver.Sync(t.Context(), u, w.want(fresh)); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
		t.Errorf("got %v", err)
	}
	if n := w.text(t, "SELECT count(*) FROM perms"); n != "1" {
		t.Errorf("%s permissions", n)
	}
	w.exec(t, "DROP TRIGGER drone")
	if res := w.sync(t, u, w.want(fresh)); !res.Settled() {
		t.Errorf("got %+v", res)
	}
}
