package reconcile

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// byActivation is the cause of telling people of a repository that somebody
// activated in a CI server.
const byActivation = "activation"

// scout pushes a publish job for each user who holds what a CI server began to
// carry out.
func (e *Engine) scout(ctx context.Context, t Target, s target.Scout) {
	for ctx.Err() == nil {
		err := s.Scout(ctx, func(repo string) {
			if err := e.activated(ctx, t, repo); err != nil && ctx.Err() == nil {
				e.cfg.Log.Warn("an activated repository is left to the next change of who sees it", "target", t.Name, "repo", repo, "err", err)
			}
		})
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.Error("watching for activated repositories failed", "target", t.Name, "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(learnEvery):
			}
		}
	}
}

// activated tells whoever holds a repository and was waiting for that.
func (e *Engine) activated(ctx context.Context, t Target, repo string) error {
	column, err := e.cfg.Store.Repo(ctx, t.Provider, repo)
	if errors.Is(err, storage.ErrUnknown) {
		return nil // it is not ours, or its first reading is yet to come
	}
	if err != nil {
		return err
	}
	now := e.cfg.Now()
	var jobs []syncqueue.Job
	for _, h := range column.Holders {
		if h.Cell.Permission > providers.None && inactive(h.Cell, t.Name) {
			jobs = append(jobs, syncqueue.PublishJob(t.Name, t.Provider, h.User, syncqueue.Job{}, syncqueue.LaneAddition, now))
		}
	}
	if len(jobs) == 0 {
		return nil
	}
	_, err = e.cfg.Store.Enqueue(ctx, syncqueue.Cause{By: byActivation, At: now}, jobs...)
	return err
}

// inactive reports whether a cell does not show because nobody activated its
// repository yet.
func inactive(c storage.Cell, targetName string) bool {
	return strings.HasPrefix(c.Hidden[targetName], target.Inactive)
}
