package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// filled waits until hookd has read, by itself, what there was before it.
func (d *demo) filled(ctx context.Context) error {
	return until(ctx, func() (bool, error) {
		filled := map[string]bool{}
		for cursor := ""; ; {
			rows, next, err := d.server.store.Users(ctx, storage.UserQuery{Provider: demoProvider}, cursor, 500)
			if err != nil {
				return false, err
			}
			for _, r := range rows {
				filled[r.User.Login] = r.Repos > 0 && r.Targets[d.world.ci.kind].Version == r.Version
			}
			if cursor = next; next == "" {
				break
			}
		}
		return !slices.ContainsFunc(d.world.viewers, func(login string) bool { return !filled[login] }), nil
	})
}

// confirmed waits until hookd itself knows of every change the CI server
// shows: the evidence that it was hookd who made it so.
func (d *demo) confirmed(ctx context.Context, t *tracker) error {
	open := map[string][]change{}
	for _, c := range t.latest() {
		open[c.user] = append(open[c.user], c)
	}
	return until(ctx, func() (bool, error) {
		for login, changes := range open {
			ok, err := d.knows(ctx, login, changes)
			if err != nil || !ok {
				return false, err
			}
			delete(open, login)
		}
		return true, nil
	})
}

func (d *demo) knows(ctx context.Context, login string, changes []change) (bool, error) {
	u, err := d.server.store.UserByLogin(ctx, demoProvider, login)
	if err != nil {
		return false, err
	}
	h, err := d.server.store.Holdings(ctx, demoProvider, u.ID)
	if err != nil {
		return false, err
	}
	held := map[string]storage.Cell{}
	for _, cell := range h.Cells {
		if cell.Permission > providers.None {
			held[cell.Repo.Path] = cell
		}
	}
	for _, c := range changes {
		cell, ok := held[c.repo]
		if c.gone && (ok || h.Behind(d.world.ci.kind)) || !c.gone && (!ok || cell.Shown[d.world.ci.kind].IsZero()) {
			return false, nil
		}
	}
	return true, nil
}

// until asks ok every 20 ms, or more rarely if the asking takes long, until it
// says so.
func until(ctx context.Context, ok func() (bool, error)) error {
	for {
		begun := time.Now()
		done, err := ok()
		if err != nil {
			return fmt.Errorf("looking at hookd: %w", err)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(max(look, restraint*time.Since(begun))):
		}
	}
}
