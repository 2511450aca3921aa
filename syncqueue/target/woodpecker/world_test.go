package woodpecker_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
	"github.com/hookd/hookd/syncqueue/target/woodpecker"
)

var guard = target.Guard{Percent: 50, MinRepos: 20}

const org = "acme"

// sim is a world of a simulated Gitea and a simulated Woodpecker beside it.
type sim struct {
	forge  *providerstest.Gitea
	wood   *targettest.Woodpecker
	now    time.Time // of the driver: a second passes with each repository that becomes active
	dir    string
	target *woodpecker.Target
}

func newSim(t testing.TB, edit ...func(*woodpecker.Config)) *sim {
	t.Helper()
	f, err := providerstest.StartGitea(providerstest.GiteaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	s := &sim{forge: f, dir: t.TempDir(), now: time.Now()}
	s.wood = targettest.StartWoodpecker(targettest.WoodpeckerOptions{ForgeURL: f.URL()})
	t.Cleanup(s.wood.Close)
	if _, err := f.CreateOrg(org, "private"); err != nil {
		t.Fatal(err)
	}
	s.target = s.with(t, edit...)
	return s
}

// with returns another driver of the same Woodpecker.
func (s *sim) with(t testing.TB, edit ...func(*woodpecker.Config)) *woodpecker.Target {
	t.Helper()
	cfg := woodpecker.Config{
		Name: "woodpecker", URL: s.wood.URL, AdminToken: s.wood.AdminToken(), TokenDir: s.dir, Guard: guard,
		Now: func() time.Time { return s.now },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, e := range edit {
		e(&cfg)
	}
	tg, err := woodpecker.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// anonymous is a driver without an administrator's token.
func anonymous(c *woodpecker.Config) { c.AdminToken = "" }

func woodToken(login string) string { return "wood-token-of-" + login }

// join makes a user of the forge, who logs in to Woodpecker and gives the driver
// his token.
func (s *sim) join(t testing.TB, login string) providers.User {
	t.Helper()
	u := s.user(t, login)
	s.logIn(t, login)
	s.write(t, login, woodToken(login)+"\n")
	return u
}

func (s *sim) user(t testing.TB, login string) providers.User {
	t.Helper()
	u, err := s.forge.CreateUser(login)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (s *sim) logIn(t testing.TB, login string) {
	t.Helper()
	if err := s.wood.LogIn(login, woodToken(login), s.forge.Token(login)); err != nil {
		t.Fatal(err)
	}
}

// add makes a repository that nobody has and nobody activated.
func (s *sim) add(t testing.TB, name string) providers.Repo {
	t.Helper()
	r, err := s.forge.CreateRepo(providerstest.GiteaRepo{Owner: org, Name: name, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// live makes an active repository that the users may push to.
func (s *sim) live(t testing.TB, name string, logins ...string) providers.Repo {
	t.Helper()
	r := s.add(t, name)
	s.wood.Adopt(r.ID, r.Path, "")
	s.now = s.now.Add(time.Second)
	for _, l := range logins {
		s.grant(t, l, r, providers.Write)
	}
	return r
}

func (s *sim) grant(t testing.TB, login string, r providers.Repo, p providers.Permission) {
	t.Helper()
	if err := s.forge.AddCollaborator(r.Path, login, p); err != nil {
		t.Fatal(err)
	}
}

func (s *sim) revoke(t testing.TB, login string, r providers.Repo) {
	t.Helper()
	if err := s.forge.RemoveCollaborator(r.Path, login); err != nil {
		t.Fatal(err)
	}
}

func (s *sim) write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// sync publishes and wants no error.
func (s *sim) sync(t testing.TB, u providers.User, want target.Desired) target.Result {
	t.Helper()
	res, err := s.target.Sync(t.Context(), u, want)
	if err != nil {
		t.Fatalf("Sync of %s: %v", u.Login, err)
	}
	return res
}

// held is what the catalogue knows of repositories that a user may push to.
func held(repos ...providers.Repo) []providers.Access { return as(providers.Write, repos...) }

func as(p providers.Permission, repos ...providers.Repo) []providers.Access {
	var out []providers.Access
	for _, r := range repos {
		out = append(out, providers.Access{Repo: r, Permission: p})
	}
	return out
}

// simWorld lets the contract drive a sim. Its repositories are active.
type simWorld struct{ *sim }

func (w simWorld) Target() target.Target { return w.target }

func (w simWorld) User(t *testing.T, login string) providers.User { return w.user(t, login) }

func (w simWorld) Repo(t *testing.T, name string) providers.Repo { return w.live(t, name) }

func (w simWorld) Grant(t *testing.T, u providers.User, r providers.Repo) {
	w.grant(t, u.Login, r, providers.Write)
}

func (w simWorld) Revoke(t *testing.T, u providers.User, r providers.Repo) { w.revoke(t, u.Login, r) }

func (w simWorld) Rename(t *testing.T, r providers.Repo, name string) providers.Repo {
	t.Helper()
	if err := w.forge.RenameRepo(r.Path, name); err != nil {
		t.Fatal(err)
	}
	r.Path = org + "/" + name
	return r
}

func (w simWorld) Archive(t *testing.T, r providers.Repo) providers.Repo {
	t.Helper()
	if err := w.forge.SetArchived(r.Path, true); err != nil {
		t.Fatal(err)
	}
	r.Archived = true
	return r
}

func (w simWorld) Count(providers.User) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { return 100, nil }
}

func (w simWorld) LogIn(t *testing.T, u providers.User) { w.logIn(t, u.Login) }

func (w simWorld) GiveCredential(t *testing.T, u providers.User) {
	w.write(t, u.Login, woodToken(u.Login)+"\n")
}

func (w simWorld) SpoilCredential(t *testing.T, u providers.User) { w.write(t, u.Login, "spoilt\n") }

func (w simWorld) TakeCredential(t *testing.T, u providers.User) {
	if err := os.Remove(filepath.Join(w.dir, u.Login)); err != nil {
		t.Fatal(err)
	}
}

func TestContractAgainstSimulatedWoodpecker(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World { return simWorld{newSim(t)} })
}

func TestContractWithoutAdministrator(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.World { return noRoster{simWorld{newSim(t, anonymous)}} })
}

// noRoster hides what only an administrator can tell.
type noRoster struct{ simWorld }

func (w noRoster) Target() target.Target {
	return struct {
		target.Target
		target.Keyring
	}{w.target, w.target}
}

func logTo(w *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
