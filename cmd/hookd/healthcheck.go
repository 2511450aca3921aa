package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"
)

func (a *app) healthcheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "healthcheck",
		Usage: "asks the running hookd whether it is ready",
		Description: "For images without a shell or curl. Exit code 0 if /readyz on the admin address\n" +
			"answers that all is well. No token is needed.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "admin", Usage: "`URL` of the admin API (HOOKD_ADMIN; else from the configuration)"},
			&cli.DurationFlag{Name: "timeout", Value: 5 * time.Second, Usage: "give up after `TIME`", Validator: moreThanZero},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			cl, err := a.anonymous(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, cmd.Duration("timeout"))
			defer cancel()
			if err := cl.get(ctx, "/readyz", nil, nil); err != nil {
				return fmt.Errorf("not ready: %w", err)
			}
			fmt.Fprintln(a.stdout, "ok")
			return nil
		},
	}
}
