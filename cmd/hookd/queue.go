package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
)

// A job is the API's, with what the commands show of it.
type job struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"`
	Key       string    `json:"key"`
	Provider  string    `json:"provider"`
	Target    string    `json:"target"`
	Subject   subject   `json:"subject"`
	Within    subject   `json:"within"`
	State     string    `json:"state"`
	Attempts  int       `json:"attempts"`
	NotBefore time.Time `json:"not_before"`
	LastError string    `json:"last_error"`
	Outcome   string    `json:"outcome"`
	Note      string    `json:"note"`
	Created   time.Time `json:"created_at"`
	Finished  time.Time `json:"finished_at"`
	Causes    []struct {
		Delivery string    `json:"delivery"`
		By       string    `json:"by"`
		Event    string    `json:"event"`
		At       time.Time `json:"at"`
	} `json:"causes"`
}

type subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (s subject) String() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.TrimSpace(s.Kind + " " + s.ID)
}

// about is what a job looks at, and for whom.
func (j job) about() string {
	s := j.Subject.String()
	if w := j.Within.String(); w != "" {
		s += " in " + w
	}
	if j.Target != "" {
		s += " on " + j.Target
	}
	return s
}

// why is the last thing to know about a job.
func (j job) why() string {
	if j.LastError != "" {
		return j.LastError
	}
	return j.Note
}

func (a *app) queueCommand() *cli.Command {
	stateFlag := func() cli.Flag {
		return &cli.StringFlag{Name: "state", Usage: "only in `STATE` ready, waiting, leased, parked, done or dead", Validator: oneOfStates}
	}
	kindFlag := func() cli.Flag {
		return &cli.StringFlag{Name: "kind", Usage: "only of `KIND` repo, member, user, scope, poll, sweep or publish"}
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
				Flags:  clientFlags(stateFlag(), kindFlag(), providerFlag(), yesFlag()),
				Action: a.retryJobs,
			},
			{
				Name:      "drop",
				Usage:     "ends jobs without doing them",
				ArgsUsage: "[ID…]",
				Description: "Takes ids, or --state: it counts first and asks. What a dropped job would have found\n" +
					"is found by the next reconciliation. Polls and sweeps are spared unless --kind asks\n" +
					"for them: dropped ones come back at the next start.",
				Flags:  clientFlags(stateFlag(), kindFlag(), providerFlag(), yesFlag()),
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

func oneOfStates(s string) error {
	if !slices.Contains(syncqueue.States, syncqueue.State(s)) {
		return fmt.Errorf("want one of %v", syncqueue.States)
	}
	return nil
}

func (a *app) listJobs(ctx context.Context, cmd *cli.Command) error {
	return a.listing(ctx, cmd, "/api/v1/jobs", query(cmd, "state", "kind", "provider"), jobHead, row(job.cells))
}

var jobHead = []string{"AGE", "JOB", "KIND", "ABOUT", "STATE", "ATTEMPTS", "DUE", "NOTE"}

func (j job) cells(now time.Time) []string {
	due := ""
	if j.State != string(syncqueue.Done) && j.State != string(syncqueue.Dead) {
		due = age(j.NotBefore, now)
	}
	return []string{age(j.Created, now), j.ID, j.Kind, j.about(), j.State, strconv.Itoa(j.Attempts), due, j.why()}
}

func printJobs(w io.Writer, jobs []job, now time.Time) error {
	rows := make([][]string, len(jobs))
	for i, j := range jobs {
		rows[i] = j.cells(now)
	}
	return printTable(w, jobHead, rows)
}

func (a *app) showJob(ctx context.Context, cmd *cli.Command) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := cl.get(ctx, jobPath(cmd.Args().First()), nil, &raw); err != nil {
		return err
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
		fmt.Fprintf(w, "retry     hookd queue retry %s\n", j.ID)
	}
	for _, c := range j.Causes {
		from := c.By
		if c.Delivery != "" {
			from = strings.TrimSpace("delivery " + c.Delivery + " " + c.Event + " " + c.By)
		}
		fmt.Fprintf(w, "cause     %s  %s\n", c.At.Local().Format(time.RFC3339), clean(from))
	}
	return nil
}

func jobPath(id string) string { return "/api/v1/jobs/" + url.PathEscape(id) }

func (a *app) retryJobs(ctx context.Context, cmd *cli.Command) error {
	return a.each(ctx, cmd, "retry", false, func(cl *client, id string) error {
		_, err := cl.do(ctx, http.MethodPost, jobPath(id)+"/retry", nil, nil, nil)
		return err
	})
}

func (a *app) dropJobs(ctx context.Context, cmd *cli.Command) error {
	return a.each(ctx, cmd, "drop", true, func(cl *client, id string) error {
		_, err := cl.do(ctx, http.MethodDelete, jobPath(id), nil, nil, nil)
		return err
	})
}

// each does something to the jobs that are named or selected. It asks first
// when it destroys or when nobody has seen the list.
func (a *app) each(ctx context.Context, cmd *cli.Command, verb string, destroys bool, do func(*client, string) error) error {
	ids := cmd.Args().Slice()
	q := query(cmd, "state", "kind", "provider")
	switch {
	case len(ids) > 0 && len(q) > 0:
		return usagef(cmd, "give ids or a filter, not both")
	case len(ids) == 0 && q.Get("state") == "":
		return usagef(cmd, "give ids, or a filter with --state")
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	selected := len(ids) == 0
	if selected {
		p, err := cl.list(ctx, "/api/v1/jobs", q, 0)
		if err != nil {
			return err
		}
		for _, raw := range p.Items {
			var j job
			if err := json.Unmarshal(raw, &j); err != nil {
				return err
			}
			// Polls and sweeps come again by themselves only if they are left in
			// peace.
			if destroys && q.Get("kind") == "" && (j.Kind == string(syncqueue.KindPoll) || j.Kind == string(syncqueue.KindSweep)) {
				continue
			}
			ids = append(ids, j.ID)
		}
	}
	if len(ids) > 0 && (destroys || selected) {
		if err := a.confirm(cmd, fmt.Sprintf("will %s %s", verb, count(len(ids), "job", "jobs"))); err != nil {
			return err
		}
	}
	var errs []error
	for _, id := range ids {
		if err := do(cl, id); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", id, err))
		}
	}
	fmt.Fprintf(a.stdout, "%s: %d of %s\n", verb, len(ids)-len(errs), count(len(ids), "job", "jobs"))
	return errors.Join(errs...)
}

func (a *app) steer(ctx context.Context, cmd *cli.Command, what, done string) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	if _, err := cl.do(ctx, http.MethodPost, "/api/v1/queue/"+what, nil, nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, done)
	return nil
}
