package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"
)

func (a *app) serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "runs hookd",
		Description: "Receives webhooks on listen, and serves the admin API on admin_listen.\n\n" +
			"SIGTERM and SIGINT drain: no delivery is taken any more, running jobs may end, 25 s at\n" +
			"most. A second signal ends the process at once; nothing that was answered with 2xx is\n" +
			"lost. SIGHUP reads the configuration and the secret files again; SIGUSR1 writes the state\n" +
			"of the queue, the providers and the targets to the log.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Usage: "take webhooks on `ADDRESS` (HOOKD_LISTEN)"},
			&cli.StringFlag{Name: "admin-listen", Usage: "serve the admin API on `ADDRESS` (HOOKD_ADMIN_LISTEN)"},
			&cli.StringFlag{Name: "data-dir", Usage: "keep data in `FOLDER` (HOOKD_DATA_DIR)"},
			&cli.StringFlag{Name: "log-level", Usage: "`LEVEL` debug, info, warn or error (HOOKD_LOG_LEVEL)"},
			&cli.StringFlag{Name: "log-format", Usage: "`FORMAT` auto, text or json (HOOKD_LOG_FORMAT)"},
		},
		Action: a.serve,
	}
}

// overrides are the flags of serve that set configuration.
func overrides(cmd *cli.Command) []override {
	var over []override
	for flag, path := range map[string]string{
		"listen": "listen", "admin-listen": "admin_listen", "data-dir": "data_dir",
		"log-level": "log.level", "log-format": "log.format",
	} {
		if cmd.IsSet(flag) {
			over = append(over, override{flag, path, cmd.String(flag)})
		}
	}
	return over
}

func (a *app) serve(ctx context.Context, cmd *cli.Command) error {
	hup, release := hangups()
	defer release()
	load := func() (*config, error) { return loadConfig(cmd.String("config"), a.env, overrides(cmd)...) }
	c, err := load()
	if err != nil {
		return err
	}
	level := &slog.LevelVar{}
	level.Set(logLevel(c.Log.Level))
	s, err := newServer(c, newLogger(a.stderr, c.Log.Format, level, a.env), level)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	// The first signal drains; giving the signals back makes the second one
	// end the process.
	context.AfterFunc(ctx, stop)
	defer stop()

	s.follow(ctx, hup, load)
	s.dumps(ctx)
	return s.run(ctx)
}

// hangups returns the SIGHUPs of this process. From now until release one does
// not end it, even if nobody receives: a server that still starts or already
// drains must not be cut short by a reload.
func hangups() (hup <-chan os.Signal, release func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// follow reloads the configuration at each of hup until ctx is done.
func (s *server) follow(ctx context.Context, hup <-chan os.Signal, load func() (*config, error)) {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				s.reload(load())
			}
		}
	}()
}

// reload takes over what can change while the server runs. A configuration
// with faults changes nothing.
func (s *server) reload(c *config, err error) {
	if err != nil {
		var f *faults
		if !errors.As(err, &f) {
			s.log.Error("reload: the configuration could not be read, the old one stays", "err", err)
			return
		}
		for _, x := range f.list {
			s.log.Error("reload: the old configuration stays", "fault", x.String())
		}
		return
	}
	if err := s.setTokens(c); err != nil {
		s.log.Error("reload: the admin tokens stay", "err", err)
	}
	s.level.Set(logLevel(c.Log.Level))
	for _, f := range s.desk.forges {
		p := c.provider(f.cfg.Name)
		if p == nil {
			continue
		}
		hook, err := newHook(p)
		if err != nil {
			s.log.Error("reload: the secrets stay", "provider", p.Name, "err", err)
			continue
		}
		f.hook.set(hook)
		f.secrets.Store(int32(len(p.Hooks)))
		f.knowHooks(p, s.cfg.PublicURL)
		f.token.follow(p.Token)
	}
	for _, t := range s.desk.targets {
		for _, n := range c.Targets {
			if n.Name != t.cfg.Name {
				continue
			}
			t.token.follow(n.Token)
			if err := errors.Join(rekey(t.driver, n), t.listen(n)); err != nil {
				s.log.Error("reload: the secret stays", "target", n.Name, "err", err)
			}
		}
	}
	for _, path := range s.cfg.changed(c) {
		s.log.Warn("reload: this changes at the next start", "setting", path)
	}
	s.log.Info("reloaded: secrets, tokens and the log level are those of now")
}
