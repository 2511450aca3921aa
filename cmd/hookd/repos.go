package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func (a *app) reposCommand() *cli.Command {
	type repo struct {
		Provider   string    `json:"provider"`
		ID         string    `json:"id"`
		Path       string    `json:"repo"`
		Visibility string    `json:"visibility"`
		Archived   bool      `json:"archived"`
		Fork       bool      `json:"fork"`
		Users      int       `json:"users"`
		Seen       time.Time `json:"seen_at"`
	}
	return &cli.Command{
		Name:  "repos",
		Usage: "lists the repositories hookd knows",
		Commands: []*cli.Command{{
			Name:  "list",
			Usage: "lists repositories and how many users have each in their list",
			Flags: clientFlags(
				&cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"},
				&cli.StringFlag{Name: "org", Usage: "only of organization `NAME`"},
				limitFlag(), outputFlag()),
			Action: func(ctx context.Context, cmd *cli.Command) error {
				return a.listing(ctx, cmd, "/api/v1/repos", query(cmd, "provider", "org"),
					[]string{"PROVIDER", "REPOSITORY", "ID", "VISIBILITY", "USERS", "SEEN", "NOTE"},
					row(func(r repo, now time.Time) []string {
						var notes []string
						if r.Archived {
							notes = append(notes, "archived")
						}
						if r.Fork {
							notes = append(notes, "fork")
						}
						return []string{r.Provider, r.Path, r.ID, r.Visibility, strconv.Itoa(r.Users), age(r.Seen, now), strings.Join(notes, ", ")}
					}))
			},
		}},
	}
}
