package targettest

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// RunTold examines a driver whose target is told what a user may see and cannot
// be read back. newWorld is called once for each claim; messages of its driver
// have to reach the receiver that it returns.
func RunTold(t *testing.T, newWorld func(t *testing.T) (target.Target, *Receiver)) {
	claims := []struct {
		name string
		test func(*testing.T, target.Target, *Receiver)
	}{
		{"GrantedRepositoryShows", toldGrant},
		{"RevokedRepositoryIsGoneAndTheRestStays", toldRevoke},
		{"CompleteListTakesWhatItLacks", toldComplete},
		{"RenamedRepositoryHasItsNewName", toldRename},
		{"RefusedMessageIsNotBelieved", toldRefused},
		{"UsersAreToldApart", toldApart},
		{"UsersDoNotDisturbEachOther", toldAtOnce},
		{"CancelledSyncTellsNothing", toldInVain},
		{"HostileNamesAreData", toldHostile},
		{"ProbeAnswers", toldProbe},
	}
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			driver, r := newWorld(t)
			c.test(t, driver, r)
		})
	}
}

var (
	ana = providers.User{ID: "7", Login: "ana"}
	li  = providers.User{ID: "8", Login: "li"}
)

// of makes what u is to see: repositories whose ids are their names.
func of(u providers.User, version uint64, present ...string) target.Desired {
	return target.Desired{Version: version, Present: accesses(u, providers.Read, present...)}
}

func accesses(u providers.User, p providers.Permission, names ...string) []providers.Access {
	var out []providers.Access
	for _, n := range names {
		out = append(out, providers.Access{User: u, Repo: providers.Repo{ID: n, Path: "acme/" + n}, Permission: p})
	}
	return out
}

func tell(t *testing.T, d target.Target, u providers.User, want target.Desired) target.Result {
	t.Helper()
	res, err := d.Sync(t.Context(), u, want)
	if err != nil {
		t.Fatalf("Sync of %s: %v", u.Login, err)
	}
	if !res.Settled() {
		t.Errorf("not settled: %+v", res)
	}
	same(t, "Shown", res.Shown, ids(want.Present...))
	same(t, "Gone", res.Gone, ids(want.Absent...))
	return res
}

func toldGrant(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one"))
	tell(t, d, ana, of(ana, 2, "one", "two"))
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one", "acme/two"})
}

func toldRevoke(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one", "two", "three"))
	want := of(ana, 2, "one")
	want.Absent = accesses(ana, providers.None, "two")
	tell(t, d, ana, want)
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one", "acme/three"})
}

func toldComplete(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one", "two"))
	want := of(ana, 1, "one")
	want.Complete = true
	tell(t, d, ana, want)
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one"})
}

func toldRename(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one"))
	want := of(ana, 2, "one")
	want.Present[0].Repo.Path = "acme/uno"
	tell(t, d, ana, want)
	same(t, "ana", r.Shows(ana.ID), []string{"acme/uno"})
}

func toldRefused(t *testing.T, d target.Target, r *Receiver) {
	r.Refuse(true)
	for range 2 {
		if res, err := d.Sync(t.Context(), ana, of(ana, 1, "one")); err == nil {
			t.Errorf("refused, but got %+v", res)
		}
	}
	r.Refuse(false)
	tell(t, d, ana, of(ana, 1, "one"))
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one"})
}

func toldApart(t *testing.T, d target.Target, r *Receiver) {
	tell(t, d, ana, of(ana, 1, "one"))
	tell(t, d, li, of(li, 1, "two"))
	same(t, "ana", r.Shows(ana.ID), []string{"acme/one"})
	same(t, "li", r.Shows(li.ID), []string{"acme/two"})
}

func toldProbe(t *testing.T, d target.Target, _ *Receiver) {
	if v, err := d.Probe(t.Context()); err != nil || v == "" {
		t.Errorf("got %q and %v", v, err)
	}
}
