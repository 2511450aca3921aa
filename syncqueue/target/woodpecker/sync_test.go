package woodpecker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

func TestNotActivatedNeedsNobodysToken(t *testing.T) {
	s := newSim(t)
	u := s.user(t, "ana") // neither account nor token
	r := s.add(t, "fresh")
	gone := s.add(t, "gone")
	for p, want := range map[providers.Permission]string{providers.Write: "whoever administers it", providers.Admin: "he may add"} {
		before := s.wood.ForgeCalls()
		res := s.sync(t, u, target.Desired{Present: as(p, r), Absent: held(gone)})
		if why := res.Hidden[r.ID]; !strings.HasPrefix(why, target.Inactive) || !strings.Contains(why, want) {
			t.Errorf("%s: hidden because %q", p, why)
		}
		if !res.Settled() || res.Synced || s.wood.ForgeCalls() != before {
			t.Errorf("%s: got %+v, and the forge was asked %d times", p, res, s.wood.ForgeCalls()-before)
		}
	}
}

func TestWhatIsActivatedShowsWithTheNextLook(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.add(t, "fresh")
	s.grant(t, "ana", r, providers.Admin)
	now := time.Now()
	s.target = s.with(t, func(c *woodpecker.Config) { c.Now = func() time.Time { return now } })
	want := target.Desired{Present: as(providers.Admin, r)}
	if res := s.sync(t, u, want); res.Hidden[r.ID] == "" {
		t.Fatalf("got %+v", res)
	}
	s.wood.Adopt(r.ID, r.Path, "")
	now = now.Add(time.Second)
	if res := s.sync(t, u, want); !slices.Equal(res.Shown, []string{r.ID}) {
		t.Errorf("got %+v", res)
	}
}

func TestWhatWasJustActivatedIsNotCalledGone(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	s.sync(t, u, target.Desired{Absent: held(s.live(t, "one"))}) // lists what is active
	r := s.live(t, "two", "ana")
	s.logIn(t, "ana")
	res := s.sync(t, u, target.Desired{Absent: held(r)}) // the forge still grants it
	if !slices.Equal(res.Remaining, []string{r.ID}) {
		t.Errorf("got %+v", res)
	}
	s.revoke(t, "ana", r)
	s.write(t, "ana", "")
	if _, err := s.target.Sync(t.Context(), u, target.Desired{Absent: held(s.live(t, "three"))}); !errors.Is(err, target.ErrNoCredential) {
		t.Errorf("got %v: nobody can tell whether it shows", err)
	}
}

func TestFewAdditionsRefreshNothing(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	first, second := s.live(t, "one", "ana"), s.live(t, "two", "ana")
	calls, refreshes := s.wood.ForgeCalls(), s.wood.Refreshes("ana")
	res := s.sync(t, u, target.Desired{Present: held(first, second)})
	if !res.Settled() || !res.Synced || res.After != 2 {
		t.Errorf("got %+v", res)
	}
	if n := s.wood.ForgeCalls() - calls; n != 2 || s.wood.Refreshes("ana") != refreshes {
		t.Errorf("%d calls of the forge and %d refreshes, want one call for each repository", n, s.wood.Refreshes("ana")-refreshes)
	}
}

func TestManyAdditionsAreOneRefresh(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	var repos []providers.Repo
	for i := range 60 { // two pages of Woodpecker's
		repos = append(repos, s.live(t, fmt.Sprint("app-", i), "ana"))
	}
	refreshes := s.wood.Refreshes("ana")
	res := s.sync(t, u, target.Desired{Present: held(repos...)})
	if !res.Settled() || res.After != 60 || s.wood.Refreshes("ana") != refreshes+1 {
		t.Errorf("got %d of 60 in %d refreshes", res.After, s.wood.Refreshes("ana")-refreshes)
	}
}

func TestReaderHasARowAndNoEntryInTheList(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "one")
	s.grant(t, "ana", r, providers.Read)
	res := s.sync(t, u, target.Desired{Present: as(providers.Read, r)})
	if why := res.Hidden[r.ID]; !strings.Contains(why, "may only read") {
		t.Errorf("got %+v", res)
	}
	if got := s.wood.Opens("ana"); !slices.Equal(got, []string{r.Path}) {
		t.Errorf("opens %q", got)
	}

	// No list tells of that row, yet it goes with his access.
	s.revoke(t, "ana", r)
	res = s.sync(t, u, target.Desired{Absent: as(providers.None, r)})
	if !slices.Equal(res.Gone, []string{r.ID}) || !res.Synced {
		t.Errorf("got %+v", res)
	}
	if got := s.wood.Opens("ana"); len(got) != 0 {
		t.Errorf("still opens %q", got)
	}
}

func TestPromotedReaderIsListed(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "one")
	s.grant(t, "ana", r, providers.Read)
	s.sync(t, u, target.Desired{Present: as(providers.Read, r)})
	s.grant(t, "ana", r, providers.Write)
	s.wood.Age(2 * time.Hour) // else Woodpecker believes the row
	if res := s.sync(t, u, target.Desired{Present: held(r)}); !slices.Equal(res.Shown, []string{r.ID}) {
		t.Errorf("got %+v", res)
	}
}

func TestOpenRepositoryOfALeaverIsNoRemainder(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.add(t, "one")
	if err := s.forge.SetVisibility(r.Path, false); err != nil {
		t.Fatal(err)
	}
	s.wood.Adopt(r.ID, r.Path, "public")
	res := s.sync(t, u, target.Desired{Absent: as(providers.None, r)})
	if !slices.Equal(res.Gone, []string{r.ID}) {
		t.Errorf("got %+v: everybody may open what is public", res)
	}
}

func TestArchivedIsNotBroughtBack(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "one", "ana")
	if err := s.forge.SetArchived(r.Path, true); err != nil {
		t.Fatal(err)
	}
	r.Archived = true
	res := s.sync(t, u, target.Desired{Present: held(r)})
	if !strings.Contains(res.Hidden[r.ID], "archived") || len(s.wood.Opens("ana")) > 0 {
		t.Errorf("got %+v, opens %q", res, s.wood.Opens("ana"))
	}
}

func TestPreviewHoldsWhatTheCountCannotSee(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	var repos []providers.Repo
	for i := range 60 {
		repos = append(repos, s.live(t, fmt.Sprintf("app-%02d", i), "ana"))
	}
	s.sync(t, u, target.Desired{Present: held(repos...)})

	// The forge answers a short first page: Woodpecker takes it for the last.
	s.revoke(t, "ana", repos[0])
	heal := s.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "/user/repos"})
	want := target.Desired{
		Present: held(repos[1:]...), Absent: held(repos[0]),
		Count: func(context.Context) (int, error) { return 59, nil }, // asked with another token, and right
	}
	_, err := s.target.Sync(t.Context(), u, want)
	if held := new(target.HeldError); !errors.As(err, &held) || held.Have != 60 || held.Expect != 0 || held.Explained != 1 {
		t.Errorf("got %v, want it held at 60 against 0", err)
	}
	if n := len(s.wood.Shows("ana")); n != 60 {
		t.Errorf("%d of 60 are left", n)
	}
	heal()
	if res := s.sync(t, u, want); !res.Settled() || res.After != 59 {
		t.Errorf("after the fault: %+v", res)
	}
}

func TestStraysAreAReasonToRefresh(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	kept, stray := s.live(t, "one", "ana"), s.live(t, "two", "ana")
	s.sync(t, u, target.Desired{Present: held(kept, stray)})
	s.revoke(t, "ana", stray)
	res := s.sync(t, u, target.Desired{Present: held(kept), Stray: func(id, _ string) bool { return id == stray.ID }})
	if !res.Synced || len(res.Strays) > 0 || !slices.Equal(s.wood.Shows("ana"), []string{kept.Path}) {
		t.Errorf("got %+v, shows %q", res, s.wood.Shows("ana"))
	}
}

func TestHiddenByTheForgeIsExplainedAtTheLastLook(t *testing.T) {
	for name, edit := range map[string]func(*woodpecker.Config){"administrator": func(*woodpecker.Config) {}, "none": anonymous} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, edit)
			u := s.join(t, "ana")
			r := s.live(t, "one")
			want := target.Desired{Present: held(r)} // the forge does not let Woodpecker see it
			if res := s.sync(t, u, want); !slices.Equal(res.Missing, []string{r.ID}) {
				t.Errorf("got %+v", res)
			}
			want.Explain = true
			if res := s.sync(t, u, want); !strings.Contains(res.Hidden[r.ID], "OAuth") || !res.Settled() {
				t.Errorf("got %+v", res)
			}
		})
	}
}

func TestListToAddIsEvidenceWithoutAnAdministrator(t *testing.T) {
	s := newSim(t, anonymous)
	u := s.join(t, "ana")
	r := s.add(t, "one")
	s.grant(t, "ana", r, providers.Admin)
	want := target.Desired{Present: as(providers.Admin, r)}
	if res := s.sync(t, u, want); !slices.Equal(res.Missing, []string{r.ID}) {
		t.Errorf("got %+v", res)
	}
	want.Explain = true
	if res := s.sync(t, u, want); !strings.Contains(res.Hidden[r.ID], "it is in that list") {
		t.Errorf("got %+v", res)
	}
}

func TestRenamedRepositoryKeepsItsOldNameThere(t *testing.T) {
	s := newSim(t)
	u := s.join(t, "ana")
	r := s.live(t, "old", "ana")
	s.sync(t, u, target.Desired{Present: held(r)})
	if err := s.forge.RenameRepo(r.Path, "new"); err != nil {
		t.Fatal(err)
	}
	r.Path = org + "/new"
	if res := s.sync(t, u, target.Desired{Present: held(r)}); !res.Settled() || !strings.Contains(res.Note, "acme/old") {
		t.Errorf("got %+v", res)
	}
}

func TestAccountsAndActiveRepositoriesArePaged(t *testing.T) {
	s := newSim(t)
	for i := range 120 {
		login := fmt.Sprintf("user-%03d", i)
		s.user(t, login)
		s.logIn(t, login)
	}
	all, err := s.target.Accounts(t.Context())
	if err != nil || len(all) != 121 { // and the administrator
		t.Errorf("%d accounts, %v", len(all), err)
	}
	for i := range 120 {
		s.live(t, fmt.Sprintf("app-%03d", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var found []string
	err = s.target.Scout(ctx, func(repo string) {
		if found = append(found, repo); len(found) == 120 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(found) != 120 {
		t.Errorf("found %d, %v", len(found), err)
	}
}

func TestOnlyAdministratorsTokenListsUsers(t *testing.T) {
	s := newSim(t)
	s.join(t, "ana")
	for name, token := range map[string]string{"none": "", "a user's": woodToken("ana"), "wrong": "wrong"} {
		tg := s.with(t, func(c *woodpecker.Config) { c.AdminToken = token })
		if all, err := tg.Accounts(t.Context()); err == nil {
			t.Errorf("%s: got %+v", name, all)
		}
	}
}
