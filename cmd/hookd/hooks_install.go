package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/providers"
)

// A hookChange is one step of an installation, as it is told.
type hookChange struct {
	Provider string             `json:"provider"`
	Place    providers.HookType `json:"place"`
	Org      string             `json:"org"`
	ID       string             `json:"id"` // as it was found, "" of a new one
	Action   providers.StepKind `json:"action"`
	URL      string             `json:"url"`
	Events   []string           `json:"events"`
	Why      []string           `json:"why"`
	Now      string             `json:"now,omitempty"` // the id once done
	Error    string             `json:"error,omitempty"`
	Fix      string             `json:"fix,omitempty"`

	at   *hookPlace
	step providers.WebhookStep
}

// changes plans the steps for every place of a survey.
func (k *hookKeeper) changes(s *hookSurvey) []*hookChange {
	var all []*hookChange
	for _, err := range s.lost {
		all = append(all, &hookChange{Provider: k.cfg.Name, Error: err.Error(), Fix: "correct orgs of provider " + k.cfg.Name + ", or let its token see the organization"})
	}
	for _, p := range s.wanted {
		if p.err != nil {
			all = append(all, &hookChange{Provider: k.cfg.Name, Place: p.Kind, Org: p.Org.Name, Error: p.err.Error(), Fix: k.remedy(p, p.err), at: p})
			continue
		}
		for _, step := range p.Plan(p.found, k.want) {
			all = append(all, k.change(p, step))
		}
	}
	for _, p := range s.places {
		if s.wants(p) {
			continue
		}
		for _, w := range p.ours(k.want) {
			all = append(all, k.change(p, providers.WebhookStep{
				Do: providers.StepDelete, Webhook: w,
				Why: []providers.Flaw{{Kind: providers.FlawDouble, Text: "sends the same as the webhook of " + s.wanted[0].Name()}},
			}))
		}
	}
	return all
}

func (k *hookKeeper) change(p *hookPlace, step providers.WebhookStep) *hookChange {
	c := &hookChange{
		Provider: k.cfg.Name, Place: p.Kind, Org: p.Org.Name, ID: step.Webhook.ID, Action: step.Do,
		URL: k.want.URL(), Events: append([]string{}, p.Events...), Why: []string{}, at: p, step: step,
	}
	for _, f := range step.Why {
		c.Why = append(c.Why, f.Text)
	}
	switch {
	case step.Do == providers.StepDelete:
		c.URL, c.Events = step.Webhook.URL, append([]string{}, step.Webhook.Events...)
	case step.Do == providers.StepUpdate && len(step.Why) == 0:
		c.Why = append(c.Why, "nothing but the secret, which the forge does not tell")
	case step.Do == providers.StepKeep:
		c.Why = append(c.Why, "it is as it has to be, as far as the forge tells; --secret replaces it")
	}
	if full := p.Full(p.found, step.Webhook); len(full) > 0 && step.Do != providers.StepDelete {
		c.Error = fmt.Sprintf("%d webhooks hear %s already, which is the most there may be", p.PerEvent, strings.Join(full, ", "))
		c.Fix = "remove some that nobody needs any more"
	}
	return c
}

// apply does one step. Deleting what is superfluous waits until its better has
// been made: see installHooks.
func (k *hookKeeper) apply(ctx context.Context, c *hookChange) {
	now, err := c.step.Apply(ctx, k.admin, c.at.WebhookPlace, k.want)
	c.Now = now.ID
	if err != nil {
		c.Error, c.Fix = err.Error(), k.remedy(c.at, err)
		if errors.Is(err, providers.ErrRejected) && c.at.Fixed {
			c.Fix = "choose the events on the App's page: " + strings.Join(c.at.Events, ", ")
		}
	}
}

func (a *app) installHooks(ctx context.Context, cmd *cli.Command) error {
	dry := cmd.Bool("dry-run")
	var all []*hookChange
	err := a.eachKeeper(ctx, cmd, func(ctx context.Context, k *hookKeeper, at choice) error {
		s, err := k.survey(ctx, at)
		if err == nil && len(s.wanted) == 0 && len(s.lost) == 0 {
			err = fmt.Errorf("provider %s has no webhooks of that kind", k.cfg.Name)
		}
		if err != nil {
			all = append(all, &hookChange{Provider: k.cfg.Name, Error: err.Error(), Fix: k.remedy(nil, err)})
			return nil
		}
		steps := k.changes(s)
		all = append(all, steps...)
		if dry {
			return nil
		}
		for _, c := range steps {
			failed := slices.ContainsFunc(steps, func(x *hookChange) bool { return x.Error != "" && x.Provider == c.Provider })
			switch {
			case c.Error != "" || c.at == nil:
			case failed && c.Action == providers.StepDelete:
				c.Error, c.Fix = "not done, as something else failed", "do it again"
			default:
				k.apply(ctx, c)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		if all == nil {
			all = []*hookChange{}
		}
		err = printJSON(a.stdout, map[string]any{"dry_run": dry, "items": all, "next": nil})
	} else {
		err = a.printChanges(all, dry)
	}
	if err == nil && slices.ContainsFunc(all, func(c *hookChange) bool { return c.Error != "" }) {
		return errSilent
	}
	return err
}

func (a *app) printChanges(all []*hookChange, dry bool) error {
	rows := [][]string{}
	for _, c := range all {
		if c.Action == "" {
			continue
		}
		what := string(c.Action)
		if c.Error != "" && !dry {
			what = "FAILED"
		}
		id := c.ID
		if c.Now != "" && c.Now != c.ID {
			id = strings.TrimPrefix(c.ID+"→"+c.Now, "→")
		}
		rows = append(rows, []string{c.Provider, c.at.Name(), id, what, strings.Join(c.Events, ","), c.URL, strings.Join(c.Why, "; ")})
	}
	if len(rows) > 0 {
		if err := printTable(a.stdout, []string{"PROVIDER", "PLACE", "HOOK", "ACTION", "EVENTS", "URL", "WHY"}, rows); err != nil {
			return err
		}
	}
	if dry {
		fmt.Fprintln(a.stdout, "dry run: nothing was changed")
	}
	for _, c := range all {
		if c.Error != "" {
			place := ""
			if c.at != nil {
				place = " " + c.at.Name()
			}
			fmt.Fprintf(a.stderr, "hookd: %s%s: %s\nfix: %s\n", c.Provider, place, clean(c.Error), clean(c.Fix))
		}
	}
	return nil
}
