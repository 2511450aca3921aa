package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func (a *app) usersCommand() *cli.Command {
	type user struct {
		Provider   string    `json:"provider"`
		ID         string    `json:"id"`
		Login      string    `json:"login"`
		Repos      int       `json:"repos"`
		Credential string    `json:"credential"`
		Complete   bool      `json:"complete"`
		Checked    time.Time `json:"checked_at"`
		Behind     []string  `json:"behind"`
		MustLogIn  []string  `json:"must_log_in"`
	}
	return &cli.Command{
		Name:  "users",
		Usage: "lists the users hookd knows",
		Commands: []*cli.Command{{
			Name:  "list",
			Usage: "lists users, how much they hold and whether hookd can act for them",
			Flags: clientFlags(
				&cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"},
				wordFlag("credential", "only whose credential is `STATE` ok, missing, rejected or unknown", credentialWords),
				limitFlag(), outputFlag()),
			Action: func(ctx context.Context, cmd *cli.Command) error {
				return a.listing(ctx, cmd, "/api/v1/users", query(cmd, "provider", "credential"),
					[]string{"PROVIDER", "LOGIN", "ID", "REPOS", "COMPLETE", "CHECKED", "CREDENTIAL", "BEHIND"},
					row(func(u user, now time.Time) []string {
						complete := "yes"
						if !u.Complete {
							complete = "no"
						}
						credential := u.Credential
						if len(u.MustLogIn) > 0 {
							credential += " (must log in)"
						}
						return []string{
							u.Provider, u.Login, u.ID, strconv.Itoa(u.Repos), complete,
							age(u.Checked, now), credential, strings.Join(u.Behind, ","),
						}
					}))
			},
		}},
	}
}
