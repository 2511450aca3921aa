package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

func main() {
	weight := newBallast(os.Environ())
	code := run(context.Background(), os.Args, os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	runtime.KeepAlive(weight)
	os.Exit(code)
}

// The exit codes. 78 is sysexits' EX_CONFIG, which service managers can be
// told not to restart on.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitConfig = 78
)

// run is the program without its process: it returns the exit code. The whole
// environment is passed, because providers and targets are named by the names
// of variables.
func run(ctx context.Context, args []string, env environ, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	return a.report(a.command().Run(ctx, args))
}

// report tells people about an error and turns it into an exit code.
func (a *app) report(err error) int {
	var (
		usage   *usageError
		config  *faults
		refused *answerError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &config):
		config.print(a.stderr)
		return exitConfig
	case errors.As(err, &usage):
		fmt.Fprintf(a.stderr, "hookd: %s\n", strings.TrimPrefix(usage.msg, "hookd "))
		if usage.command != "" {
			fmt.Fprintf(a.stderr, "see: %s --help\n", usage.command)
		}
		return exitUsage
	case errors.Is(err, errSilent):
		return exitFailed
	}
	text := err.Error()
	fmt.Fprintf(a.stderr, "hookd: %s\n", text)
	if errors.As(err, &refused) && !strings.Contains(text, "\nfix: ") && !strings.Contains(text, "\nsee: ") {
		fmt.Fprintln(a.stderr, "see: hookd doctor")
	}
	return exitFailed
}

// errSilent fails a command that has already said what is wrong.
var errSilent = errors.New("failed")

// A usageError is a command line that makes no sense.
type usageError struct {
	command string // whose help tells how it is done
	msg     string
}

func (e *usageError) Error() string { return e.msg }
