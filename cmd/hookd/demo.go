package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/syncqueue"
)

// headlessLimit is how long a scenario may take when --for does not say.
const headlessLimit = time.Minute

func (a *app) demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "runs hookd against a simulated forge and a simulated CI server",
		Description: "The server is the one that serve runs, on a temporary data folder; the forge and the\n" +
			"CI server are simulations on loopback that speak the real wire formats. Nothing is\n" +
			"kept.\n\n" +
			"Without --headless it makes changes until Ctrl-C. With it, it runs a scenario to its\n" +
			"end, and exits 1 unless hookd made every change visible.\n\n" +
			"Scenarios:\n" + aboutScenarios(),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "headless", Usage: "run a scenario to its end"},
			&cli.DurationFlag{Name: "for", Usage: "stop after `TIME` (headless: fail, after 1m if not given)", Validator: moreThanZero},
			&cli.StringFlag{Name: "scenario", Value: "created", Usage: "which `NAME` to run"},
			&cli.StringFlag{Name: "forge", Value: "gitea", Usage: "simulate which `KIND` of forge: " + strings.Join(forgeNames(), ", ")},
			&cli.StringFlag{Name: "ci", Value: "drone", Usage: "simulate which `KIND` of CI server: " + strings.Join(ciNames(), ", ")},
			&cli.StringFlag{Name: "addr", Value: ":0", Usage: "serve the admin API on `ADDRESS`, on loopback if it names no host"},
			&cli.StringFlag{Name: "log-level", Value: "error", Usage: "show hookd's own log from `LEVEL` debug, info, warn or error"},
		},
		Action: a.demo,
	}
}

func scenarioNames() []string { return slices.Sorted(maps.Keys(scenarios)) }

func aboutScenarios() string {
	var lines []string
	for _, name := range scenarioNames() {
		lines = append(lines, fmt.Sprintf("  %-9s %s", name, scenarios[name].about))
	}
	return strings.Join(lines, "\n")
}

func (a *app) demo(ctx context.Context, cmd *cli.Command) error {
	s, ok := scenarios[cmd.String("scenario")]
	if !ok {
		return usagef(cmd, "unknown scenario %q: there are %s", cmd.String("scenario"), strings.Join(scenarioNames(), ", "))
	}
	if demoForges[cmd.String("forge")] == nil {
		return usagef(cmd, "unknown forge %q: there are %s", cmd.String("forge"), strings.Join(forgeNames(), ", "))
	}
	if demoServers[cmd.String("ci")] == nil {
		return usagef(cmd, "unknown CI server %q: there are %s", cmd.String("ci"), strings.Join(ciNames(), ", "))
	}
	addr := cmd.String("addr")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return usagef(cmd, "--addr: %q is not an address", addr)
	}
	if host == "" {
		addr = net.JoinHostPort("127.0.0.1", port)
	}
	level := &slog.LevelVar{}
	if err := level.UnmarshalText([]byte(cmd.String("log-level"))); err != nil {
		return usagef(cmd, "--log-level: %q is not a level", cmd.String("log-level"))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	limit := cmd.Duration("for")
	if limit == 0 && cmd.Bool("headless") {
		limit = headlessLimit
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	d := &demo{app: a, log: newLogger(a.stderr, "auto", level, a.env), level: level, addr: addr, kind: cmd.String("forge"), ci: cmd.String("ci")}
	if cmd.Bool("headless") {
		return d.run(ctx, s, func(ctx context.Context) error { return d.headless(ctx, cmd.String("scenario"), s.play) })
	}
	return d.run(ctx, scenario{}, d.show)
}

// A demo is a whole world in one process: a forge, a CI server, and hookd
// between them.
type demo struct {
	*app
	log   *slog.Logger
	level *slog.LevelVar
	addr  string // of the admin API
	kind  string // of the forge
	ci    string // the kind of CI server

	world  *world
	server *server
}

// run sets the world up, lets hookd run in it, plays, and takes it all down
// again.
func (d *demo) run(ctx context.Context, s scenario, play func(context.Context) error) (err error) {
	dir, err := os.MkdirTemp("", "hookd-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if d.world, err = newWorld(d.kind, d.ci, dir); err != nil {
		return err
	}
	defer d.world.close()
	if s.poll > 0 {
		d.world.poll = s.poll
	}
	if s.before != nil {
		if err := s.before(d.world); err != nil {
			return err
		}
	}
	if err := d.world.save(dir); err != nil {
		return err
	}
	load := func() (*config, error) {
		return loadConfig(filepath.Join(dir, worldConfig), nil,
			override{path: "admin_listen", text: d.addr}, override{path: "log.level", text: strings.ToLower(d.level.Level().String())})
	}
	c, err := load()
	if err != nil {
		return err
	}
	if d.server, err = newServer(c, d.log, d.level); err != nil {
		return err
	}
	if err := d.world.connect(d.server.publicAddr.Addr().String()); err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	hup, release := hangups()
	defer release()
	d.server.follow(serving, hup, load)
	ended := make(chan error, 1)
	go func() { ended <- d.server.run(serving) }()
	playing, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	played := make(chan error, 1)
	go func() { played <- play(playing) }()
	select {
	case err = <-played:
		stop()
		return errors.Join(err, <-ended)
	case err = <-ended:
		cancel(err)
		return errors.Join(err, <-played)
	}
}

// headless plays a scenario and judges it.
func (d *demo) headless(ctx context.Context, name string, play func(context.Context, *demo, *tracker) error) error {
	t := newTracker(d.world, d.stdout)
	err := d.filled(ctx)
	if err == nil {
		err = play(ctx, d, t)
	}
	if err == nil {
		err = d.confirmed(ctx, t)
	}
	t.finish()
	if err != nil || t.failed() > 0 {
		d.explain()
	}
	fmt.Fprintf(d.stdout, "scenario %s: %s\n", name, t.summary())
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the time was up before everything showed")
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case err != nil:
		return err
	case t.failed() > 0:
		return fmt.Errorf("%s did not become so", count(t.failed(), "change", "changes"))
	}
	return nil
}

// explain lists the jobs that did not end well, for whoever has to find out
// why something did not show.
func (d *demo) explain() {
	jobs, _, err := d.server.store.Jobs(context.Background(), syncqueue.JobQuery{}, "", 500)
	if err != nil {
		fmt.Fprintln(d.stderr, "the jobs cannot be listed:", err)
		return
	}
	for _, j := range jobs {
		recurs := j.Kind == syncqueue.KindPoll || j.Kind == syncqueue.KindSweep
		if j.State == syncqueue.Done || recurs && j.LastError == "" {
			continue
		}
		fmt.Fprintf(d.stderr, "open: %s of %s, %s after %d attempts, due %s: %s %s\n",
			j.Kind, j.Subject, j.State, j.Attempts, j.NotBefore.Format("15:04:05.000"), j.LastError, j.Note)
	}
}

// show makes changes until somebody stops it.
func (d *demo) show(ctx context.Context) error {
	fmt.Fprintf(d.stdout, "hookd demo: a simulated %s and a simulated %s, with hookd between them\n\n", d.world.forge.title, d.world.ci.title)
	for _, line := range [][2]string{
		{"page", "http://" + d.server.adminAddr.Addr().String() + "/"},
		{"admin API", "http://" + d.server.adminAddr.Addr().String()},
		{"admin token", filepath.Join(d.server.cfg.DataDir, adminTokenName)},
		{"webhooks", "http://" + d.server.publicAddr.Addr().String() + "/hooks/" + demoProvider},
		{"forge", d.world.forge.URL()},
		{d.world.ci.title, d.world.ci.url},
	} {
		fmt.Fprintf(d.stdout, "  %-12s %s\n", line[0], line[1])
	}
	fmt.Fprintf(d.stdout, "\ntry: hookd deliveries list --admin http://%s --token-file %s\nCtrl-C stops; nothing is kept\n\n",
		d.server.adminAddr.Addr(), filepath.Join(d.server.cfg.DataDir, adminTokenName))

	t := newTracker(d.world, d.stdout)
	t.acts = true
	err := d.filled(ctx)
	if err == nil {
		err = forever(ctx, t)
	}
	fmt.Fprintf(d.stdout, "\n%s\n", t.summary())
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil // that is how a show ends
	}
	return err
}
