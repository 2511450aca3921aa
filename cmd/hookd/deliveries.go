package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// A delivery is the API's, with what the commands show of it.
type delivery struct {
	ID       string          `json:"id"`
	Provider string          `json:"provider"`
	Event    string          `json:"event"`
	GUID     string          `json:"delivery_id"`
	Received time.Time       `json:"received_at"`
	Result   string          `json:"result"`
	Reason   string          `json:"reason"`
	Size     int64           `json:"size"`
	HasBody  bool            `json:"has_body"`
	Secret   int             `json:"secret"`
	Sent     time.Time       `json:"sent_at"`
	Org      string          `json:"org"`
	Repo     string          `json:"repo"`
	User     string          `json:"user"`
	Sender   string          `json:"sender"`
	Summary  string          `json:"summary"`
	Jobs     json.RawMessage `json:"jobs"` // a number in lists, the jobs themselves in a single delivery
	Timeline []moment        `json:"timeline"`
}

type moment struct {
	Seconds float64 `json:"seconds"`
	What    string  `json:"what"`
	Job     string  `json:"job"`
	Kind    string  `json:"kind"`
	Target  string  `json:"target"`
	Repo    string  `json:"repo"`
	User    string  `json:"user"`
	Outcome string  `json:"outcome"`
	Note    string  `json:"note"`
}

func (d delivery) subject() string {
	if d.User != "" && d.Repo != "" {
		return d.User + " in " + d.Repo
	}
	for _, s := range []string{d.Repo, d.User, d.Org} {
		if s != "" {
			return s
		}
	}
	return ""
}

// proof says what vouches for the delivery.
func (d delivery) proof() string {
	if d.Secret == 0 {
		return "on the word of the forge's API"
	}
	return fmt.Sprintf("signed with secret %d", d.Secret)
}

// filterFlags select deliveries.
func filterFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"},
		&cli.StringFlag{Name: "event", Usage: "only this `EVENT`, such as repository.created"},
		wordFlag("result", "only with `RESULT` accepted, ignored or ping", resultWords),
		&cli.StringFlag{Name: "since", Usage: "only since `TIME`: RFC 3339, or a duration ago (2h, 7d)", Validator: validWhen},
		&cli.StringFlag{Name: "until", Usage: "only until `TIME`: RFC 3339, or a duration ago", Validator: validWhen},
	}, more...)
}

var filterNames = []string{"provider", "event", "result", "since", "until"}

// filter returns what filterFlags were given, with times made absolute.
func filter(cmd *cli.Command) url.Values {
	q := url.Values{}
	for _, name := range filterNames {
		if v := cmd.String(name); v != "" {
			if t, err := parseWhen(v, time.Now()); err == nil && (name == "since" || name == "until") {
				v = t.UTC().Format(time.RFC3339Nano)
			}
			q.Set(name, v)
		}
	}
	return q
}

func (a *app) deliveriesCommand() *cli.Command {
	return &cli.Command{
		Name:  "deliveries",
		Usage: "reads the journal of what the forges sent, exports and replays it",
		Commands: []*cli.Command{
			{
				Name:   "list",
				Usage:  "lists deliveries, newest first",
				Flags:  clientFlags(filterFlags(limitFlag(), outputFlag())...),
				Action: a.listDeliveries,
			},
			{
				Name:      "show",
				Usage:     "shows a delivery with its jobs and what became of it",
				ArgsUsage: "ID",
				Description: "ID is a delivery's id or the beginning of one. --body prints the bytes as the\n" +
					"forge sent them instead.",
				Flags:  clientFlags(&cli.BoolFlag{Name: "body", Usage: "print the body"}, outputFlag()),
				Action: a.showDelivery,
			},
			{
				Name:      "replay",
				Usage:     "queues the jobs of deliveries again",
				ArgsUsage: "[ID…]",
				Description: "Takes ids, or a filter: then it counts first and asks. A delivery is an occasion\n" +
					"to look; replaying one makes hookd ask the forge what is true now.",
				Flags: clientFlags(filterFlags(
					dryRunFlag(), yesFlag(), outputFlag())...),
				Action: a.replayDeliveries,
			},
			a.exportCommand(),
			a.backfillCommand(),
		},
	}
}

func (a *app) listDeliveries(ctx context.Context, cmd *cli.Command) error {
	return a.listing(ctx, cmd, "/api/v1/deliveries", filter(cmd),
		[]string{"AGE", "DELIVERY", "PROVIDER", "EVENT", "SUBJECT", "RESULT", "JOBS"},
		row(func(d delivery, now time.Time) []string {
			result := d.Result
			if d.Reason != "" {
				result += ": " + d.Reason
			}
			return []string{age(d.Received, now), d.ID, d.Provider, d.Event, d.subject(), result, string(d.Jobs)}
		}))
}

func (a *app) showDelivery(ctx context.Context, cmd *cli.Command) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	id := cmd.Args().First()
	path := "/api/v1/deliveries/" + url.PathEscape(id)
	if cmd.Bool("body") {
		var body []byte
		if err := cl.get(ctx, path+"/body", nil, &body); err != nil {
			return named(err, "delivery", id, "deliveries list")
		}
		_, err := a.stdout.Write(body)
		return err
	}
	var raw json.RawMessage
	if err := cl.get(ctx, path, nil, &raw); err != nil {
		return named(err, "delivery", id, "deliveries list")
	}
	if wantsJSON(cmd) {
		return printJSON(a.stdout, raw)
	}
	var d delivery
	if err := json.Unmarshal(raw, &d); err != nil {
		return err
	}
	return a.printDelivery(d)
}

func (a *app) printDelivery(d delivery) error {
	w := a.stdout
	fmt.Fprintf(w, "delivery  %s  %s  %s  %s\n", d.ID, clean(d.Provider), clean(d.Event), clean(d.subject()))
	fmt.Fprintf(w, "received  %s, %d bytes, %s, by %s\n", d.Received.Local().Format(time.RFC3339), d.Size, d.proof(), clean(d.Sender))
	if !d.Sent.IsZero() {
		fmt.Fprintf(w, "sent      %s: it never arrived and was fetched out of the forge's log\n", d.Sent.Local().Format(time.RFC3339))
	}
	fmt.Fprintf(w, "forge id  %s\n", clean(d.GUID))
	fmt.Fprintf(w, "result    %s %s\n", d.Result, clean(d.Reason))
	if d.Summary != "" {
		fmt.Fprintf(w, "summary   %s\n", clean(d.Summary))
	}
	for _, m := range d.Timeline {
		parts := []string{fmt.Sprintf("%+9.3f s", m.Seconds), m.What}
		for _, s := range []string{m.Kind, m.Repo, m.User, m.Target, m.Outcome, m.Job, m.Note} {
			if s != "" {
				parts = append(parts, clean(s))
			}
		}
		fmt.Fprintln(w, strings.Join(parts, "  "))
	}
	var jobs []job
	if err := json.Unmarshal(d.Jobs, &jobs); err != nil || len(jobs) == 0 {
		return err
	}
	fmt.Fprintln(w)
	return printJobs(w, jobs, time.Now())
}
