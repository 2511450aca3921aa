package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/storage/bolt"
)

func (a *app) backupCommand() *cli.Command {
	return &cli.Command{
		Name:  "backup",
		Usage: "writes a consistent copy of the data file",
		Description: "Asks the running hookd, with an admin's token; where none has the file in data_dir open,\n" +
			"it is copied directly, unless --admin names a server. The copy is checked as `db check`\n" +
			"does, and appears whole and synced or not at all.\n\n" +
			"To restore one: stop hookd, put it in the place of data_dir/hookd.db, start hookd. It\n" +
			"then asks the forge what has changed since.",
		Flags: clientFlags(
			&cli.StringFlag{Name: "out", Usage: "write to `FILE`, which must not exist", Required: true},
		),
		Action: a.backupDB,
	}
}

func (a *app) backupDB(ctx context.Context, cmd *cli.Command) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // so that no half file is left
	defer stop()
	write, err := a.backupSource(ctx, cmd)
	if err != nil {
		return err
	}
	var r bolt.Report
	check := func(file string) (err error) {
		if r, err = bolt.Check(file); err != nil {
			return fmt.Errorf("the copy cannot be used: %w", ofStore(err))
		}
		if len(r.Faults) > 0 {
			return fmt.Errorf("the copy is as damaged as the store: %s\nfix: hookd db check", r.Faults[0])
		}
		return nil
	}
	out := cmd.String("out")
	if err := writeNew(out, write, check); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s: %s, sound, %s, %s\n", out, megabytes(r.Size),
		count(r.Buckets["deliveries"].Records, "delivery", "deliveries"), count(r.Buckets["users"].Records, "user", "users"))
	return nil
}

// backupSource decides who writes the copy: the server, or this process where
// there is none.
func (a *app) backupSource(ctx context.Context, cmd *cli.Command) (func(io.Writer) error, error) {
	if cmp.Or(cmd.String("admin"), a.env.get("HOOKD_ADMIN")) == "" {
		file, err := a.dataFile(cmd)
		if err != nil {
			return nil, err
		}
		s, err := bolt.Look(file)
		if err != nil {
			return nil, ofStore(err)
		}
		if s.Exists && !s.InUse {
			return func(w io.Writer) error { return bolt.CopyFile(file, w) }, nil
		}
	}
	cl, err := a.client(cmd)
	if err != nil {
		return nil, err
	}
	cl.http.Timeout = 0 // a large one takes its time; the server bounds it
	return func(w io.Writer) error { return cl.backup(ctx, w) }, nil
}

// backup has the server make a copy and writes it to w.
func (cl *client) backup(ctx context.Context, w io.Writer) error {
	resp, err := cl.send(ctx, http.MethodPost, "/api/v1/db/backup", nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("the answer of %s broke off: %w", cl.base, err)
		}
		return cl.refusal(resp, text)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", cl.base, err)
	}
	return nil
}
