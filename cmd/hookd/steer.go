package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
)

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
// when it destroys or when nobody has seen the list. A dry run only looks
// whether the jobs are there.
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
	switch {
	case cmd.Bool("dry-run"):
		verb = "would " + verb
		do = func(cl *client, id string) error { return cl.get(ctx, jobPath(id), nil, nil) }
	case len(ids) > 0 && (destroys || selected):
		if err := a.confirm(cmd, fmt.Sprintf("will %s %s", verb, count(len(ids), "job", "jobs"))); err != nil {
			return err
		}
	}
	var errs []error
	for _, id := range ids {
		if err := do(cl, id); err != nil {
			errs = append(errs, named(err, "job", id, "queue list"))
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
