package dronedb_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/dronedb"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// world is a forge, and a database as Drone leaves it.
type world struct {
	*sql.DB
	engine string
	url    string
	driver *dronedb.Target
	now    time.Time

	mu        sync.Mutex
	repos     map[string]providers.Repo
	grants    map[string]map[string]bool // login -> ids
	asked     int                        // calls of Remote
	strangers int                        // questions without a credential
	broken    map[string]error           // what Remote says of an id instead
}

// each runs a claim on every kind of database.
func each(t *testing.T, claim func(*testing.T, *world)) {
	t.Helper()
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) { claim(t, newWorld(t, engine)) })
	}
}

func newWorld(t testing.TB, engine string) *world {
	t.Helper()
	w := &world{
		engine: engine, now: time.Unix(1_800_000_000, 0),
		repos: map[string]providers.Repo{}, grants: map[string]map[string]bool{}, broken: map[string]error{},
	}
	if engine == "SQLite" {
		file := filepath.Join(t.TempDir(), "drone db.sqlite")
		db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?_txlock=immediate&_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		w.DB, w.url = db, "sqlite://"+file
	} else {
		w.DB, w.url = postgres(t)
	}
	t.Cleanup(func() { _ = w.Close() })
	schema, err := os.ReadFile(filepath.Join("testdata", map[string]string{"SQLite": "sqlite.sql", "PostgreSQL": "postgres.sql"}[engine]))
	if err != nil {
		t.Fatal(err)
	}
	w.exec(t, string(schema))
	w.driver = w.another(t)
	return w
}

// postgres makes a schema of its own in the database of HOOKD_TEST_POSTGRES_URL.
func postgres(t testing.TB) (*sql.DB, string) {
	t.Helper()
	base := os.Getenv("HOOKD_TEST_POSTGRES_URL")
	if base == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("HOOKD_TEST_POSTGRES_URL is not set: CI has to try PostgreSQL, as .ci/run does")
		}
		t.Skip("HOOKD_TEST_POSTGRES_URL names no PostgreSQL to try: .ci/run starts one")
	}
	name := "t" + strings.ToLower(rand.Text())
	address, err := url.Parse(base)
	if err != nil {
		t.Fatal("HOOKD_TEST_POSTGRES_URL is no address")
	}
	q := address.Query()
	q.Set("search_path", name)
	address.RawQuery = q.Encode()
	cfg, err := pgx.ParseConfig(address.String())
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*cfg)
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		again := stdlib.OpenDB(*cfg)
		defer again.Close()
		if _, err := again.ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	return db, address.String()
}

// another returns one more driver of the same database, as another hookd has.
func (w *world) another(t testing.TB) *dronedb.Target {
	t.Helper()
	d, err := dronedb.New(dronedb.Config{Name: "drone", URL: w.url, Guard: target.Guard{Percent: 50, MinRepos: 20}, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func (w *world) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if w.engine == "PostgreSQL" && len(args) > 0 {
		for i := range args {
			query = strings.Replace(query, "?", "$"+strconv.Itoa(i+1), 1)
		}
	}
	if _, err := w.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// flags are the columns that hold true or false.
var flags = map[string]bool{
	"repo_active": true, "repo_private": true, "repo_trusted": true, "repo_protected": true, "repo_no_forks": true, "repo_no_pulls": true,
	"repo_cancel_pulls": true, "repo_cancel_push": true, "repo_cancel_running": true, "perm_read": true, "perm_write": true, "perm_admin": true,
}

// text reads one value of one row as text; "" for no row or NULL.
func (w *world) text(t testing.TB, query string) string {
	t.Helper()
	var v any
	if err := w.QueryRowContext(t.Context(), query).Scan(&v); err != nil && err != sql.ErrNoRows {
		t.Fatal(err)
	}
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case int64: // SQLite's flags are numbers
		if flags[strings.Fields(query)[1]] {
			return strconv.FormatBool(v != 0)
		}
		return strconv.FormatInt(v, 10)
	default:
		return fmt.Sprint(v)
	}
}

// repo puts a private repository on the forge.
func (w *world) repo(path string) providers.Repo {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := providers.Repo{ID: strconv.Itoa(100 + len(w.repos)), Path: path, Visibility: providers.Private}
	w.repos[r.ID] = r
	return r
}

func (w *world) change(id string, edit func(*providers.Repo)) providers.Repo {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.repos[id]
	edit(&r)
	w.repos[id] = r
	return r
}

func (w *world) rename(r providers.Repo, path string) providers.Repo {
	return w.change(r.ID, func(r *providers.Repo) { r.Path = path })
}

// gone deletes a repository on the forge.
func (w *world) gone(r providers.Repo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken[r.ID] = providers.ErrNotFound
}

// Remote is the forge's answer.
func (w *world) Remote(_ context.Context, id string) (providers.Repo, providers.Remote, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if err := w.broken[id]; err != nil {
		return providers.Repo{}, providers.Remote{}, err
	}
	r, ok := w.repos[id]
	if !ok {
		return providers.Repo{}, providers.Remote{}, providers.ErrNotFound
	}
	return r, remoteOf(r), nil
}

func remoteOf(r providers.Repo) providers.Remote {
	return providers.Remote{
		Clone: "https://git.example.com/" + r.Path + ".git", SSH: "git@git.example.com:" + r.Path + ".git",
		Link: "https://git.example.com/" + r.Path, Branch: "main", Private: r.Visibility == providers.Private,
	}
}

// join makes a user of Drone with what Drone's own sync gives him now.
func (w *world) join(t testing.TB, login string, repos ...providers.Repo) providers.User {
	t.Helper()
	w.exec(t, "INSERT INTO users (user_login, user_active, user_machine, user_admin, user_hash) VALUES (?, ?, ?, ?, ?)", login, true, false, false, "hash-"+login)
	id := w.text(t, "SELECT user_id FROM users WHERE user_login = '"+login+"'")
	for _, r := range repos {
		w.row(t, r)
		w.exec(t, `INSERT INTO perms VALUES (`+id+`, ?, ?, ?, ?, 1700000000, 1700000000, 1700000000)`, r.ID, true, true, false)
	}
	return providers.User{ID: "u-" + login, Login: login}
}

// row is a repository as Drone has it after builds ran.
func (w *world) row(t testing.TB, r providers.Repo) {
	t.Helper()
	a := remoteOf(r)
	visibility := string(r.Visibility)
	owner := providers.OwnerOf(r.Path)
	w.exec(t, `INSERT INTO repos (repo_uid, repo_user_id, repo_namespace, repo_name, repo_slug, repo_scm, repo_clone_url, repo_ssh_url, repo_html_url,
		repo_active, repo_private, repo_visibility, repo_branch, repo_counter, repo_config, repo_timeout, repo_trusted, repo_protected, repo_synced,
		repo_created, repo_updated, repo_version, repo_signer, repo_secret)
		VALUES (?, 1, ?, ?, ?, 'git', ?, ?, ?, ?, ?, ?, 'main', 42, '.drone.yml', 60, ?, ?, 1700000000, 1700000000, 1700000000, 3, 'signer', 'secret') ON CONFLICT DO NOTHING`,
		r.ID, owner, strings.TrimPrefix(r.Path, owner+"/"), r.Path, a.Clone, a.SSH, a.Link, true, a.Private, visibility, false, false)
}

// slug is the name under which Drone has a repository.
func (w *world) slug(t testing.TB, r providers.Repo) string {
	t.Helper()
	return w.text(t, "SELECT repo_slug FROM repos WHERE repo_uid = '"+r.ID+"'")
}

func (w *world) rowID(t testing.TB, r providers.Repo) string {
	t.Helper()
	return w.text(t, "SELECT repo_id FROM repos WHERE repo_uid = '"+r.ID+"'")
}

// want is what a user is to see.
func (w *world) want(present ...providers.Repo) target.Desired {
	return target.Desired{Present: of(present...), Remote: w.Remote}
}

func of(repos ...providers.Repo) []providers.Access {
	var out []providers.Access
	for _, r := range repos {
		out = append(out, providers.Access{Repo: r, Permission: providers.Read})
	}
	return out
}

func (w *world) sync(t testing.TB, u providers.User, want target.Desired) target.Result {
	t.Helper()
	res, err := w.driver.Sync(t.Context(), u, want)
	if err != nil {
		t.Fatalf("sync of %s: %v", u.Login, err)
	}
	return res
}

// scene lets the contract drive a world.
type scene struct{ *world }

func (s scene) Target() target.Target { return s.driver }

func (s scene) User(_ *testing.T, login string) providers.User {
	return providers.User{ID: "u-" + login, Login: login}
}

func (s scene) Repo(_ *testing.T, name string) providers.Repo { return s.repo("acme/" + name) }

func (s scene) Grant(_ *testing.T, u providers.User, r providers.Repo) { s.grant(u, r, true) }

func (s scene) Revoke(_ *testing.T, u providers.User, r providers.Repo) { s.grant(u, r, false) }

func (s scene) grant(u providers.User, r providers.Repo, has bool) {
	if s.grants[u.Login] == nil {
		s.grants[u.Login] = map[string]bool{}
	}
	s.grants[u.Login][r.ID] = has
}

func (s scene) Rename(_ *testing.T, r providers.Repo, name string) providers.Repo {
	return s.rename(r, "acme/"+name)
}

func (s scene) Archive(_ *testing.T, r providers.Repo) providers.Repo {
	return s.change(r.ID, func(r *providers.Repo) { r.Archived = true })
}

func (s scene) Count(u providers.User) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		n := 0
		for _, has := range s.grants[u.Login] {
			if has {
				n++
			}
		}
		return n, nil
	}
}

func (s scene) LogIn(t *testing.T, u providers.User) {
	var has []providers.Repo
	for id, ok := range s.grants[u.Login] {
		if ok {
			has = append(has, s.repos[id])
		}
	}
	s.join(t, u.Login, has...)
}

func TestContract(t *testing.T) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		t.Run(engine, func(t *testing.T) {
			targettest.RunShowing(t, func(t *testing.T) targettest.Scene { return scene{newWorld(t, engine)} })
		})
	}
}

var _ targettest.AddressBook = scene{}
