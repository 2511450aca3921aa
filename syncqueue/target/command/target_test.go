package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/command"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// TestMain makes the test binary the program that is run: its first argument
// says what it does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if play, ok := parts[os.Args[1]]; ok {
			os.Exit(play(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

var parts = map[string]func(args []string) int{
	"record": func(args []string) int { // standard input, arguments and environment into a file
		in, err := io.ReadAll(os.Stdin)
		if err != nil {
			return 1
		}
		b, _ := json.Marshal(record{Message: in, Args: args, Env: os.Environ()})
		return bad(os.WriteFile(args[0], b, 0o600))
	},
	"bring": func(args []string) int {
		resp, err := http.Post(args[0], "application/json", os.Stdin)
		if err != nil || resp.StatusCode != http.StatusOK {
			return 1
		}
		return bad(resp.Body.Close())
	},
	"fail": func([]string) int {
		fmt.Fprintln(os.Stderr, "no\x1b[31m luck")
		return 3
	},
	"babble": func([]string) int {
		for range 10_000 {
			fmt.Println("a line that nobody wants to keep")
		}
		fmt.Println("the last words")
		return 0
	},
	"deaf": func([]string) int { return 0 },
	"hang": func(args []string) int { // with a child that would stay behind
		c := exec.Command(os.Args[0], "sleep", args[0])
		c.Stdout = os.Stdout
		if err := c.Start(); err != nil {
			return 1
		}
		time.Sleep(time.Hour)
		return 0
	},
	"leave": func(args []string) int {
		c := exec.Command(os.Args[0], "sleep", args[0])
		c.Stdout = os.Stdout
		return bad(c.Start())
	},
	"sleep": func(args []string) int { // writes its process id, then waits
		if bad(os.WriteFile(args[0]+".new", fmt.Append(nil, os.Getpid()), 0o600)) != 0 || bad(os.Rename(args[0]+".new", args[0])) != 0 {
			return 1
		}
		time.Sleep(time.Hour)
		return 0
	},
}

func bad(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

type record struct {
	Message json.RawMessage
	Args    []string
	Env     []string
}

var (
	ana  = providers.User{ID: "7", Login: "ana"}
	at   = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	want = target.Desired{
		Version: 12, Complete: true,
		Present: []providers.Access{{User: ana, Repo: providers.Repo{ID: "41", Path: "acme/app", Visibility: "private"}, Permission: providers.Write}},
		Absent:  []providers.Access{{User: ana, Repo: providers.Repo{ID: "42", Path: "acme/old"}}},
	}
)

func open(t *testing.T, cfg command.Config, args ...string) *command.Target {
	t.Helper()
	cfg.Name, cfg.Provider, cfg.Now = "portal", "git", func() time.Time { return at }
	cfg.Command = append([]string{os.Args[0]}, args...)
	c, err := command.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestContract runs a program that brings its input to the receiver, whose
// address is in its arguments.
func TestContract(t *testing.T) {
	targettest.RunTold(t, func(t *testing.T) (target.Target, *targettest.Receiver) {
		r := new(targettest.Receiver)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			var m target.Message
			if err := json.NewDecoder(req.Body).Decode(&m); err != nil || !r.Take(m) {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}))
		t.Cleanup(s.Close)
		return open(t, command.Config{}, "bring", s.URL), r
	})
}

func TestProgramReadsTheMessage(t *testing.T) {
	t.Setenv("PASSED", "on")
	t.Setenv("HOOKD_TARGET_PORTAL_TOKEN", "secret of hookd")
	file := filepath.Join(t.TempDir(), "seen")
	var codes []int
	c := open(t, command.Config{Env: []string{"PASSED", "UNSET"}, Observe: func(code int) { codes = append(codes, code) }}, "record", file, "$(whoami); *")
	res, err := c.Sync(t.Context(), ana, want)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(res.Shown, []string{"41"}) || !slices.Equal(res.Gone, []string{"42"}) || !res.Settled() {
		t.Errorf("got %+v", res)
	}
	if !slices.Equal(codes, []int{0}) {
		t.Errorf("observed %v", codes)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var seen record
	if err := json.Unmarshal(b, &seen); err != nil {
		t.Fatal(err)
	}
	expect := `{"id":"portal.git.7.12.a07e47f96d91","type":"user.access","timestamp":"2026-05-04T03:02:01Z","data":{` +
		`"target":"portal","provider":"git","user":{"id":"7","login":"ana"},"version":12,"complete":true,` +
		`"present":[{"id":"41","repo":"acme/app","permission":"write","visibility":"private"}],"absent":[{"id":"42","repo":"acme/old"}]}}`
	var got bytes.Buffer
	if err := json.Compact(&got, seen.Message); err != nil || got.String() != expect {
		t.Errorf("read %s %v\nwant %s", got.String(), err, expect)
	}
	if !slices.Equal(seen.Args, []string{file, "$(whoami); *"}) {
		t.Errorf("arguments %q", seen.Args)
	}
	for _, v := range []string{"PASSED=on", "HOOKD_TARGET=portal", "HOOKD_PROVIDER=git", "HOOKD_USER=ana", "HOOKD_VERSION=12"} {
		if !slices.Contains(seen.Env, v) {
			t.Errorf("%s is not in its environment %q", v, seen.Env)
		}
	}
	if slices.ContainsFunc(seen.Env, func(v string) bool { return strings.Contains(v, "secret of hookd") }) {
		t.Errorf("hookd's own environment is shown to it: %q", seen.Env)
	}
}

func TestProgramThatFailsIsRepeatedWithItsReason(t *testing.T) {
	_, err := open(t, command.Config{}, "fail").Sync(t.Context(), ana, want)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), `no\x1b[31m luck`) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheLastWordsAreKept(t *testing.T) {
	res, err := open(t, command.Config{}, "babble").Sync(t.Context(), ana, want)
	if err != nil || !strings.HasSuffix(res.Note, "the last words") || len(res.Note) > 4<<10 {
		t.Errorf("%d bytes, %v: %s", len(res.Note), err, res.Note)
	}
}

func TestProgramNeedNotReadItsInput(t *testing.T) {
	big := want
	for i := range 20_000 {
		big.Present = append(big.Present, providers.Access{Repo: providers.Repo{ID: fmt.Sprint(i), Path: "acme/app"}, Permission: providers.Read})
	}
	if _, err := open(t, command.Config{}, "deaf").Sync(t.Context(), ana, big); err != nil {
		t.Error(err)
	}
}

func TestHangingProgramIsKilledWithItsChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	_, err := open(t, command.Config{Timeout: 3 * time.Second}, "hang", file).Sync(t.Context(), ana, want)
	if err == nil || !strings.Contains(err.Error(), "killed after 3s") {
		t.Errorf("got %v", err)
	}
	gone(t, file)
}

func TestStoppingHookdEndsTheProgram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		awaitFile(t, file)
		cancel()
	}()
	_, err := open(t, command.Config{}, "hang", file).Sync(ctx, ana, want)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	gone(t, file)
}

func TestWhatIsLeftBehindEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "child")
	_, err := open(t, command.Config{}, "leave", file).Sync(t.Context(), ana, want)
	if err == nil || !strings.Contains(err.Error(), "what it had started did not") {
		t.Errorf("got %v", err)
	}
	gone(t, file)
}

func TestMissingProgramIsSaid(t *testing.T) {
	c, err := command.New(command.Config{Name: "portal", Command: []string{filepath.Join(t.TempDir(), "none")}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Probe(t.Context()); err == nil {
		t.Error("the probe finds a program that is not there")
	}
	if _, err := c.Sync(t.Context(), ana, want); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := command.New(command.Config{}); err == nil {
		t.Error("no program at all is accepted")
	}
	if v, err := open(t, command.Config{}).Probe(t.Context()); err != nil || v == "" {
		t.Errorf("%q %v", v, err)
	}
}

func awaitFile(t *testing.T, file string) []byte {
	for range 1000 {
		if b, err := os.ReadFile(file); err == nil {
			return b
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the child never began")
	return nil
}

// gone waits for the end of the child that wrote its id into file: a killed
// process is there until init has buried it.
func gone(t *testing.T, file string) {
	t.Helper()
	var pid int
	if _, err := fmt.Sscan(string(awaitFile(t, file)), &pid); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if syscall.Kill(pid, 0) != nil || zombie(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("child %d still runs", pid)
}

// zombie: where no init collects orphans, the killed child stays in the table.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z ")
}
