package reconcile

import (
	"context"
	"errors"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// conceal takes from strangers what the forge does not show them. The other way
// round nothing is done: that a repository is public lets nobody conclude that
// its builds and their logs were meant to be. What is new a CI server met as it
// is.
func (e *Engine) conceal(ctx context.Context, t Target, r providers.Repo) (syncqueue.Outcome, error) {
	c, ok := t.Driver.(target.Concealer)
	if !ok || !secret(r) {
		return syncqueue.Outcome{Note: "nothing is to be taken from strangers"}, nil
	}
	got, err := c.Conceal(ctx, r)
	switch {
	case errors.Is(err, target.ErrNoAdministrator):
		return syncqueue.Outcome{Result: syncqueue.ResultParked, Note: err.Error()}, nil
	case err != nil:
		return syncqueue.Outcome{}, err
	case got.Unknown:
		return syncqueue.Outcome{Note: "the CI server does not have it"}, nil
	case got.Closed:
		e.cfg.Log.Warn("strangers saw a repository that is not public", "target", t.Name, "repo", r.Path, "visibility", string(r.Visibility))
		return syncqueue.Outcome{Note: proven("strangers saw it, and do not any more", got)}, nil
	}
	return syncqueue.Outcome{Note: proven("strangers do not see it", got)}, nil
}

func proven(note string, got target.Concealed) string {
	if got.Unproven == "" {
		return note
	}
	return note + "; no stranger was asked: " + got.Unproven
}

// secret reports whether a repository is known not to be everybody's.
func secret(r providers.Repo) bool {
	return r.Visibility != "" && r.Visibility != providers.Public
}

// exposed returns the jobs for what a target shows to strangers though the forge
// does not: it became so unseen, or nobody could do anything about it then.
func (e *Engine) exposed(ctx context.Context, p *provider, t Target) ([]syncqueue.Job, error) {
	c, ok := t.Driver.(target.Concealer)
	if !ok {
		return nil, nil
	}
	ask, cancel := context.WithTimeout(ctx, rosterTimeout)
	defer cancel()
	shown, err := c.Exposed(ask)
	if errors.Is(err, target.ErrNoAdministrator) {
		return nil, nil // it is said where the jobs are parked, and by doctor
	}
	if err != nil {
		return nil, err
	}
	var jobs []syncqueue.Job
	for _, r := range shown {
		col, err := e.cfg.Store.Repo(ctx, p.Name, r.ID)
		switch {
		case errors.Is(err, storage.ErrUnknown):
		case err != nil:
			return nil, err
		case secret(col.Repo) && col.Repo.Visibility.Narrower(r.Visibility):
			j := syncqueue.PublishRepoJob(t.Name, p.Name, col.Repo, syncqueue.Job{}, syncqueue.LaneRemoval, e.cfg.Now())
			j.Hint.Narrowed = true
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}
