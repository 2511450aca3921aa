package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
)

func (a *app) queueCommand() *cli.Command {
	stateFlag := func() cli.Flag {
		return wordFlag("state", "only in `STATE` ready, waiting, leased, parked, done or dead", stateWords)
	}
	kindFlag := func() cli.Flag {
		return wordFlag("kind", "only of `KIND` repo, member, user, scope, poll, sweep or publish", kindWords)
	}
	providerFlag := func() cli.Flag { return &cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"} }
	return &cli.Command{
		Name:  "queue",
		Usage: "shows and steers jobs and dead letters",
		Commands: []*cli.Command{
			{
				Name:   "list",
				Usage:  "lists jobs, newest first",
				Flags:  clientFlags(stateFlag(), kindFlag(), providerFlag(), limitFlag(), outputFlag()),
				Action: a.listJobs,
			},
			{
				Name:      "show",
				Usage:     "shows a job and why it exists",
				ArgsUsage: "ID",
				Flags:     clientFlags(outputFlag()),
				Action:    a.showJob,
			},
			{
				Name:      "retry",
				Usage:     "makes waiting, parked or dead jobs due now",
				ArgsUsage: "[ID…]",
				Description: "Takes ids, or --state: then it counts first and asks. A job that the shrink guard\n" +
					"holds is released by this.",
				Flags:  clientFlags(stateFlag(), kindFlag(), providerFlag(), dryRunFlag(), yesFlag()),
				Action: a.retryJobs,
			},
			{
				Name:      "drop",
				Usage:     "ends jobs without doing them",
				ArgsUsage: "[ID…]",
				Description: "Takes ids, or --state: it counts first and asks. What a dropped job would have found\n" +
					"is found by the next reconciliation. Polls and sweeps are spared unless --kind asks\n" +
					"for them: dropped ones come back at the next start.",
				Flags:  clientFlags(stateFlag(), kindFlag(), providerFlag(), dryRunFlag(), yesFlag()),
				Action: a.dropJobs,
			},
			{
				Name:  "pause",
				Usage: "stops the workers; deliveries are still taken",
				Flags: clientFlags(),
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return a.steer(ctx, cmd, "pause", "paused: deliveries are taken, nothing is done about them")
				},
			},
			{
				Name:  "resume",
				Usage: "starts the workers again",
				Flags: clientFlags(),
				Action: func(ctx context.Context, cmd *cli.Command) error {
					return a.steer(ctx, cmd, "resume", "running")
				},
			},
		},
	}
}

func (a *app) listJobs(ctx context.Context, cmd *cli.Command) error {
	return a.listing(ctx, cmd, "/api/v1/jobs", query(cmd, "state", "kind", "provider"), jobHead, row(job.cells))
}

func (a *app) showJob(ctx context.Context, cmd *cli.Command) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	id := cmd.Args().First()
	if err := cl.get(ctx, jobPath(id), nil, &raw); err != nil {
		return named(err, "job", id, "queue list")
	}
	if wantsJSON(cmd) {
		return printJSON(a.stdout, raw)
	}
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return err
	}
	w := a.stdout
	fmt.Fprintf(w, "job       %s  %s  %s\n", j.ID, j.Kind, clean(j.about()))
	fmt.Fprintf(w, "key       %s\n", clean(j.Key))
	fmt.Fprintf(w, "state     %s %s after %s\n", j.State, j.Outcome, count(j.Attempts, "attempt", "attempts"))
	if j.State == string(syncqueue.Waiting) || j.State == string(syncqueue.Parked) {
		fmt.Fprintf(w, "due       %s\n", j.NotBefore.Local().Format(time.RFC3339))
	}
	if j.Note != "" {
		fmt.Fprintf(w, "note      %s\n", clean(j.Note))
	}
	if j.LastError != "" {
		fmt.Fprintf(w, "error     %s\n", clean(j.LastError))
		if j.State != string(syncqueue.Done) && j.State != string(syncqueue.Leased) {
			fmt.Fprintf(w, "retry     hookd queue retry %s\n", j.ID)
		}
	}
	for _, c := range j.Causes {
		from := strings.TrimSpace(c.By + " " + c.Event)
		if c.Delivery != "" {
			from = strings.TrimSpace("delivery " + c.Delivery + " " + c.Event + " " + c.By)
		}
		if c.Why != "" {
			from += ": " + c.Why
		}
		fmt.Fprintf(w, "cause     %s  %s\n", c.At.Local().Format(time.RFC3339), clean(from))
	}
	return nil
}
