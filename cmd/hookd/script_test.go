package main

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// TestScripts runs the real program as the files in testdata/script tell.
//
// Commands beside testscript's own:
//
//	code N COMMAND…          run a command that must exit with N
//	await PATTERN COMMAND…   repeat a command until it succeeds and prints PATTERN
//	world [KIND [CI]]        start a simulated forge, by default a Gitea, and a CI server, by
//	                         default a Drone, and write a hookd.yaml for them, with its
//	                         secrets in files
//	database FILE LOGIN…     make the SQLite file of a Drone whose users these are, and let
//	                         hookd.yaml follow it in mode database; or add users to it
//	sql FILE QUERY PATTERN   query a SQLite file until a row of one column has the pattern
//	repo create|delete NAME  on the simulated forge; created ones are active at once
//	repo create NAME BY      as somebody, on a Gitea; nobody activates it
//	repo public|private NAME who may see it, on a Gitea
//	repo draft|activate NAME the same in two steps, where the CI server wants that
//	repo file NAME FILE      commit a file, on a Gitea
//	drone NAME PATTERN       look at a repository in the simulated Drone until it has the pattern
//	drone NAME off           deactivate it there, by hand
//	member add|remove TEAM LOGIN   on the simulated forge
//	user add|login LOGIN     on the simulated forge; to the simulated Drone, for the first time
//	user active|inactive LOGIN   wait until the simulated Drone lets him in, or does not
//	user login LOGIN again   to the simulated Drone, where his token stays as it is
//	link STATUS FILE         hand the token in a file over on the page, and expect a status
//	unlink STATUS FILE       take back on the page what was linked, by a token in a file
//	serve FLAGS…             start hookd serve: $LISTEN, $ADMIN, and the file server.log;
//	                         the simulated forge sends its webhooks there, and so does
//	                         the simulated Drone if there is a file events-secret
//	hook add URL             another program's webhook for the organization
//	hook off                 switch the organization's webhooks off, as on their page
//	hook break KIND PATH     a fault of the forge's API until "hook heal"
//	signal HUP|TERM|KILL     to that server
//	ended                    expect it to exit 0
//	terminate                SIGTERM, and expect it to exit 0 (testscript's own stop ends the script)
//	dawdle                   begin a delivery to that server and let it wait for the rest
//	hurry                    break that delivery off
//	post STATUS URL          POST {} and expect a status
//	rsakey FILE              write the private key of a GitHub App
//	nowhere FILE…            what is in the files is neither in the log of that server nor in its
//	                         data, pages, metrics and answers
//	metric PATTERN           expect a line of /metrics
//	api PATH PATTERN         ask the admin API until the answer has the pattern
//	listen [again]           read that server's events from now on, or from where it was before
//	heard PATTERN            expect an event; "heard end" that the answer ends
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Values[stageKey{}] = &stage{drafts: map[string]providers.Repo{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": cmdCode, "await": cmdAwait, "world": cmdWorld, "repo": cmdRepo, "member": cmdMember, "link": linkCommand("link"), "unlink": linkCommand("unlink"), "nowhere": cmdNowhere,
			"serve": cmdServe, "signal": cmdSignal, "ended": cmdEnded, "terminate": cmdTerminate, "dawdle": cmdDawdle, "hurry": cmdHurry, "post": cmdPost, "metric": cmdMetric, "hook": cmdHook, "api": cmdAPI,
			"listen": cmdListen, "heard": cmdHeard,
			"rsakey": cmdRSAKey, "database": cmdDatabase, "sql": cmdSQL,
			"user": cmdUser, "drone": cmdDrone,
		},
	})
}

type stageKey struct{}

// stage is what a script has started.
type stage struct {
	*world
	heal   func() // what `hook break` broke
	drafts map[string]providers.Repo
	server *exec.Cmd
	ended  chan error
	ear    *ear
	slow   net.Conn
}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

// patience is how long a script waits for something that must happen.
const patience = 30 * time.Second

func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(patience); ; {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not so within %s (last error: %v)", patience, err)
		}
		<-time.After(200 * time.Millisecond)
	}
}

func cmdWorld(ts *testscript.TestScript, _ bool, args []string) {
	kind, ci := "gitea", "drone"
	if len(args) > 0 {
		kind = args[0]
	}
	if len(args) > 1 {
		ci = args[1]
	}
	w, err := newWorld(kind, ci, ts.Getenv("WORK"))
	ts.Check(err)
	ts.Defer(w.close)
	stageOf(ts).world = w
	ts.Check(w.save(""))
	config := ts.MkAbs(worldConfig)
	ts.Check(os.WriteFile(config, []byte(ts.ReadFile(config)+hasty), 0o600))
	if w.drone != nil {
		ts.Check(os.WriteFile(ts.MkAbs("drone-cookie-secret"), []byte(w.drone.CookieSecret()+"\n"), 0o600))
	}
}

// hasty lets changes of the world show soon.
const hasty = "sync: {debounce: 100ms, max_delay: 1s}\n"

func cmdRepo(ts *testscript.TestScript, _ bool, args []string) {
	w := stageOf(ts).world
	switch args[0] {
	case "create":
		if len(args) > 2 {
			_, err := giteaOf(ts).CreateRepo(providerstest.GiteaRepo{Owner: demoOrg, Name: args[1], Private: true, By: args[2]})
			ts.Check(err)
			return
		}
		ts.Check(w.create(args[1]))
	case "file":
		ts.Check(giteaOf(ts).AddFile(demoOrg+"/"+args[1], args[2]))
	case "delete":
		ts.Check(w.forge.DeleteRepo(demoOrg + "/" + args[1]))
	case "public", "private":
		ts.Check(giteaOf(ts).SetVisibility(demoOrg+"/"+args[1], args[0] == "private"))
	case "draft":
		r, err := w.forge.create(demoOrg, args[1])
		ts.Check(err)
		stageOf(ts).drafts[args[1]] = r
	case "activate":
		w.ci.activate(stageOf(ts).drafts[args[1]])
	}
}

func giteaOf(ts *testscript.TestScript) *providerstest.Gitea {
	g, ok := stageOf(ts).forge.simulator.(*providerstest.Gitea)
	if !ok {
		ts.Fatalf("the world has no Gitea")
	}
	return g
}

func cmdDrone(ts *testscript.TestScript, _ bool, args []string) {
	d, name := stageOf(ts).drone, demoOrg+"/"+args[0]
	if args[1] == "off" {
		d.SetActive(name, false)
		return
	}
	pattern := regexp.MustCompile(args[1])
	for end := time.Now().Add(patience); !pattern.MatchString(fmt.Sprintf("%+v", d.Repository(name))); {
		if time.Now().After(end) {
			ts.Fatalf("not so within %s: %+v", patience, d.Repository(name))
		}
		<-time.After(100 * time.Millisecond)
	}
}

func cmdDatabase(ts *testscript.TestScript, _ bool, args []string) {
	schema, err := os.ReadFile("../../syncqueue/target/dronedb/testdata/sqlite.sql")
	ts.Check(err)
	_, missing := os.Stat(ts.MkAbs(args[0]))
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?_pragma=busy_timeout(5000)")
	ts.Check(err)
	defer db.Close()
	if missing != nil {
		_, err = db.Exec(string(schema))
		ts.Check(err)
	}
	for _, login := range args[1:] {
		_, err = db.Exec("INSERT INTO users (user_login, user_active, user_machine, user_admin, user_hash) VALUES (?, true, false, false, ?)", login, "hash of "+login)
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("drone-database"), []byte("sqlite://"+ts.MkAbs(args[0])+"\n"), 0o600))
	config := ts.MkAbs(worldConfig)
	text := regexp.MustCompile(`token_file: \S*drone-token\S*\n +users: \{token_dir: .*\}`).ReplaceAllString(ts.ReadFile(config), "mode: database\n    users: {database_url_file: drone-database}")
	ts.Check(os.WriteFile(config, []byte(text), 0o600))
}

func cmdSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0])+"?mode=ro&_pragma=busy_timeout(5000)")
	ts.Check(err)
	defer db.Close()
	pattern := regexp.MustCompile("(?m)" + args[2])
	for end := time.Now().Add(patience); ; {
		rows, err := db.Query(args[1])
		ts.Check(err)
		var text strings.Builder
		for rows.Next() {
			var cell sql.NullString
			ts.Check(rows.Scan(&cell))
			text.WriteString(cell.String + "\n")
		}
		ts.Check(errors.Join(rows.Err(), rows.Close()))
		if pattern.MatchString(text.String()) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("no %s within %s in\n%s", pattern, patience, text.String())
		}
		<-time.After(100 * time.Millisecond)
	}
}

func cmdHook(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	switch args[0] {
	case "add":
		_, err := s.forge.AddHook(demoOrg, args[1], "the-secret-of-another-program", "push")
		ts.Check(err)
	case "off":
		switch g := s.forge.simulator.(type) {
		case *providerstest.Gitea:
			for _, h := range g.Hooks() {
				g.EditHook(h.ID, func(h *providerstest.GiteaHook) { h.Active = false })
			}
		case *providerstest.GitHub:
			for _, h := range g.Hooks() {
				g.EditHook(h.ID, func(h *providerstest.GitHubHook) { h.Active = false })
			}
		case *providerstest.GitLab:
			for _, h := range g.Hooks() {
				g.EditHook(h.ID, func(h *providerstest.GitLabHook) { h.Status = "disabled" })
			}
		}
	case "break":
		s.heal = s.forge.Break(providerstest.Fault{Kind: providerstest.FaultKind(args[1]), Path: args[2]})
	case "heal":
		s.heal()
	}
}

func cmdMember(ts *testscript.TestScript, _ bool, args []string) {
	w := stageOf(ts).world
	switch args[0] {
	case "add":
		ts.Check(w.forge.AddMember(demoOrg, args[1], args[2]))
	case "remove":
		ts.Check(w.forge.RemoveMember(demoOrg, args[1], args[2]))
	}
}

func cmdUser(ts *testscript.TestScript, _ bool, args []string) {
	w := stageOf(ts).world
	switch args[0] {
	case "add":
		_, err := w.forge.CreateUser(args[1])
		ts.Check(err)
	case "active", "inactive":
		for end := time.Now().Add(patience); w.drone.Active(args[1]) != (args[0] == "active"); {
			if time.Now().After(end) {
				ts.Fatalf("not %s within %s", args[0], patience)
			}
			<-time.After(100 * time.Millisecond)
		}
	case "login":
		token := newKey()
		if len(args) > 2 { // the one that he has
			token = ""
		}
		ts.Check(w.ci.LogIn(args[1], token, w.forge.Token(args[1])))
	}
}

func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	s := stageOf(ts)
	log, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	defer log.Close()
	bin, err := exec.LookPath("hookd")
	ts.Check(err)
	s.server = exec.Command(bin, append([]string{"serve"}, args...)...)
	s.server.Dir, s.server.Stderr = ts.MkAbs("."), log
	s.server.Env = []string{}
	ts.Check(s.server.Start())
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.server.Wait() }()
	ts.Defer(func() { _ = s.server.Process.Kill() })

	for end := time.Now().Add(patience); ; {
		for line := range strings.Lines(ts.ReadFile("server.log")) {
			var ready struct{ Msg, Listen, Admin string }
			if json.Unmarshal([]byte(line), &ready) != nil || ready.Msg != "hookd is ready" {
				continue
			}
			ts.Setenv("LISTEN", "http://"+ready.Listen)
			ts.Setenv("ADMIN", "http://"+ready.Admin)
			ts.Setenv("HOOKD_ADMIN", "http://"+ready.Admin)
			if s.world != nil {
				ts.Check(s.connect(ready.Listen))
				if key, err := os.ReadFile(ts.MkAbs("events-secret")); err == nil {
					s.drone.Announce("http://"+ready.Listen+"/targets/"+s.ci.kind+"/events", strings.TrimSpace(string(key)))
				}
			}
			return
		}
		select {
		case err := <-s.ended:
			ts.Fatalf("serve ended: %v\n%s", err, ts.ReadFile("server.log"))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			ts.Fatalf("serve is not ready within %s\n%s", patience, ts.ReadFile("server.log"))
		}
	}
}

func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	sig := map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "USR1": syscall.SIGUSR1, "KILL": syscall.SIGKILL}[args[0]]
	s := stageOf(ts)
	ts.Check(s.server.Process.Signal(sig))
	if sig == syscall.SIGKILL {
		<-s.ended
	}
}

func cmdTerminate(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(stageOf(ts).server.Process.Signal(syscall.SIGTERM))
	cmdEnded(ts, neg, args)
}

func cmdEnded(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case err := <-stageOf(ts).ended:
		ts.Check(err)
	case <-time.After(patience):
		ts.Fatalf("serve does not end")
	}
}

func cmdDawdle(ts *testscript.TestScript, _ bool, _ []string) {
	addr := strings.TrimPrefix(ts.Getenv("LISTEN"), "http://")
	conn, err := net.Dial("tcp", addr)
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	stageOf(ts).slow = conn
	_, err = fmt.Fprintf(conn, "POST /hooks/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", demoProvider, addr)
	ts.Check(err)
	// The server asks for the body once it handles the request.
	line, err := bufio.NewReader(conn).ReadString('\n')
	ts.Check(err)
	if !strings.Contains(line, "100 Continue") {
		ts.Fatalf("got %q", line)
	}
}

func cmdHurry(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(stageOf(ts).slow.Close()) }

func cmdPost(ts *testscript.TestScript, _ bool, args []string) {
	resp, err := http.Post(args[1], "application/json", strings.NewReader("{}"))
	ts.Check(err)
	defer resp.Body.Close()
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("status %s, want %s", got, args[0])
	}
}

func linkCommand(do string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		token := strings.TrimSpace(ts.ReadFile(args[1]))
		resp, err := http.PostForm(ts.Getenv("ADMIN")+"/link", url.Values{"target": {stageOf(ts).ci.kind}, "token": {token}, "do": {do}})
		ts.Check(err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		ts.Check(err)
		if got := strconv.Itoa(resp.StatusCode); got != args[0] || strings.Contains(string(text), token) {
			ts.Fatalf("status %s, want %s:\n%s", got, args[0], text)
		}
	}
}

func cmdNowhere(ts *testscript.TestScript, _ bool, args []string) {
	sinks := map[string]string{"server.log": ts.ReadFile("server.log")}
	ts.Check(filepath.WalkDir(ts.MkAbs("data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		sinks[path] = string(text)
		return err
	}))
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	client, admin, token := &http.Client{Jar: jar}, ts.Getenv("ADMIN"), strings.TrimSpace(ts.ReadFile("data/admin-token"))
	resp, err := client.PostForm(admin+"/dashboard/sign-in", url.Values{"token": {token}})
	ts.Check(err)
	resp.Body.Close()
	for _, path := range []string{
		"/", "/link", "/metrics", "/readyz?verbose", "/api/v1/users", "/api/v1/jobs", "/api/v1/jobs?state=done",
		"/api/v1/jobs?state=parked", "/api/v1/targets", "/api/v1/providers", "/api/v1/deliveries",
	} {
		req, err := http.NewRequest(http.MethodGet, admin+path, nil)
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		ts.Check(err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		ts.Check(err)
		if resp.StatusCode != http.StatusOK && path != "/link" { // which may be off
			ts.Fatalf("%s: status %d", path, resp.StatusCode)
		}
		sinks[path] = string(text)
	}
	for _, name := range args {
		secret := strings.TrimSpace(ts.ReadFile(name))
		for sink, text := range sinks {
			if strings.Contains(text, secret) {
				ts.Fatalf("what is in %s is in %s", name, sink)
			}
		}
	}
}

func cmdMetric(ts *testscript.TestScript, neg bool, args []string) {
	resp, err := http.Get(ts.Getenv("ADMIN") + "/metrics")
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if found := regexp.MustCompile("(?m)" + args[0]).Match(text); found == neg {
		ts.Fatalf("metric %s: found %v in\n%s", args[0], found, text)
	}
}

func cmdAPI(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	token := strings.TrimSpace(ts.ReadFile("data/admin-token"))
	for end := time.Now().Add(patience); ; {
		req, err := http.NewRequest(http.MethodGet, ts.Getenv("ADMIN")+args[0], nil)
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		ts.Check(err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		ts.Check(err)
		if pattern.Match(text) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s: no %s within %s in\n%s", args[0], pattern, patience, text)
		}
		<-time.After(100 * time.Millisecond)
	}
}

func cmdRSAKey(ts *testscript.TestScript, _ bool, args []string) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}
