package targettest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Run examines a driver that acts with users' own credentials and reads its CI
// server back. newWorld is called once for each claim; it may return the same
// world again.
func Run(t *testing.T, newWorld func(t *testing.T) World) {
	claims := []struct {
		name string
		test func(*testing.T, World)
	}{
		{"NotYetGrantedIsMissing", notYetGrantedIsMissing},
		{"EmptyForgeListIsHeld", emptyListIsHeld},
		{"UserWithoutCredentialIsToldApart", withoutCredential},
		{"RejectedCredentialConcernsOneUser", rejectedCredential},
	}
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) { c.test(t, newWorld(t)) })
	}
	// Last, as a driver may take a newcomer for a stranger for a moment after it
	// met one, and a world may be the same for all claims.
	RunShowing(t, func(t *testing.T) Scene { return newWorld(t) })
}

// RunShowing examines a driver that reads its CI server back, however it acts
// there.
func RunShowing(t *testing.T, newScene func(t *testing.T) Scene) {
	claims := []struct {
		name string
		test func(*testing.T, Scene)
	}{
		{"GrantedRepositoryShows", grantedShows},
		{"RevokedRepositoryIsGoneAndTheRestStays", revokedIsGone},
		{"NothingIsTakenThatWasNotNamed", nothingElseIsTaken},
		{"SatisfiedUserIsNotSynced", satisfiedIsNotSynced},
		{"RenamedRepositoryEndsUnderItsNewName", renamedMoves},
		{"ArchivedRepositoryIsHiddenWithEvidence", archivedIsHidden},
		{"RemovalAgainstAnEmptyCountIsHeld", emptyCountIsHeld},
		{"CountThatFailsSyncsNothing", failingCountSyncsNothing},
		{"StrayIsTaken", strayIsTaken},
		{"UsersDoNotDisturbEachOther", usersAtOnce},
		{"CancelledSyncChangesNothing", cancelledChangesNothing},
		{"HostileLoginIsNobody", hostileLogin},
		{"UserWithoutAccountIsToldApart", withoutAccount},
		{"ProbeTellsTheVersion", probeTellsVersion},
		{"RosterListsWhoLoggedIn", rosterLists},
	}
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) { c.test(t, newScene(t)) })
	}
}

// ready makes a user who holds the named repositories and is in sync.
func ready(t *testing.T, w Scene, login string, names ...string) (providers.User, []providers.Access) {
	t.Helper()
	u := w.User(t, login)
	var held []providers.Access
	for _, name := range names {
		r := w.Repo(t, name)
		w.Grant(t, u, r)
		held = append(held, access(u, r))
	}
	w.LogIn(t, u)
	if keys, ok := w.(World); ok {
		keys.GiveCredential(t, u)
	}
	return u, held
}

func access(u providers.User, r providers.Repo) providers.Access {
	return providers.Access{User: u, Repo: r, Permission: providers.Read}
}

func ids(as ...providers.Access) []string {
	var out []string
	for _, a := range as {
		out = append(out, a.Repo.ID)
	}
	return out
}

func publish(t *testing.T, w Scene, u providers.User, want target.Desired) target.Result {
	t.Helper()
	if want.Count == nil {
		want.Count = w.Count(u)
	}
	if book, ok := w.(AddressBook); ok {
		want.Remote = book.Remote
	}
	res, err := w.Target().Sync(t.Context(), u, want)
	if err != nil {
		t.Fatalf("Sync of %s: %v", u.Login, err)
	}
	return res
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func grantedShows(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one")
	r := w.Repo(t, "two")
	w.Grant(t, u, r)
	held = append(held, access(u, r))
	res := publish(t, w, u, target.Desired{Present: held})
	same(t, "Shown", res.Shown, ids(held...))
	if !res.Settled() || !res.Synced || res.Before != 1 || res.After != 2 {
		t.Errorf("got %+v, want a settled sync from 1 to 2", res)
	}
}

func revokedIsGone(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two", "three")
	w.Revoke(t, u, held[0].Repo)
	res := publish(t, w, u, target.Desired{Present: held[1:], Absent: held[:1]})
	same(t, "Gone", res.Gone, ids(held[0]))
	same(t, "Shown", res.Shown, ids(held[1:]...))
}

func nothingElseIsTaken(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two", "three")
	r := w.Repo(t, "four")
	w.Grant(t, u, r)
	publish(t, w, u, target.Desired{Present: []providers.Access{access(u, r)}})
	res := publish(t, w, u, target.Desired{Present: held})
	same(t, "Shown", res.Shown, ids(held...))
}

func satisfiedIsNotSynced(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two")
	absent := access(u, w.Repo(t, "never-had"))
	want := target.Desired{Present: held, Absent: []providers.Access{absent}, Count: func(context.Context) (int, error) {
		t.Error("the forge was asked for a user who has everything")
		return target.Unknown, nil
	}}
	for range 2 {
		res := publish(t, w, u, want)
		same(t, "Shown", res.Shown, ids(held...))
		same(t, "Gone", res.Gone, ids(absent))
		if res.Synced || !res.Settled() || res.Before != res.After {
			t.Errorf("got %+v, want a settled result without a sync", res)
		}
	}
}

func notYetGrantedIsMissing(t *testing.T, w World) {
	u, _ := ready(t, w, "ana", "one")
	r := w.Repo(t, "two")
	res := publish(t, w, u, target.Desired{Present: []providers.Access{access(u, r)}})
	same(t, "Missing", res.Missing, []string{r.ID})
	if res.Settled() {
		t.Error("settled, though a repository does not show")
	}
}

func renamedMoves(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "old")
	held[0].Repo = w.Rename(t, held[0].Repo, "new")
	want := target.Desired{Present: held}
	for range 3 { // a CI server may need a second look
		if res := publish(t, w, u, want); res.Settled() {
			same(t, "Shown", res.Shown, ids(held...))
			return
		}
	}
	t.Error("the new name never shows")
}

func archivedIsHidden(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one")
	r := w.Repo(t, "attic")
	w.Grant(t, u, r)
	held = append(held, access(u, w.Archive(t, r)))
	res := publish(t, w, u, target.Desired{Present: held})
	if res.Hidden[r.ID] == "" || !res.Settled() {
		t.Errorf("got %+v, want %s hidden with evidence", res, r.ID)
	}
}

func emptyListIsHeld(t *testing.T, w World) {
	u, held := ready(t, w, "ana", "one", "two")
	r := w.Repo(t, "three")
	w.Grant(t, u, r)
	want := target.Desired{
		Present: []providers.Access{access(u, r)},
		Count:   func(context.Context) (int, error) { return 0, nil },
	}
	_, err := w.Target().Sync(t.Context(), u, want)
	if held := new(target.HeldError); !errors.As(err, &held) || held.Have != 2 || held.Expect != 0 {
		t.Fatalf("got %v, want it held at 2 against 0", err)
	}
	want.Force = true
	same(t, "Shown by force", publish(t, w, u, want).Shown, []string{r.ID})
	same(t, "Shown", publish(t, w, u, target.Desired{Present: held}).Shown, ids(held...))
}

func emptyCountIsHeld(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two", "three")
	w.Revoke(t, u, held[0].Repo)
	want := target.Desired{
		Present: held[1:], Absent: held[:1],
		Count: func(context.Context) (int, error) { return 0, nil },
	}
	_, err := w.Target().Sync(t.Context(), u, want)
	if held := new(target.HeldError); !errors.As(err, &held) || held.Have != 3 || held.Expect != 0 || held.Explained != 1 {
		t.Fatalf("got %v, want it held at 3 against 0, of which 1 is explained", err)
	}
	want.Force = true
	res := publish(t, w, u, want)
	same(t, "Gone by force", res.Gone, ids(held[0]))
	same(t, "Shown", res.Shown, ids(held[1:]...))
}

func failingCountSyncsNothing(t *testing.T, w Scene) {
	u, held := ready(t, w, "ana", "one", "two")
	w.Revoke(t, u, held[0].Repo)
	_, err := w.Target().Sync(t.Context(), u, target.Desired{
		Present: held[1:], Absent: held[:1],
		Count: func(context.Context) (int, error) { return 0, providers.ErrNonsense },
	})
	if !errors.Is(err, providers.ErrNonsense) {
		t.Fatalf("got %v, want the count's error", err)
	}
	// What was revoked still shows, so nobody synchronized.
	res := publish(t, w, u, target.Desired{Present: held})
	same(t, "Shown", res.Shown, ids(held...))
	if res.Synced {
		t.Error("the list had changed before")
	}
}

func withoutCredential(t *testing.T, w World) {
	u, held := ready(t, w, "ana", "one")
	w.TakeCredential(t, u)
	r := w.Repo(t, "two")
	w.Grant(t, u, r)
	want := target.Desired{Present: append(held, access(u, r)), Count: w.Count(u)}
	if _, err := w.Target().Sync(t.Context(), u, want); !errors.Is(err, target.ErrNoCredential) {
		t.Fatalf("got %v, want ErrNoCredential", err)
	}
	w.GiveCredential(t, u)
	same(t, "Shown", publish(t, w, u, want).Shown, ids(want.Present...))
}

func rejectedCredential(t *testing.T, w World) {
	u, held := ready(t, w, "ana", "one")
	other, theirs := ready(t, w, "li", "two")
	r := w.Repo(t, "three")
	w.Grant(t, u, r)
	w.Grant(t, other, r)
	w.SpoilCredential(t, u)
	want := target.Desired{Present: append(held, access(u, r)), Count: w.Count(u)}
	for range 2 {
		if _, err := w.Target().Sync(t.Context(), u, want); !errors.Is(err, target.ErrRejected) {
			t.Fatalf("got %v, want ErrRejected", err)
		}
	}
	if k, ok := w.Target().(target.Keyring); ok {
		if got := k.Credential(u.Login); got != target.CredentialRejected {
			t.Errorf("Credential is %q, want rejected", got)
		}
	}
	theirs = append(theirs, access(other, r))
	same(t, "Shown to the other", publish(t, w, other, target.Desired{Present: theirs}).Shown, ids(theirs...))
	w.GiveCredential(t, u)
	same(t, "Shown", publish(t, w, u, want).Shown, ids(want.Present...))
}

func withoutAccount(t *testing.T, w Scene) {
	if _, ok := w.Target().(target.Roster); !ok {
		t.Log("a driver without a roster cannot know who has an account")
		return
	}
	u := w.User(t, "newcomer")
	r := w.Repo(t, "one")
	w.Grant(t, u, r)
	want := target.Desired{Present: []providers.Access{access(u, r)}, Count: w.Count(u)}
	for range 2 {
		if _, err := w.Target().Sync(t.Context(), u, want); !errors.Is(err, target.ErrNoAccount) {
			t.Fatalf("got %v, want ErrNoAccount", err)
		}
	}
	// He comes a moment later.
	w.LogIn(t, u)
	if g, ok := w.Target().(target.Greeter); ok {
		g.Greet(u.Login)
	}
	if _, err := w.Target().Sync(t.Context(), u, want); errors.Is(err, target.ErrNoAccount) {
		t.Fatal("he has an account now")
	}
	if keys, ok := w.(World); ok {
		keys.GiveCredential(t, u)
	}
	same(t, "Shown", publish(t, w, u, want).Shown, []string{r.ID})
}

func probeTellsVersion(t *testing.T, w Scene) {
	v, err := w.Target().Probe(t.Context())
	if err != nil || v == "" {
		t.Errorf("got %q and %v, want a version", v, err)
	}
}

func rosterLists(t *testing.T, w Scene) {
	roster, ok := w.Target().(target.Roster)
	if !ok {
		t.Log("the driver has no roster")
		return
	}
	u, _ := ready(t, w, "ana")
	all, err := roster.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(a target.Account) bool { return a.Login == u.Login && a.Active && !a.Machine }) {
		t.Errorf("%s is not among %+v", u.Login, all)
	}
}
