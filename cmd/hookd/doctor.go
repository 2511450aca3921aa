package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/storage/bolt"
)

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "checks configuration, store, forges, webhooks and CI servers, and says what to do",
		Description: "One line for each check: ok, warn or FAIL, and under what is not ok a fix. It changes\n" +
			"nothing. Where a hookd runs, its live data is looked at as well; none has to.\n\n" +
			"Exit code 1 if anything failed, with --strict also for a warning.",
		Flags: clientFlags(
			&cli.StringFlag{Name: "provider", Usage: "of the forges only `NAME`"},
			&cli.BoolFlag{Name: "strict", Usage: "let warnings fail, too"},
			outputFlag()),
		Action: a.doctor,
	}
}

// A doctor looks at one installation. What is wrong is a finding, never an
// error: the other checks go on.
type doctor struct {
	app  *app
	cmd  *cli.Command
	cfg  *config
	live *client // nil if no hookd answers
	now  time.Time
	report
}

func (a *app) doctor(ctx context.Context, cmd *cli.Command) error {
	d := &doctor{app: a, cmd: cmd, now: time.Now()}
	if d.config() {
		if only := cmd.String("provider"); only != "" && d.cfg.provider(only) == nil {
			return usagef(cmd, "there is no provider %q", only)
		}
		d.server(ctx)
		d.store()
		for _, p := range d.cfg.Providers {
			if only := cmd.String("provider"); only == "" || only == p.Name {
				d.provider(ctx, p)
			}
		}
		for _, t := range d.cfg.Targets {
			if only := cmd.String("provider"); only == "" || only == t.Provider {
				d.target(ctx, t)
			}
		}
	}
	failed, warned := d.count(levelFail), d.count(levelWarn)
	if wantsJSON(cmd) {
		items := append([]finding{}, d.findings...)
		if err := printJSON(a.stdout, map[string]any{"ok": failed == 0, "failed": failed, "warnings": warned, "items": items, "next": nil}); err != nil {
			return err
		}
	} else {
		d.print(a.stdout)
	}
	if failed > 0 || cmd.Bool("strict") && warned > 0 {
		return errSilent
	}
	return nil
}

// config reports whether the rest can be checked by it.
func (d *doctor) config() bool {
	const check = "config"
	c, err := loadConfig(d.cmd.String("config"), d.app.env)
	var f *faults
	if errors.As(err, &f) {
		for _, x := range f.list {
			d.say(levelFail, check, check, "correct it, then: hookd config check", "%s", x.String())
		}
		return false
	}
	if err != nil {
		d.say(levelFail, check, check, "hookd config check", "%v", err)
		return false
	}
	d.cfg = c
	d.say(levelOK, check, check, "", "%s, %s, %s", cmp.Or(c.source.name, "environment"),
		count(len(c.Providers), "provider", "providers"), count(len(c.Targets), "target", "targets"))
	switch {
	case c.PublicURL == "":
		d.say(levelWarn, check, "public_url", "set public_url to the address that the forges reach hookd at, such as https://hookd.example.com",
			"not set: webhooks can be neither checked nor installed")
	case strings.HasPrefix(c.PublicURL, "http:") && !loopback(c.PublicURL):
		d.say(levelWarn, check, "public_url", "put TLS before listen and write https:// in public_url", "%s is not encrypted: whoever listens on the way reads every delivery", c.PublicURL)
	}
	if len(c.Targets) == 0 {
		d.say(levelWarn, check, "targets", "name the CI server in targets", "none: hookd follows the forge, and nothing follows hookd")
	}
	return true
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == "localhost" || strings.HasPrefix(u.Hostname(), "127.") || u.Hostname() == "::1")
}

// server looks for a running hookd, and what waits there.
func (d *doctor) server(ctx context.Context) {
	const check = "server"
	cl, err := d.app.client(d.cmd)
	if err != nil {
		text, fix, _ := strings.Cut(err.Error(), "\nfix: ")
		d.say(levelWarn, check, check, cmp.Or(fix, "name the server by --admin URL"), "cannot be asked: %s", text)
		return
	}
	cl.http.Timeout = askTimeout
	var ready struct {
		Status string `json:"status"`
	}
	status, err := cl.do(ctx, http.MethodGet, "/readyz", nil, nil, &ready)
	var answered *answerError
	switch {
	case errors.As(err, &answered) && status == http.StatusServiceUnavailable:
		d.say(levelFail, check, check, "see its log, and /readyz?verbose", "the hookd at %s is not ready: %v", cl.base, answered)
	case err != nil:
		text, _, _ := strings.Cut(err.Error(), "\nfix: ")
		d.say(levelWarn, check, check, "hookd serve, or --admin URL if it runs elsewhere", "%s; checked without one", text)
		return
	}
	var build struct {
		Version string `json:"version"`
	}
	if err := cl.get(ctx, "/version", nil, &build); err != nil {
		d.say(levelWarn, check, check, "name its admin address by --admin URL", "what answers at %s is no hookd", cl.base)
		return
	}
	if err == nil && ready.Status != "" {
		d.say(levelOK, check, check, "", "hookd %s answers at %s", build.Version, cl.base)
	}
	if err := cl.get(ctx, "/api/v1/providers", nil, nil); err != nil {
		text, fix, _ := strings.Cut(err.Error(), "\nfix: ")
		d.say(levelWarn, check, "admin token", fix, "%s", text)
		return
	}
	d.live = cl
	dead, err := cl.list(ctx, "/api/v1/jobs", url.Values{"state": {"dead"}}, 0)
	if err != nil {
		d.say(levelWarn, check, "queue", "hookd queue list", "cannot be read: %v", err)
		return
	}
	if n := len(dead.Items); n > 0 {
		d.say(levelWarn, check, "queue", "hookd queue list --state dead, then hookd queue retry --state dead", "%s given up", count(n, "job was", "jobs were"))
	} else {
		d.say(levelOK, check, "queue", "", "no dead letters")
	}
}

// store looks at the data file without changing it.
func (d *doctor) store() {
	const check = "store"
	path := d.cfg.dataFile()
	s, err := bolt.Look(path)
	switch {
	case err != nil:
		text, fix := advice(err)
		d.say(levelFail, check, check, fix, "%s", text)
	case !s.Exists && d.live != nil:
		d.say(levelOK, check, check, "", "%s is not here: the running hookd keeps its own elsewhere", path)
	case !s.Exists:
		d.say(levelOK, check, check, "", "%s is made at the first start", path)
	case s.InUse && d.live == nil:
		d.say(levelWarn, check, check, "if that is hookd: --admin URL; else stop what holds it", "%s, %s, is in use by another process", path, megabytes(s.Size))
	case s.InUse:
		d.say(levelOK, check, check, "", "%s, %s, in use by the running hookd", path, megabytes(s.Size))
	case !s.Marked:
		d.say(levelWarn, check, check, "start hookd once, which writes it", "%s, %s, has no marker beside it: should the file be lost, nobody would notice", path, megabytes(s.Size))
	default:
		d.say(levelOK, check, check, "", "%s, %s, sound, schema %d", path, megabytes(s.Size), s.Schema)
	}
	if bound := int64(d.cfg.Retention.MaxBytes); s.Size > bound {
		d.say(levelWarn, check, check, "raise retention.max_bytes or shorten retention.deliveries; a restart compacts the file",
			"the file has %s, more than retention.max_bytes %s", megabytes(s.Size), megabytes(bound))
	}
}

// advice takes what the store says apart: what is wrong, and what to do.
func advice(err error) (text, fix string) {
	text = strings.TrimPrefix(err.Error(), "bolt: ")
	if errors.Is(err, fs.ErrPermission) {
		return text, "run this as the user of hookd, or make data_dir readable and writable for it"
	}
	for _, between := range []string{"; ", ": "} {
		if i := strings.LastIndex(text, between); i > 0 {
			return text[:i], text[i+len(between):]
		}
	}
	return text, "restore a backup"
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/float64(mib)) }

// fixFor says what to do about an error of a forge.
func fixFor(p *providerConfig, err error) string { return (&hookKeeper{cfg: p}).remedy(nil, err) }
