package targettest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// A stray shows, is held by nobody, and was never named as lost.
func strayIsTaken(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two", "three")
	stray := held[0]
	w.Revoke(t, u, stray.Repo)
	want := target.Desired{Present: held[1:], Stray: func(id, _ string) bool { return id == stray.Repo.ID }}
	if res := publish(t, w, u, want); !res.Settled() {
		t.Errorf("got %+v, want it settled", res)
	}
	res := publish(t, w, u, target.Desired{Present: held[1:], Absent: held[:1]})
	same(t, "Gone", res.Gone, ids(stray))
	if res.Synced {
		t.Error("the stray was still there")
	}
}

func usersAtOnce(t *testing.T, w Scene) {
	var users []providers.User
	var wants []target.Desired
	for _, login := range []string{"ana", "li", "omar"} {
		u, held := ready(t, w, login, login+"-one", login+"-two")
		r := w.Repo(t, login+"-three")
		w.Grant(t, u, r)
		w.Revoke(t, u, held[0].Repo)
		users = append(users, u)
		wants = append(wants, target.Desired{Present: append(held[1:], access(u, r)), Absent: held[:1]})
	}
	results, errs := make([]target.Result, len(users)), make([]error, len(users))
	var wg sync.WaitGroup
	for i, u := range users {
		wants[i].Count = w.Count(u)
		if book, ok := w.(AddressBook); ok {
			wants[i].Remote = book.Remote
		}
		wg.Go(func() {
			// The queue tries again what fails, as one whose turn it was not in a
			// server's locked database does.
			for range 3 {
				if results[i], errs[i] = w.Target().Sync(t.Context(), u, wants[i]); errs[i] == nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for i, res := range results {
		if errs[i] != nil {
			t.Errorf("Sync of %s: %v", users[i].Login, errs[i])
		}
		same(t, "Shown to "+users[i].Login, res.Shown, ids(wants[i].Present...))
		same(t, "Gone from "+users[i].Login, res.Gone, ids(wants[i].Absent...))
	}
}

func cancelledChangesNothing(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two")
	w.Revoke(t, u, held[0].Repo)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	res, err := w.Target().Sync(ctx, u, target.Desired{Present: held[1:], Absent: held[:1], Count: w.Count(u)})
	if err == nil {
		t.Fatalf("got %+v from nobody", res)
	}
	for _, park := range []error{target.ErrNoCredential, target.ErrRejected, target.ErrNoAccount, target.ErrMustLogIn} {
		if errors.Is(err, park) {
			t.Errorf("got %v, which blames the user", err)
		}
	}
	if res := publish(t, w, u, target.Desired{Present: held}); res.Synced {
		t.Error("the list had changed before")
	}
}

// A login is not a path, a pattern or a statement.
func hostileLogin(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two")
	for _, login := range []string{"", ".", "..", "../" + u.Login, u.Login + "/repos", u.Login + "?x", u.Login + "'--", "%", "_", u.Login + "\x00", u.Login + "\xff"} {
		hostile := providers.User{ID: "nobody", Login: login}
		want := target.Desired{Absent: held, Count: func(context.Context) (int, error) { return target.Unknown, nil }}
		res, err := w.Target().Sync(t.Context(), hostile, want)
		if !errors.Is(err, target.ErrNoAccount) && !errors.Is(err, target.ErrNoCredential) {
			t.Errorf("%q: got %+v and %v, want that it is nobody", login, res, err)
		}
	}
	res := publish(t, w, u, target.Desired{Present: held})
	same(t, "Shown", res.Shown, ids(held...))
	if res.Synced {
		t.Error("the list had changed before")
	}
}

func toldAtOnce(t *testing.T, d target.Target, r *Receiver) {
	logins := []string{"ana", "li", "omar", "zoe"}
	var wg sync.WaitGroup
	for _, login := range logins {
		u := providers.User{ID: "id-of-" + login, Login: login}
		wg.Go(func() {
			if res, err := d.Sync(t.Context(), u, of(u, 1, login+"-one", login+"-two")); err != nil || !res.Settled() {
				t.Errorf("%s: %+v, %v", login, res, err)
			}
		})
	}
	wg.Wait()
	for _, login := range logins {
		same(t, login, r.Shows("id-of-"+login), []string{"acme/" + login + "-one", "acme/" + login + "-two"})
	}
}

func toldInVain(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if res, err := d.Sync(ctx, ana, of(ana, 2, "two")); err == nil {
		t.Errorf("got %+v from nobody", res)
	}
	if got := r.Shows(ana.ID); !slices.Equal(got, []string{"acme/one"}) {
		t.Errorf("ana: %q", got)
	}
}

// Names are data: whatever they say, they arrive as they are, and about nobody
// else.
func toldHostile(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one"))
	mean := providers.User{ID: "../7", Login: "$(id)\n\";'\x1b[31m\u202e"}
	want := target.Desired{Version: 1, Present: accesses(mean, providers.Read, "`id`; --flag\n\u202e")}
	tell(t, d, mean, want)
	same(t, "the mean one", r.Shows(mean.ID), []string{"acme/`id`; --flag\n\u202e"})
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one"})
}
