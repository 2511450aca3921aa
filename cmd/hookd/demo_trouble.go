package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// The size of a storm.
const (
	stormRepos = 500
	stormUsers = 300
	stormTeams = 3
)

func stormTeam(n int) string { return fmt.Sprintf("team-%d", n%stormTeams+1) }

func stormUser(n int) string { return fmt.Sprintf("user-%03d", n+1) }

// crowd adds 300 users in three teams, who see the first repository.
func crowd(w *world) error {
	for n := range stormTeams {
		if _, err := w.forge.CreateTeam(demoOrg, stormTeam(n), providers.Write, false); err != nil {
			return err
		}
		if err := w.forge.AddTeamRepo(demoOrg, stormTeam(n), demoOrg+"/base"); err != nil {
			return err
		}
	}
	for n := range stormUsers {
		if err := w.settle(stormTeam(n), stormUser(n)); err != nil {
			return err
		}
	}
	return nil
}

// storm is an import: repositories as fast as the forge creates them, each for
// team core and one of the three.
func storm(ctx context.Context, d *demo, t *tracker) error {
	w := d.world
	for n := range stormRepos {
		name := fmt.Sprintf("app-%d", n+1)
		path := demoOrg + "/" + name
		viewers := slices.Clone(w.core)
		for u := n % stormTeams; u < stormUsers; u += stormTeams {
			viewers = append(viewers, stormUser(u))
		}
		err := t.act("created "+path, func() error {
			if err := w.create(name); err != nil {
				return err
			}
			return w.forge.AddTeamRepo(demoOrg, stormTeam(n), path)
		}, grants(path, viewers...)...)
		if err != nil {
			return err
		}
	}
	return t.wait(ctx)
}

// downtime is how long something is away.
const downtime = 3 * time.Second

// outage takes the CI server away, then the forge, then both, each time with changes
// meanwhile, and puts them back.
func outage(ctx context.Context, d *demo, t *tracker) error {
	w := d.world
	app := func(n int) string { return fmt.Sprintf("%s/app-%d", demoOrg, n) }
	base := demoOrg + "/base"
	create := func(n int, viewers ...string) func() error {
		return func() error { _, err := t.createRepo(n, viewers); return err }
	}
	rest := func() error { return t.rest(ctx, downtime) }
	settled := func() error { return t.wait(ctx) }
	ci := func() error { w.ci.Break(targettest.FaultDown, ""); return nil }
	ciBack := func() error { w.ci.Heal(); return nil }
	// The forge still announces what happens, and answers no question about it.
	var heal func()
	forge := func() error {
		heal = w.forge.Break(providerstest.Fault{Kind: providerstest.FaultError})
		return nil
	}
	forgeBack := func() error { heal(); return nil }

	for _, step := range []func() error{
		create(1, w.core...), settled,

		ci, create(2, w.core...),
		func() error { return t.join("mia", []string{base, app(1), app(2)}) },
		rest, ciBack, settled,

		forge, create(3, "ana", "mia"),
		func() error { return t.leave("li", []string{base, app(1), app(2)}) },
		rest, forgeBack, settled,

		ci, forge,
		func() error { return t.deleteRepo(app(1), "ana", "mia") },
		func() error { return t.join("li", []string{base, app(2), app(3)}) },
		rest, ciBack, rest, forgeBack, settled,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// rotation changes the webhook's secret in the order that loses nothing: hookd
// learns the new one beside the old one, then the forge changes over, then
// hookd forgets the old one. Nothing but webhooks tells of the repositories
// that are created all the while.
func rotation(ctx context.Context, d *demo, t *tracker) error {
	w := d.world
	before, after := w.secrets[0], secret(newKey())
	steps := []func() error{
		func() error { return d.know(ctx, after, before) },
		// A Gitea whose webhook is replaced forgets what it had not sent yet.
		func() error { return w.forge.Delivered(ctx) },
		func() error { return w.setSecret(ctx, after) },
		// What was signed with the old secret arrives first.
		func() error { return w.forge.Delivered(ctx) },
		func() error { return d.know(ctx, after) },
	}
	n := 0
	flow := func() error {
		for range 3 {
			n++
			if _, err := t.createRepo(n, w.core); err != nil {
				return err
			}
			if err := t.rest(ctx, pause/5); err != nil {
				return err
			}
		}
		return nil
	}
	for _, step := range steps {
		if err := flow(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	if err := flow(); err != nil {
		return err
	}
	if err := t.wait(ctx); err != nil {
		return err
	}
	if refused := w.forge.refused(); len(refused) > 0 {
		return fmt.Errorf("hookd refused %s:\n%s", count(len(refused), "delivery", "deliveries"), strings.Join(refused, "\n"))
	}
	return nil
}

// know gives hookd other webhook secrets as an operator does: in the files, and
// then SIGHUP.
func (d *demo) know(ctx context.Context, secrets ...secret) error {
	d.world.secrets = secrets
	if err := d.world.save(d.world.dir); err != nil {
		return err
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	party := d.server.desk.forge(demoProvider)
	return until(ctx, func() (bool, error) { return int(party.secrets.Load()) == len(secrets), nil })
}
