package dronedb_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
)

// What a first sync of Drone 2.28.1 wrote beside Gitea 1.25.4 (measured).
func TestRowsAreThoseOfDronesFirstSync(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		old := w.repo("acme/old")
		u := w.join(t, "ana", old)
		r := w.repo("acme/app")
		if res := w.sync(t, u, w.want(old, r)); !res.Settled() || !res.Synced {
			t.Fatalf("got %+v", res)
		}
		for column, want := range map[string]string{
			"repo_user_id": "0", "repo_namespace": "acme", "repo_name": "app", "repo_slug": "acme/app", "repo_scm": "",
			"repo_clone_url": "https://git.example.com/acme/app.git", "repo_ssh_url": "git@git.example.com:acme/app.git",
			"repo_html_url": "https://git.example.com/acme/app", "repo_active": "false", "repo_private": "true", "repo_visibility": "private",
			"repo_branch": "main", "repo_counter": "0", "repo_config": "", "repo_timeout": "0", "repo_throttle": "0", "repo_trusted": "false",
			"repo_protected": "false", "repo_no_forks": "false", "repo_no_pulls": "false", "repo_cancel_pulls": "false", "repo_cancel_push": "false",
			"repo_cancel_running": "false", "repo_synced": "1800000000", "repo_created": "1800000000", "repo_updated": "1800000000",
			"repo_version": "1", "repo_signer": "", "repo_secret": "",
		} {
			if got := w.text(t, "SELECT "+column+" FROM repos WHERE repo_uid = '"+r.ID+"'"); got != want {
				t.Errorf("%s is %q, want %q", column, got, want)
			}
		}
		for column, want := range map[string]string{
			"perm_read": "true", "perm_write": "false", "perm_admin": "false", "perm_synced": "0", "perm_created": "1800000000", "perm_updated": "1800000000",
		} {
			if got := w.text(t, "SELECT "+column+" FROM perms WHERE perm_repo_uid = '"+r.ID+"'"); got != want {
				t.Errorf("%s is %q, want %q", column, got, want)
			}
		}
		// Drone asks the forge anew about what he had: the flags stay, the stamp goes.
		for column, want := range map[string]string{"perm_write": "true", "perm_synced": "0", "perm_created": "1700000000"} {
			if got := w.text(t, "SELECT "+column+" FROM perms WHERE perm_repo_uid = '"+old.ID+"'"); got != want {
				t.Errorf("of the other, %s is %q, want %q", column, got, want)
			}
		}
	})
}

func TestVisibilityOfANewRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		u := w.join(t, "ana")
		for v, want := range map[providers.Visibility]string{
			providers.Public: "false public", providers.Private: "true private", providers.Internal: "false internal", "": "true private",
		} {
			r := w.repo("acme/is-" + string(v))
			r = w.change(r.ID, func(r *providers.Repo) { r.Visibility = v })
			w.sync(t, u, w.want(r))
			got := w.text(t, "SELECT repo_private FROM repos WHERE repo_uid = '"+r.ID+"'") + " " + w.text(t, "SELECT repo_visibility FROM repos WHERE repo_uid = '"+r.ID+"'")
			if got != want {
				t.Errorf("%q: got %s, want %s", v, got, want)
			}
		}
	})
}

func TestOnlyWhatIsNamedIsTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		kept, lost, stray := w.repo("acme/kept"), w.repo("acme/lost"), w.repo("acme/stray")
		u, other := w.join(t, "ana", kept, lost, stray), w.join(t, "li", lost, stray)
		want := w.want()
		want.Complete, want.Absent = true, of(lost)
		want.Stray = func(id, path string) bool { return id == stray.ID && path == "acme/stray" }
		res := w.sync(t, u, want)
		if !res.Settled() || len(res.Gone) != 1 || res.Before != 3 || res.After != 1 {
			t.Errorf("got %+v", res)
		}
		if n := w.text(t, "SELECT count(*) FROM repos"); n != "3" {
			t.Errorf("%s rows of repositories, want all 3", n)
		}
		if res := w.sync(t, other, w.want(lost, stray)); res.Synced || len(res.Shown) != 2 {
			t.Errorf("the other: %+v", res)
		}
	})
}

// Drone's sync deletes rows whose names were taken, and leaves the permissions:
// one that he lost meanwhile must not come back with the row.
func TestPermissionWithoutRowIsTakenToo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.repo("acme/app")
		u, other := w.join(t, "ana", r), w.join(t, "li")
		w.exec(t, "DELETE FROM repos")
		want := w.want()
		want.Absent = of(r)
		if res := w.sync(t, u, want); len(res.Gone) != 1 {
			t.Errorf("got %+v", res)
		}
		w.sync(t, other, w.want(r))
		if res := w.sync(t, u, want); len(res.Gone) != 1 || res.After != 0 {
			t.Errorf("the row is there again: %+v", res)
		}
	})
}
