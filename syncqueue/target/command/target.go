package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Config is what a Target is made of. Name, Provider, Command and Now are
// required.
type Config struct {
	Name     string         // of the target
	Provider string         // whose users it is told of
	Command  []string       // the program and its arguments
	Dir      string         // where it runs; hookd's own working directory if empty
	Env      []string       // names of variables of hookd's environment that it gets
	Timeout  time.Duration  // of one run; a minute if zero
	Observe  func(code int) // told how each run ended: its exit status, -1 if it was killed or never began
	Now      func() time.Time
}

const (
	defaultTimeout = time.Minute
	// grace is how long the pipes of a killed program may stay open: a child
	// that left the group may hold them.
	grace = 2 * time.Second
)

// Target is a program that takes messages. It is safe for concurrent use: the
// program has to bear being run for two users at once.
type Target struct {
	cfg Config
}

var _ target.Target = (*Target)(nil)

// New returns a target. The program need not be there yet.
func New(cfg Config) (*Target, error) {
	if len(cfg.Command) == 0 || cfg.Command[0] == "" {
		return nil, errors.New("command: a program is required")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Observe == nil {
		cfg.Observe = func(int) {}
	}
	return &Target{cfg: cfg}, nil
}

// Probe looks whether the program is there and can be run.
func (t *Target) Probe(context.Context) (string, error) {
	path, err := exec.LookPath(t.cfg.Command[0])
	if err != nil {
		return "", fmt.Errorf("command target %s: %w", t.cfg.Name, err)
	}
	return path, nil
}

// Sync implements target.Target: the program is run, whether or not it heard
// the same before.
func (t *Target) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	m := target.NewMessage(t.cfg.Name, t.cfg.Provider, u, want, t.cfg.Now())
	input, err := json.Marshal(m)
	if err != nil {
		return target.Result{}, fmt.Errorf("command target %s: encoding the message: %w", t.cfg.Name, err)
	}
	said, err := t.run(ctx, u, want.Version, input)
	if err != nil {
		return target.Result{}, fmt.Errorf("command target %s: %w", t.cfg.Name, err)
	}
	return target.Accepted(want, said), nil
}

// run starts the program and waits for its end. It returns what it wrote.
func (t *Target) run(ctx context.Context, u providers.User, version uint64, input []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	var said tail
	c := exec.CommandContext(ctx, t.cfg.Command[0], t.cfg.Command[1:]...)
	c.Dir, c.Env = t.cfg.Dir, t.environ(u, version)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(input), &said, &said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return killGroup(c.Process.Pid) }
	c.WaitDelay = grace
	if err := c.Start(); err != nil {
		t.cfg.Observe(-1)
		return "", err
	}
	err := c.Wait()
	t.cfg.Observe(c.ProcessState.ExitCode())
	switch {
	case err == nil:
		return said.String(), nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("killed after %v", t.cfg.Timeout)
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, exec.ErrWaitDelay):
		// Who holds the pipe is still in the group, so its number is not another's.
		_ = killGroup(c.Process.Pid)
		err = errors.New("it ended, but what it had started did not")
	}
	if text := said.String(); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	return "", err
}

// environ is what the program sees of the environment.
func (t *Target) environ(u providers.User, version uint64) []string {
	var env []string
	for _, name := range append([]string{"PATH", "HOME"}, t.cfg.Env...) {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return append(env,
		"HOOKD_TARGET="+t.cfg.Name, "HOOKD_PROVIDER="+t.cfg.Provider,
		"HOOKD_USER="+strings.ReplaceAll(u.Login, "\x00", ""), "HOOKD_VERSION="+strconv.FormatUint(version, 10))
}

// killGroup kills a process group by its leader, which may have ended.
func killGroup(leader int) error {
	err := syscall.Kill(-leader, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
