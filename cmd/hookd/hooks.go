package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/providers"
)

func (a *app) hooksCommand() *cli.Command {
	narrow := func(more ...cli.Flag) []cli.Flag {
		return append([]cli.Flag{
			&cli.StringFlag{Name: "provider", Usage: "only of provider `NAME`"},
			&cli.StringFlag{Name: "org", Usage: "only of organization or group `NAME`"},
			&cli.BoolFlag{Name: "system", Usage: "of the whole instance (Gitea, GitLab)"},
			&cli.StringSliceFlag{Name: "former", Usage: "take webhooks for ours that send to hookd's former public `URL`"},
		}, more...)
	}
	dryRun := func() cli.Flag {
		return &cli.BoolFlag{Name: "dry-run", Usage: "only say what would be done"}
	}
	return &cli.Command{
		Name:  "hooks",
		Usage: "sets and checks the forges' webhooks",
		Description: "Talks to the forges with the configured tokens; no hookd has to run. Ours are the\n" +
			"webhooks that send to public_url + /hooks/PROVIDER: those of others are never touched.\n\n" +
			"GitHub wants an owner's token with the scope admin:org_hook, GitLab an administrator's\n" +
			"(a system webhook) or a group owner's on Premium, Gitea an organization owner's with\n" +
			"write:organization, or an administrator's with write:admin for --system.",
		Commands: []*cli.Command{
			{
				Name:   "list",
				Usage:  "lists the webhooks of the configured organizations, those of others too",
				Flags:  narrow(outputFlag()),
				Action: a.listHooks,
			},
			{
				Name:  "install",
				Usage: "sets our webhook, or mends it: exactly one, with the newest secret",
				Description: "Doing it again changes nothing but the secret, which no forge tells and which is\n" +
					"therefore sent again. Gitea takes a secret for a new webhook only: there the webhook is\n" +
					"replaced if it is older than the newest secret's file, or with --secret.",
				Flags: narrow(dryRun(),
					&cli.BoolFlag{Name: "secret", Usage: "set the newest secret in any case"},
					outputFlag()),
				Action: a.installHooks,
			},
			{
				Name:  "verify",
				Usage: "compares our webhooks with what they have to be; exits 1 if they drifted",
				Description: "Looks for a missing webhook, a wrong address, missing events, another content type,\n" +
					"certificates that are not verified, webhooks that somebody or the forge switched off, a\n" +
					"missing secret, a refused last delivery, and several that send the same.",
				Flags:  narrow(outputFlag()),
				Action: a.verifyHooks,
			},
			{
				Name:   "remove",
				Usage:  "removes our webhooks",
				Flags:  narrow(dryRun(), yesFlag()),
				Action: a.removeHooks,
			},
		},
	}
}

// hookPatience bounds the calls for one provider.
const hookPatience = 2 * time.Minute

// eachKeeper calls do for every provider that the flags choose.
func (a *app) eachKeeper(ctx context.Context, cmd *cli.Command, do func(context.Context, *hookKeeper, choice) error) error {
	c, err := loadConfig(cmd.String("config"), a.env)
	if err != nil {
		return err
	}
	if c.PublicURL == "" {
		f := &faults{source: c.source}
		f.add(origin{File: c.source.name}, "public_url is missing: it is the address of hookd that the forges send to, such as https://hookd.example.com")
		return f
	}
	only := cmd.String("provider")
	if only != "" && c.provider(only) == nil {
		return usagef(cmd, "there is no provider %q, only %s", only, strings.Join(names(c.Providers, func(p *providerConfig) string { return p.Name }), ", "))
	}
	at := choice{org: cmd.String("org"), system: cmd.Bool("system")}
	if at.org != "" && at.system {
		return usagef(cmd, "give --org or --system, not both")
	}
	if at.org != "" && only == "" && len(c.Providers) > 1 {
		return usagef(cmd, "--org needs --provider: there are several")
	}
	for _, p := range c.Providers {
		if only != "" && p.Name != only {
			continue
		}
		if at.org != "" && !providers.NewOrgSet(p.Orgs...).Has(providers.Org{Name: at.org}) {
			return usagef(cmd, "provider %s does not follow the organization %q: its orgs are %s", p.Name, at.org, strings.Join(p.Orgs, ", "))
		}
		forge, err := newForge(p, providers.NewOrgSet(p.Orgs...), newTransport(), nil)
		if err != nil {
			return err
		}
		k := newHookKeeper(p, forge, c.PublicURL)
		if k == nil {
			return fmt.Errorf("provider %s: a %s has no webhooks that hookd could set", p.Name, p.Kind)
		}
		k.want.Former, k.want.Other = cmd.StringSlice("former"), cmd.Bool("secret")
		ask, cancel := context.WithTimeout(ctx, hookPatience)
		err = do(ask, k, at)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// surveyed is survey with a row instead of an error, so that one provider that
// is away does not hide the others.
func (k *hookKeeper) surveyed(ctx context.Context, at choice) (*hookSurvey, []hookRow) {
	s, err := k.survey(ctx, at)
	if err != nil {
		return nil, []hookRow{k.unknown(err, k.remedy(nil, err))}
	}
	return s, k.judge(ctx, s)
}

func (a *app) listHooks(ctx context.Context, cmd *cli.Command) error {
	all, failed := []hookRow{}, false
	err := a.eachKeeper(ctx, cmd, func(ctx context.Context, k *hookKeeper, at choice) error {
		s, rows := k.surveyed(ctx, at)
		if s != nil {
			rows = append(rows, k.others(s)...)
		}
		for _, r := range rows {
			failed = failed || r.State == hookUnknown
		}
		all = append(all, rows...)
		return nil
	})
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		err = printJSON(a.stdout, map[string]any{"items": all, "next": nil})
	} else {
		err = a.printHooks(all)
	}
	if err == nil && failed {
		return errSilent
	}
	return err
}

func (a *app) printHooks(rows []hookRow) error {
	now := time.Now()
	cells := [][]string{}
	for _, r := range rows {
		last := ""
		if r.Last != nil {
			last = r.Last.Answer
		}
		events := strings.Join(r.Events, ",")
		if !r.Ours && len(r.Events) > 3 {
			events = fmt.Sprintf("%s,… (%d)", strings.Join(r.Events[:3], ","), len(r.Events))
		}
		set := ""
		if r.SetAt != nil {
			set = age(*r.SetAt, now)
		} else if r.ID != "" {
			set = "unknown"
		}
		cells = append(cells, []string{r.Provider, r.place, r.ID, r.State, set, last, events, r.URL})
	}
	if err := printTable(a.stdout, []string{"PROVIDER", "PLACE", "HOOK", "STATE", "SECRET SET", "LAST", "EVENTS", "URL"}, cells); err != nil {
		return err
	}
	for _, r := range rows {
		if r.State == hookUnknown {
			where := strings.TrimSpace(r.Provider + " " + r.place)
			fmt.Fprintf(a.stderr, "%s: %s\nfix: %s\n", where, clean(r.Error), clean(r.Fix))
		}
	}
	return nil
}

func (a *app) verifyHooks(ctx context.Context, cmd *cli.Command) error {
	all := []hookRow{}
	err := a.eachKeeper(ctx, cmd, func(ctx context.Context, k *hookKeeper, at choice) error {
		_, rows := k.surveyed(ctx, at)
		all = append(all, rows...)
		return nil
	})
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		err = printJSON(a.stdout, map[string]any{"ok": !driftOf(all), "items": all, "next": nil})
	} else {
		now := time.Now()
		var r report
		for _, row := range all {
			r.add(row.finding(now))
		}
		r.print(a.stdout)
	}
	if err == nil && driftOf(all) {
		return errSilent
	}
	return err
}

// finding tells of a row as a check.
func (r hookRow) finding(now time.Time) finding {
	f := finding{Level: levelOK, Check: "webhook", Subject: strings.TrimSuffix(r.Provider+"/"+r.place, "/"), Text: r.summary(), Fix: r.Fix}
	if r.State == hookOK {
		if more := r.detail(now); more != "" {
			f.Text += "; " + more
		}
		if len(r.Notes) > 0 {
			f.Level, f.Text, f.Fix = levelWarn, f.Text+"; "+strings.Join(r.Notes, "; "), "if the secret was changed: hookd hooks install --provider "+r.Provider
		}
		return f
	}
	f.Level = levelFail
	if len(r.Notes) > 0 {
		f.Text += "; " + strings.Join(r.Notes, "; ")
	}
	return f
}
