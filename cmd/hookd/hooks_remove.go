package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/providers"
)

// A doomed webhook is one of ours that is to be removed.
type doomed struct {
	k *hookKeeper
	p *hookPlace
	w providers.Webhook
}

func (a *app) removeHooks(ctx context.Context, cmd *cli.Command) error {
	var all []doomed
	var unread []error
	err := a.eachKeeper(ctx, cmd, func(ctx context.Context, k *hookKeeper, c choice) error {
		s, err := k.survey(ctx, c)
		if err != nil {
			unread = append(unread, fmt.Errorf("%s: %w\nfix: %s", k.cfg.Name, err, k.remedy(nil, err)))
			return nil
		}
		for _, err := range s.lost {
			unread = append(unread, fmt.Errorf("%s: %w", k.cfg.Name, err))
		}
		for _, p := range s.places {
			if c.org != "" && p.Whole() || c.system && !p.Whole() || p.Fixed {
				continue
			}
			if p.err != nil && s.wants(p) {
				unread = append(unread, fmt.Errorf("%s %s: %w\nfix: %s", k.cfg.Name, p.Name(), p.err, k.remedy(p, p.err)))
			}
			for _, w := range p.ours(k.want) {
				all = append(all, doomed{k, p, w})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range all {
		fmt.Fprintf(a.stdout, "%s  %s  webhook %s  %s\n", d.k.cfg.Name, clean(d.p.Name()), d.w.ID, clean(d.w.URL))
	}
	switch {
	case len(all) == 0:
		fmt.Fprintln(a.stdout, "there is no webhook of ours")
		return errors.Join(unread...)
	case cmd.Bool("dry-run"):
		fmt.Fprintf(a.stdout, "dry run: would remove %s\n", count(len(all), "webhook", "webhooks"))
		return errors.Join(unread...)
	}
	if err := a.confirm(cmd, "will remove "+count(len(all), "webhook", "webhooks")); err != nil {
		return err
	}
	removed := 0
	for _, d := range all {
		one, cancel := context.WithTimeout(ctx, hookPatience)
		err := d.k.admin.DeleteWebhook(one, d.p.WebhookPlace, d.w.ID)
		cancel()
		if err != nil && !errors.Is(err, providers.ErrNotFound) {
			unread = append(unread, fmt.Errorf("webhook %s: %w\nfix: %s", d.w.ID, err, d.k.remedy(d.p, err)))
			continue
		}
		removed++
	}
	fmt.Fprintf(a.stdout, "removed: %d of %s\n", removed, count(len(all), "webhook", "webhooks"))
	return errors.Join(unread...)
}
