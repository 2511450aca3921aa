package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/urfave/cli/v3"
)

func (a *app) replayDeliveries(ctx context.Context, cmd *cli.Command) error {
	q := filter(cmd)
	switch ids := cmd.Args().Slice(); {
	case len(ids) > 0 && len(q) > 0:
		return usagef(cmd, "give ids or a filter, not both")
	case len(ids) > 0:
		return a.replayIDs(ctx, cmd, ids)
	case len(q) == 0:
		return usagef(cmd, "give ids, or a filter such as --since 2h")
	}
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	ask := map[string]any{"dry_run": true}
	for name := range q {
		ask[name] = q.Get(name)
	}
	if ask["until"] == nil {
		// What comes in while the question stands is not meant.
		ask["until"] = time.Now().UTC().Format(time.RFC3339Nano)
	}
	var r struct {
		Deliveries int      `json:"deliveries"`
		Jobs       int      `json:"jobs"`
		IDs        []string `json:"ids"`
		Truncated  bool     `json:"truncated"`
		DryRun     bool     `json:"dry_run"`
	}
	replay := func() error {
		_, err := cl.do(ctx, http.MethodPost, "/api/v1/replays", nil, ask, &r)
		return err
	}
	if err := replay(); err != nil {
		return err
	}
	if !cmd.Bool("dry-run") && r.Deliveries > 0 {
		if err := a.confirm(cmd, fmt.Sprintf("will replay %s (%s)", count(r.Deliveries, "delivery", "deliveries"), count(r.Jobs, "job", "jobs"))); err != nil {
			return err
		}
		ask["dry_run"] = false
		if err := replay(); err != nil {
			return err
		}
	}
	if wantsJSON(cmd) {
		return printJSON(a.stdout, r)
	}
	did := "replayed"
	if r.DryRun {
		did = "would replay"
	}
	fmt.Fprintf(a.stdout, "%s %s, %s\n", did, count(r.Deliveries, "delivery", "deliveries"), count(r.Jobs, "job", "jobs"))
	if r.Truncated {
		fmt.Fprintln(a.stdout, "there are more: run it again with --until set to the oldest of these")
	}
	return nil
}

func (a *app) replayIDs(ctx context.Context, cmd *cli.Command, ids []string) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	q, did := url.Values{}, "replayed"
	if cmd.Bool("dry-run") {
		q.Set("dry_run", "true")
		did = "would replay"
	}
	type replayed struct {
		Delivery string `json:"delivery"`
		Jobs     int    `json:"jobs"`
	}
	all := []replayed{}
	var errs []error
	for _, id := range ids {
		var r replayed
		if _, err := cl.do(ctx, http.MethodPost, "/api/v1/deliveries/"+url.PathEscape(id)+"/replay", q, nil, &r); err != nil {
			errs = append(errs, named(err, "delivery", id, "deliveries list"))
			continue
		}
		all = append(all, r)
		if !wantsJSON(cmd) {
			fmt.Fprintf(a.stdout, "%s %s, %s\n", did, r.Delivery, count(r.Jobs, "job", "jobs"))
		}
	}
	if wantsJSON(cmd) {
		if err := printJSON(a.stdout, map[string]any{"items": all}); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}
