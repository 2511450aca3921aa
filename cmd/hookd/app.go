package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"
)

// An app is what commands may touch of the outside world.
type app struct {
	env    environ
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// command builds the tree of commands.
func (a *app) command() *cli.Command {
	root := &cli.Command{
		Name:  "hookd",
		Usage: "makes new repositories appear in Drone without the SYNC button",
		Description: "hookd receives the webhooks of a forge, asks the forge who may see what now,\n" +
			"and makes the CI server follow.\n\n" +
			"Try it:   hookd demo\n" +
			"Run it:   hookd config check && hookd serve\n\n" +
			"Flags go before environment variables (HOOKD_*), those before the file, and that\n" +
			"before the defaults. Without --config and HOOKD_CONFIG the file is ./hookd.yaml or\n" +
			"/etc/hookd/hookd.yaml; with neither, the environment has to do.\n\n" +
			"Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.",
		Version: buildVersion().Version,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "configuration `FILE` (HOOKD_CONFIG)"},
		},
		Commands: []*cli.Command{
			a.serveCommand(),
			a.demoCommand(),
			a.configCommand(),
			a.doctorCommand(),
			a.hooksCommand(),
			a.deliveriesCommand(),
			a.queueCommand(),
			a.syncCommand(),
			a.reconcileCommand(),
			a.usersCommand(),
			a.reposCommand(),
			a.whyCommand(),
			a.sendCommand(),
			a.dbCommand(),
			a.healthcheckCommand(),
			a.versionCommand(),
		},
		EnableShellCompletion: true,
		ConfigureShellCompletionCommand: func(c *cli.Command) {
			c.Hidden = false
			c.Usage = "prints a completion script for bash, zsh, fish or pwsh"
			strict(c)
		},
		Reader:    a.stdin,
		Writer:    a.stdout,
		ErrWriter: a.stderr,
		// The library would end the process by itself, with codes of its own.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
	}
	strict(root)
	return root
}

// strict makes a command and those below it answer wrong usage with a
// usageError: by itself the library exits 3 on an unknown command and takes
// superfluous arguments in silence.
func strict(c *cli.Command) {
	c.OnUsageError = func(_ context.Context, cmd *cli.Command, err error, _ bool) error {
		return usagef(cmd, "%s", explain(cmd, err))
	}
	c.HideHelpCommand = true
	c.DisableSliceFlagSeparator = true // a value may hold commas; a flag is repeated instead
	if len(c.Commands) > 0 {
		c.Action = group
	} else {
		least, most := countArgs(c.ArgsUsage)
		c.ArgValidator = func(_ context.Context, cmd *cli.Command) error {
			switch n := cmd.Args().Len(); {
			case n < least:
				return usagef(cmd, "%s needs %s", cmd.FullName(), cmd.ArgsUsage)
			case most >= 0 && n > most:
				return usagef(cmd, "%s: unexpected argument %q", cmd.FullName(), cmd.Args().Get(most))
			}
			return nil
		}
	}
	for _, sub := range c.Commands {
		strict(sub)
	}
}

// group is the action of a command that only holds others.
func group(_ context.Context, cmd *cli.Command) error {
	word := cmd.Args().First()
	if word == "" {
		cmd.Root().Writer = cmd.Root().ErrWriter
		if err := showHelp(cmd); err != nil {
			return err
		}
		return usagef(cmd, "%s needs a command", cmd.FullName())
	}
	var names []string
	for _, sub := range cmd.Commands {
		names = append(names, sub.Name)
	}
	if near := closest(word, names); near != "" {
		return usagef(cmd, "%s has no command %q, did you mean %q?", cmd.FullName(), word, near)
	}
	return usagef(cmd, "%s has no command %q", cmd.FullName(), word)
}

func showHelp(cmd *cli.Command) error {
	if cmd.Root() == cmd {
		return cli.ShowRootCommandHelp(cmd)
	}
	return cli.ShowSubcommandHelp(cmd)
}

// countArgs reads how many arguments a usage such as "ID [ID…]" allows; most
// is -1 for any number.
func countArgs(usage string) (least, most int) {
	for word := range strings.FieldsSeq(usage) {
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if most >= 0 {
			most++
		}
		if strings.Contains(word, "…") {
			most = -1
		}
	}
	return least, most
}

func usagef(cmd *cli.Command, format string, args ...any) error {
	return &usageError{cmd.FullName(), fmt.Sprintf(format, args...)}
}

// explain words the library's complaint about a flag, with a guess at what was
// meant.
func explain(cmd *cli.Command, err error) string {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	if !unknown {
		return strings.ToLower(err.Error()[:1]) + err.Error()[1:]
	}
	name = strings.TrimLeft(name, "-")
	var names []string
	for _, c := range cmd.Lineage() {
		for _, f := range c.Flags {
			names = append(names, f.Names()...)
		}
	}
	if near := closest(name, names); near != "" && len(name) > 2 {
		return fmt.Sprintf("unknown flag --%s, did you mean --%s?", name, near)
	}
	return fmt.Sprintf("unknown flag %q", name)
}
