package dronedb_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/dronedb"
)

// stranger answers as Drone answers who has no credential: by the row's
// visibility, under the name that Drone knows (source: handler/api/acl/check.go).
func (w *world) stranger(t *testing.T) func(context.Context, providers.Repo) (bool, error) {
	return func(_ context.Context, r providers.Repo) (bool, error) {
		w.strangers++
		return w.text(t, "SELECT repo_uid FROM repos WHERE repo_slug = '"+r.Path+"' AND repo_visibility = 'public'") == r.ID, nil
	}
}

// watched returns a driver that has Drone asked as a stranger by ask.
func (w *world) watched(t *testing.T, ask func(context.Context, providers.Repo) (bool, error)) *dronedb.Target {
	t.Helper()
	d, err := dronedb.New(dronedb.Config{Name: "drone", URL: w.url, Stranger: ask, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// shows is a row's private flag and visibility.
func (w *world) shows(t *testing.T, r providers.Repo) string {
	t.Helper()
	return w.text(t, "SELECT repo_private FROM repos WHERE repo_uid = '"+r.ID+"'") + " " + w.text(t, "SELECT repo_visibility FROM repos WHERE repo_uid = '"+r.ID+"'")
}

// window puts a repository into Drone that was public when Drone met it, and is v by
// now.
func (w *world) window(t *testing.T, v providers.Visibility) providers.Repo {
	t.Helper()
	r := w.repo("acme/window")
	w.row(t, w.change(r.ID, func(r *providers.Repo) { r.Visibility = providers.Public }))
	return w.change(r.ID, func(r *providers.Repo) { r.Visibility = v })
}

func TestWhatBecamePrivateIsClosedAndAStrangerAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.window(t, providers.Private)
		driver := w.watched(t, w.stranger(t))
		all, err := driver.Exposed(t.Context())
		if err != nil || len(all) != 1 || all[0].ID != r.ID || all[0].Path != r.Path || all[0].Visibility != providers.Public {
			t.Fatalf("exposed are %+v, %v", all, err)
		}
		for i, want := range []target.Concealed{{Closed: true}, {}} {
			if got, err := driver.Conceal(t.Context(), r); err != nil || got != want {
				t.Errorf("call %d: %+v, %v, want %+v", i+1, got, err, want)
			}
			if got := w.shows(t, r); got != "true private" || w.strangers != i+1 {
				t.Errorf("call %d: %s, a stranger asked %d times", i+1, got, w.strangers)
			}
		}
		if all, err = driver.Exposed(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("exposed are still %+v, %v", all, err)
		}
	})
}

// Drone's own sync corrects the flag and leaves the visibility. One whose
// visibility is right may lack the flag, by which a build is given the means to
// clone.
func TestConcealMendsWhatDronesSyncLeaves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			left   string
			now    providers.Visibility
			closed bool
			want   string
		}{
			"flag mended":      {"repo_private = true", providers.Private, true, "true private"},
			"flag not mended":  {"repo_visibility = 'private'", providers.Private, false, "true private"},
			"internal by now":  {"repo_uid = repo_uid", providers.Internal, true, "false private"},
			"internal in both": {"repo_visibility = 'internal'", providers.Internal, false, "false internal"},
			"public in both":   {"repo_uid = repo_uid", providers.Public, false, "false public"},
		} {
			w.exec(t, "DELETE FROM repos")
			r := w.window(t, c.now)
			w.exec(t, "UPDATE repos SET "+c.left)
			got, err := w.driver.Conceal(t.Context(), r)
			if err != nil || got.Closed != c.closed || w.shows(t, r) != c.want {
				t.Errorf("%s: %+v, %v, %s, want %s", name, got, err, w.shows(t, r), c.want)
			}
		}
	})
}

func TestConcealAsksUnderTheNameThatDroneKnows(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.window(t, providers.Private)
		was := r.Path
		r = w.rename(r, "acme/wall")
		var asked string
		driver := w.watched(t, func(_ context.Context, r providers.Repo) (bool, error) { asked = r.Path; return false, nil })
		if got, err := driver.Conceal(t.Context(), r); err != nil || !got.Closed || asked != was {
			t.Errorf("%+v, %v, asked for %q, want %q", got, err, asked, was)
		}
	})
}

func TestConcealBelievesNobodyButTheStranger(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.window(t, providers.Private)
		for _, says := range []struct {
			sees bool
			err  error
			text string
		}{{true, nil, "strangers still see it"}, {false, errors.New("no answer"), "no answer"}} {
			driver := w.watched(t, func(context.Context, providers.Repo) (bool, error) { return says.sees, says.err })
			if _, err := driver.Conceal(t.Context(), r); err == nil || !strings.Contains(err.Error(), says.text) {
				t.Errorf("got %v, want %q", err, says.text)
			}
		}
	})
}

func TestConcealSaysThatNobodyCouldAskAsAStranger(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got, err := w.driver.Conceal(t.Context(), w.window(t, providers.Private))
		if err != nil || !got.Closed || !strings.Contains(got.Unproven, "url") {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestConcealOfWhatDroneDoesNotHave(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got, err := w.driver.Conceal(t.Context(), w.repo("acme/none"))
		if err != nil || got != (target.Concealed{Unknown: true}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
