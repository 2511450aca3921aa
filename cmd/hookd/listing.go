package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/urfave/cli/v3"
)

// A rower turns one item of an answer into the cells of a table.
type rower func(item json.RawMessage, now time.Time) ([]string, error)

// row makes a rower out of a function of the item's type.
func row[T any](cells func(item T, now time.Time) []string) rower {
	return func(raw json.RawMessage, now time.Time) ([]string, error) {
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return nil, fmt.Errorf("an item of the answer is not hookd's: %w", err)
		}
		return cells(item, now), nil
	}
}

// listing prints what a GET of path lists: as the API's own JSON, or as a
// table with head.
func (a *app) listing(ctx context.Context, cmd *cli.Command, path string, query url.Values, head []string, toRow rower) error {
	cl, err := a.client(cmd)
	if err != nil {
		return err
	}
	p, err := cl.list(ctx, path, query, cmd.Int("limit"))
	if err != nil {
		return err
	}
	if wantsJSON(cmd) {
		return printJSON(a.stdout, p)
	}
	now := time.Now()
	rows := make([][]string, 0, len(p.Items))
	for _, item := range p.Items {
		cells, err := toRow(item, now)
		if err != nil {
			return err
		}
		rows = append(rows, cells)
	}
	if err := printTable(a.stdout, head, rows); err != nil {
		return err
	}
	if p.Next != nil && *p.Next != "" {
		fmt.Fprintf(a.stderr, "the first %d are shown; --limit 0 shows all\n", len(rows))
	}
	return nil
}

// query collects the flags of these names that were given.
func query(cmd *cli.Command, names ...string) url.Values {
	q := url.Values{}
	for _, name := range names {
		if v := cmd.String(name); v != "" {
			q.Set(name, v)
		}
	}
	return q
}
