package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/handlers"
)

// backfillTimeout is more than the server takes.
const backfillTimeout = 6 * time.Minute

func (a *app) backfillCommand() *cli.Command {
	return &cli.Command{
		Name:  "backfill",
		Usage: "fetches what never arrived from the forge's own delivery log",
		Description: "hookd does this by itself at start and every poll.deliveries; this does it now, and as\n" +
			"far back as you say. GitHub's log goes back 3 days (7 on an Enterprise Server), GitLab's\n" +
			"of a group hook 7. Gitea has none that can be asked, nor has GitLab for system hooks.",
		Flags: clientFlags(
			&cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"},
			&cli.StringFlag{Name: "since", Usage: "only since `TIME`: RFC 3339, or a duration ago (2h, 7d); else as far as the log goes", Validator: validWhen},
			outputFlag(),
		),
		Action: a.backfill,
	}
}

func (a *app) backfill(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Present() {
		return usagef(cmd, "it takes no arguments: --provider and --since select")
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	cl.http.Timeout = backfillTimeout
	ask := map[string]string{}
	if p := cmd.String("provider"); p != "" {
		ask["provider"] = p
	}
	if s := cmd.String("since"); s != "" {
		t, err := parseWhen(s, time.Now())
		if err != nil {
			return err
		}
		ask["since"] = t.UTC().Format(time.RFC3339Nano)
	}
	var r struct {
		Read     int                 `json:"read"`
		Missed   int                 `json:"missed"`
		Fetched  int                 `json:"fetched"`
		Known    int                 `json:"known"`
		Complete bool                `json:"complete"`
		Logs     []handlers.Backfill `json:"logs"`
	}
	if _, err := cl.do(ctx, http.MethodPost, "/api/v1/backfills", nil, ask, &r); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		if err := printJSON(a.stdout, r); err != nil {
			return err
		}
	} else {
		rows := make([][]string, len(r.Logs))
		for i, b := range r.Logs {
			note := b.Note
			if b.Scope {
				note += "; the organization is read as a whole"
			}
			rows[i] = []string{b.Provider, b.Org, strconv.Itoa(b.Read), strconv.Itoa(b.Missed), strconv.Itoa(b.Fetched), strconv.Itoa(b.Known), note}
		}
		if err := printTable(a.stdout, []string{"PROVIDER", "ORG", "READ", "MISSED", "FETCHED", "KNOWN", "NOTE"}, rows); err != nil {
			return err
		}
		fmt.Fprintf(a.stdout, "%d read, %d missed, %d fetched, %d already known\n", r.Read, r.Missed, r.Fetched, r.Known)
	}
	if !r.Complete {
		return errors.New("not every log was read to its end: see the notes. What was fetched is kept, and running this again does no harm")
	}
	return nil
}
