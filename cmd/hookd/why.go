package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/handlers/why"
)

func (a *app) whyCommand() *cli.Command {
	return &cli.Command{
		Name:      "why",
		Usage:     "tells why a user sees a repository in the CI server, or does not",
		ArgsUsage: "PROVIDER/USER OWNER/REPO",
		Description: "The chain from the forge to the CI server, each link with what it rests on, a verdict\n" +
			"for each target, and what to do. It is made of what hookd knows; the forge is not asked.\n" +
			"Names may be of any case or of the past, or ids. Exits 1 if the catalogue knows no such\n" +
			"user or repository, and says how to ask the forge.",
		Flags:  clientFlags(outputFlag()),
		Action: a.why,
	}
}

func (a *app) why(ctx context.Context, cmd *cli.Command) error {
	who := cmd.Args().First()
	provider, user, ok := strings.Cut(who, "/")
	if !ok || provider == "" || user == "" {
		return usagef(cmd, "%q: write PROVIDER/USER, such as git/ana", who)
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	q := url.Values{"provider": {provider}, "user": {user}, "repo": {cmd.Args().Get(1)}}
	var raw json.RawMessage
	if err := cl.get(ctx, "/api/v1/why", q, &raw); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(a.stdout, raw)
	}
	var answer why.Answer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	return a.printWhy(answer, time.Now())
}

// marks make what does not hold stand out.
var marks = map[why.State]string{why.Yes: "yes", why.No: "NO", why.Wait: "wait", why.Open: "?"}

func (a *app) printWhy(answer why.Answer, now time.Time) error {
	says := []string{answer.Verdict}
	if len(answer.Targets) > 0 {
		says = nil
	}
	for _, v := range answer.Targets {
		says = append(says, v.Says)
	}
	for _, s := range says {
		fmt.Fprintln(a.stdout, clean(s))
	}
	tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, l := range answer.Chain {
		link, seen := l.Link, ""
		if l.Target != "" {
			link += " " + l.Target
		}
		if l.At != nil {
			if seen = age(*l.At, now); !strings.HasPrefix(seen, "in ") {
				seen += " ago"
			}
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", marks[l.State], clean(link), seen, clean(l.Says+pointer(l)))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fixed := map[string]bool{"": true}
	for _, v := range append([]why.Verdict{{Fix: answer.Fix}}, answer.Targets...) {
		if !fixed[v.Fix] {
			fmt.Fprintln(a.stdout, "fix:", clean(v.Fix))
			fixed[v.Fix] = true
		}
	}
	return nil
}

// pointer names the command that shows more of a link.
func pointer(l why.Link) string {
	switch {
	case l.Delivery != "":
		return "  (hookd deliveries show " + l.Delivery + ")"
	case l.Job != "":
		return "  (hookd queue show " + l.Job + ")"
	}
	return ""
}
