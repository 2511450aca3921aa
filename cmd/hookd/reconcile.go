package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
)

// dryRunTime is how long the server may take to answer a dry run.
const dryRunTime = 11 * time.Minute

func (a *app) reconcileCommand() *cli.Command {
	return &cli.Command{
		Name:  "reconcile",
		Usage: "asks the forge for the truth now, or shows what that would change",
		Description: "Of a user everything he holds, of an organization all it has, of both what he holds there,\n" +
			"else every organization. By itself hookd does so within sync.reconcile for everybody.\n\n" +
			"With --dry-run the forge is read at once and each permission that would differ is shown,\n" +
			"with the reason where it would be held for an operator; nothing is written. Without it the\n" +
			"work is queued; --wait waits until the forge was read, and exits 1 if that did not happen.",
		Flags: clientFlags(
			&cli.StringFlag{Name: "provider", Usage: "only provider `NAME`"},
			&cli.StringFlag{Name: "org", Usage: "only organization `NAME`"},
			&cli.StringFlag{Name: "user", Usage: "only the user of this `LOGIN`; needs --provider"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show what would change, and change nothing"},
			&cli.DurationFlag{Name: "wait", Usage: "wait up to `TIME` for the jobs to end"},
			outputFlag()),
		Action: a.reconcile,
	}
}

func (a *app) reconcile(ctx context.Context, cmd *cli.Command) error {
	dry, wait := cmd.Bool("dry-run"), cmd.Duration("wait")
	switch {
	case cmd.String("user") != "" && cmd.String("provider") == "":
		return usagef(cmd, "--user needs --provider")
	case dry && wait != 0:
		return usagef(cmd, "a dry run has nothing to wait for: leave out --wait")
	case wait < 0:
		return usagef(cmd, "--wait: want a time")
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	ask := map[string]any{"dry_run": dry}
	for name, v := range query(cmd, "provider", "org", "user") {
		ask[name] = v[0]
	}
	if dry {
		cl.http.Timeout = dryRunTime
	}
	var raw json.RawMessage
	if _, err := cl.do(ctx, http.MethodPost, "/api/v1/reconcile", nil, ask, &raw); err != nil {
		return err
	}
	if dry {
		return a.printDryRun(cmd, raw)
	}
	var queued struct {
		Jobs []job `json:"jobs"`
	}
	if err := json.Unmarshal(raw, &queued); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		if err := printJSON(a.stdout, raw); err != nil {
			return err
		}
	} else {
		for _, j := range queued.Jobs {
			fmt.Fprintf(a.stdout, "queued %s %s: hookd queue show %s\n", j.Kind, clean(j.about()), j.ID)
		}
		if len(queued.Jobs) == 0 {
			fmt.Fprintln(a.stdout, "there is nothing to ask for: no organization is known yet")
		}
	}
	if wait == 0 {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var errs []error
	for _, j := range queued.Jobs {
		switch err := a.awaitJob(waiting, cl, j.ID); {
		case err == nil:
		case waiting.Err() != nil && ctx.Err() == nil:
			errs = append(errs, fmt.Errorf("%s %s: not done within %s", j.Kind, clean(j.about()), wait))
		default:
			errs = append(errs, fmt.Errorf("%s %s: %w", j.Kind, clean(j.about()), err))
		}
	}
	if len(errs) == 0 && !wantsJSON(cmd) {
		fmt.Fprintln(a.stdout, "done: what differed is told to the CI servers by jobs of their own")
	}
	return errors.Join(errs...)
}

// awaitJob looks until a job has ended. One that is forgotten has.
func (a *app) awaitJob(ctx context.Context, cl *client, id string) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		var j job
		var gone *answerError
		err := cl.get(ctx, jobPath(id), nil, &j)
		switch {
		case errors.As(err, &gone) && gone.Status == http.StatusNotFound:
			return nil
		case err != nil:
			return err
		case j.State == string(syncqueue.Done):
			return nil
		case j.State == string(syncqueue.Parked):
			return fmt.Errorf("%s", clean(j.Note))
		case j.State == string(syncqueue.Dead):
			return fmt.Errorf("%s\nfix: hookd queue retry %s", clean(j.LastError), id)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (a *app) printDryRun(cmd *cli.Command, raw json.RawMessage) error {
	var answer struct {
		Items []struct {
			Provider string `json:"provider"`
			User     string `json:"user"`
			Repo     string `json:"repo"`
			ID       string `json:"id"`
			From     string `json:"from"`
			To       string `json:"to"`
			Held     string `json:"held"`
		} `json:"items"`
		Complete   bool     `json:"complete"`
		Incomplete []string `json:"incomplete"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		if err := printJSON(a.stdout, raw); err != nil {
			return err
		}
	} else {
		rows, held := [][]string{}, 0
		for _, d := range answer.Items {
			rows = append(rows, []string{d.Provider, d.User, d.Repo, d.ID, d.From, d.To, d.Held})
			if d.Held != "" {
				held++
			}
		}
		if len(rows) > 0 {
			if err := printTable(a.stdout, []string{"PROVIDER", "USER", "REPOSITORY", "ID", "FROM", "TO", "HELD"}, rows); err != nil {
				return err
			}
		}
		fmt.Fprintf(a.stdout, "%s, %d of them would be held; nothing was changed\n", count(len(rows), "difference", "differences"), held)
	}
	for _, why := range answer.Incomplete {
		fmt.Fprintln(a.stderr, "hookd: not everything:", clean(why))
	}
	if !answer.Complete {
		return errSilent
	}
	return nil
}
