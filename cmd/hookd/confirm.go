package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"
)

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "only say what would be done"}
}

// confirm says what is about to happen and asks. Without a terminal nobody can
// answer, and without --yes that is a refusal.
func (a *app) confirm(cmd *cli.Command, what string) error {
	if cmd.Bool("yes") {
		fmt.Fprintln(a.stderr, what)
		return nil
	}
	if !isTerminal(a.stdin) {
		return usagef(cmd, "%s: not done, because nobody can be asked here; --yes does it without asking", what)
	}
	fmt.Fprintf(a.stderr, "%s. Go on? [y/N] ", what)
	line, _ := bufio.NewReader(a.stdin).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return fmt.Errorf("nothing was done")
}
