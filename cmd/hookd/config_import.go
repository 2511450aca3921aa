package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"
)

func (a *app) importCommand() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "makes a hookd.yaml out of the environment of Drone or Woodpecker",
		Description: "Reads DRONE_* and WOODPECKER_* out of its own environment, or out of files: KEY=VALUE\n" +
			"lines, the output of docker inspect, a compose file or a Kubernetes manifest.\n\n" +
			"Nothing secret is written: the file names files, and says what to put into each. What the\n" +
			"CI server does not know either, such as hookd's own address, is left as a remark.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "env-file", Usage: "read `FILE` instead of the environment, - for the standard input; may be repeated"},
			&cli.StringFlag{Name: "secrets-dir", Value: "/run/secrets", Usage: "`FOLDER` in which the secrets' files are going to be"},
			&cli.StringFlag{Name: "out", Usage: "write to `FILE`, which must not exist, instead of the standard output"},
		},
		Action: a.importConfig,
	}
}

func (a *app) importConfig(_ context.Context, cmd *cli.Command) error {
	env, err := a.ciEnvironment(cmd.StringSlice("env-file"))
	if err != nil {
		return err
	}
	d, err := draftOf(env)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return d.write(w, cmd.String("secrets-dir")) }
	out := cmd.String("out")
	if out == "" {
		return write(a.stdout)
	}
	if err := writeNew(out, write, nil); err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "wrote %s: %s, %s\nnext: put the files that it names in place, then hookd config check --config %s\n",
		out, count(len(d.providers), "provider", "providers"), count(len(d.targets), "target", "targets"), out)
	return nil
}

// ciEnvironment reads the files, or the environment if there are none. Of a
// variable that is given more than once the last counts.
func (a *app) ciEnvironment(files []string) (ciEnv, error) {
	env := ciEnv{}
	for _, kv := range a.env {
		if len(files) == 0 {
			env.assign(kv)
		}
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if name == "-" {
			text, err = io.ReadAll(a.stdin)
		}
		if err == nil {
			err = env.read(text)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, cmp.Or(errors.Unwrap(err), err))
		}
	}
	return env, nil
}
