package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/hookd/hookd/storage/bolt"
)

func (a *app) dbCommand() *cli.Command {
	return &cli.Command{
		Name:  "db",
		Usage: "checks, backs up and compacts the data file",
		Commands: []*cli.Command{
			{
				Name:      "check",
				Usage:     "reads a data file as a whole and reports what is wrong with it",
				ArgsUsage: "[FILE]",
				Description: "FILE is a backup; without it the file in data_dir, of a hookd that does not run. Every\n" +
					"page is read, every record held against its checksum, and every index against what it\n" +
					"leads to. Nothing is changed. Exit code 1 if anything is wrong.",
				Flags:  []cli.Flag{outputFlag()},
				Action: a.checkDB,
			},
			a.backupCommand(),
			{
				Name:  "compact",
				Usage: "gives the data file's free pages back to the disk",
				Description: "Of a hookd that does not run. What is in use is copied to a new file, which takes the\n" +
					"place of the old one when it was read as a whole, found to hold the same, and synced.\n" +
					"By itself hookd does so at a start when most of the file is free.",
				Action: a.compactDB,
			},
		},
	}
}

// dataFile is the data file of the configuration.
func (a *app) dataFile(cmd *cli.Command) (string, error) {
	c, f := readConfig(cmd.String("config"), a.env)
	if c == nil {
		return "", f
	}
	return c.dataFile(), nil
}

func (a *app) checkDB(_ context.Context, cmd *cli.Command) error {
	file := cmd.Args().First()
	if file == "" {
		var err error
		if file, err = a.dataFile(cmd); err != nil {
			return err
		}
	}
	r, err := bolt.Check(file)
	if err != nil {
		return ofStore(err)
	}
	for i, f := range r.Faults {
		r.Faults[i] = strings.TrimPrefix(f, "bolt: ")
	}
	if wantsJSON(cmd) {
		err = printJSON(a.stdout, map[string]any{
			"file": file, "size": r.Size, "schema": r.Schema, "buckets": r.Buckets, "sound": len(r.Faults) == 0, "faults": append([]string{}, r.Faults...), "ahead": r.Ahead,
		})
	} else {
		err = printReport(a.stdout, file, r)
	}
	if err == nil && len(r.Faults) > 0 {
		err = errSilent
	}
	return err
}

func printReport(w io.Writer, file string, r bolt.Report) error {
	verdict := "sound"
	if n := len(r.Faults); n > 0 {
		verdict = count(n, "fault", "faults")
	}
	fmt.Fprintf(w, "%s: %s, %s, schema %d\n", file, verdict, megabytes(r.Size), r.Schema)
	for _, f := range r.Faults {
		fmt.Fprintln(w, "FAIL", clean(f))
	}
	if len(r.Faults) > 0 {
		fmt.Fprintln(w, "fix: restore a backup; a store that was lost is filled again from the forge, without its journal")
		return nil
	}
	if r.Ahead > 0 {
		fmt.Fprintf(w, "%s: %s for the next start to file\n", file+".wal", count(r.Ahead, "delivery", "deliveries"))
	}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(r.Buckets)) {
		b := r.Buckets[name]
		rows = append(rows, []string{name, strconv.Itoa(b.Records), strconv.FormatInt(b.Bytes, 10)})
	}
	return printTable(w, []string{"BUCKET", "RECORDS", "BYTES"}, rows)
}

func (a *app) compactDB(_ context.Context, cmd *cli.Command) error {
	file, err := a.dataFile(cmd)
	if err != nil {
		return err
	}
	before, after, err := bolt.Compact(file)
	if err != nil {
		return ofStore(err)
	}
	fmt.Fprintf(a.stdout, "%s: %s before, %s after\n", file, megabytes(before), megabytes(after))
	return nil
}

// ofStore words an error of the store for people.
func ofStore(err error) error {
	text, fix := advice(err)
	return errors.New(text + "\nfix: " + cmp.Or(fix, "see `hookd doctor`"))
}
