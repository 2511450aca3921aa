package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/handlers"
)

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "prints what binary this is",
		Flags: []cli.Flag{outputFlag()},
		Action: func(_ context.Context, cmd *cli.Command) error {
			b := buildVersion()
			if wantsJSON(cmd) {
				return printJSON(a.stdout, b)
			}
			fmt.Fprintf(a.stdout, "hookd %s %s %s/%s\n", b.Version, b.GoVersion, runtime.GOOS, runtime.GOARCH)
			if b.Revision != "" {
				fmt.Fprintln(a.stdout, "revision", b.Revision)
			}
			return nil
		},
	}
}

// buildVersion reads what the Go tool stamped into the binary.
func buildVersion() handlers.Build {
	b := handlers.Build{Version: "devel", GoVersion: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
