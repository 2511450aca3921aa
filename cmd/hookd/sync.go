package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

func (a *app) syncCommand() *cli.Command {
	return &cli.Command{
		Name:      "sync",
		Usage:     "reads everything one user holds, now",
		ArgsUsage: "PROVIDER/USER",
		Description: "Without --wait the work is only queued. With it, the command ends when every target\n" +
			"shows the list, and exits 1 if that did not happen in time.",
		Flags: clientFlags(
			&cli.DurationFlag{Name: "wait", Usage: "wait up to `TIME` for the result, at most 5m", Validator: timeBetween(0, 5*time.Minute)},
			outputFlag()),
		Action: a.syncUser,
	}
}

// synced is the answer to a sync: with the difference once nothing more is about
// to happen.
type synced struct {
	Job     string   `json:"job"`
	Before  int      `json:"repos_before"`
	After   int      `json:"repos_after"`
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Error   string   `json:"last_error"`
	Targets map[string]struct {
		Published bool   `json:"published"`
		State     string `json:"state"`
		Reason    string `json:"reason"`
	} `json:"targets"`
}

func (a *app) syncUser(ctx context.Context, cmd *cli.Command) error {
	who := cmd.Args().First()
	provider, login, ok := strings.Cut(who, "/")
	if !ok || provider == "" || login == "" {
		return usagef(cmd, "%q: write PROVIDER/USER, such as git/ana", who)
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	q := url.Values{}
	wait := cmd.Duration("wait")
	if wait > 0 {
		q.Set("wait", wait.String())
		cl.http.Timeout += wait
	}
	var raw json.RawMessage
	start := time.Now()
	status, err := cl.do(ctx, http.MethodPost, "/api/v1/users/"+url.PathEscape(provider)+"/"+url.PathEscape(login)+"/sync", q, nil, &raw)
	if err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	var s synced
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if wantsJSON(cmd) {
		if err := printJSON(a.stdout, raw); err != nil {
			return err
		}
	} else if s.Added != nil {
		a.printSynced(who, s, time.Since(start))
	} else {
		fmt.Fprintf(a.stdout, "queued as job %s: hookd queue show %s\n", s.Job, s.Job)
	}
	switch {
	case status == http.StatusOK || wait == 0:
		return nil
	case s.Added != nil:
		return errSilent // it was told which target does not show it, and why
	case s.Error != "":
		return fmt.Errorf("not done within %s: %s", wait, s.Error)
	}
	return fmt.Errorf("not done within %s", wait)
}

func (a *app) printSynced(who string, s synced, took time.Duration) {
	fmt.Fprintf(a.stdout, "%s: %s before, %d after, in %s\n", who, count(s.Before, "repository", "repositories"), s.After, seconds(took))
	for _, r := range s.Added {
		fmt.Fprintln(a.stdout, " +", clean(r))
	}
	for _, r := range s.Removed {
		fmt.Fprintln(a.stdout, " -", clean(r))
	}
	names := make([]string, 0, len(s.Targets))
	for name := range s.Targets {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := s.Targets[name]
		if t.Published {
			fmt.Fprintf(a.stdout, "%s shows it\n", name)
		} else {
			fmt.Fprintf(a.stdout, "%s does not show it: %s, %s\n", name, t.State, clean(t.Reason))
		}
	}
}
