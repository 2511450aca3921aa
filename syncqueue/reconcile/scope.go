package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// scopeChunk is how many repositories one run of a scope job reads: its
// outcome is a few transactions, and other work gets its turn in between.
const scopeChunk = 50

// passFor is how long after a run of a scope job its next one is sure to have
// begun, or the publishes of the last one to have been made.
const passFor = time.Minute

// progress is how far an organization's pass has come, kept as a snapshot so
// that a restart goes on where it was.
type progress struct {
	Pending []providers.Repo `json:"pending"`
	Total   int              `json:"total"`
	Done    bool             `json:"done"`
	Fence   uint64           `json:"fence,omitempty"` // of the lease under which it began

	Causes []syncqueue.Cause `json:"causes,omitempty"` // that were known when it began
	Gaps   int               `json:"gaps,omitempty"`   // repositories that were left to jobs of their own
}

func scopeKey(provider, org string) string { return "scope/" + provider + "/" + org }

// scope reads an organization: its teams, then its repositories, some at a
// time.
func (e *Engine) scope(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	key := scopeKey(p.Name, org.ID)
	at, err := e.progress(ctx, key)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	c := &storage.Change{}
	o := p.change(c)
	if at.Done || at.Total == 0 {
		if at, err = e.begin(ctx, p, l, org, c, &o); err != nil {
			return syncqueue.Outcome{}, err
		}
	}
	p.passing.Store(e.cfg.Now().Add(passFor).Unix())
	n := min(scopeChunk, len(at.Pending))
	for _, r := range at.Pending[:n] {
		col, err := e.cfg.Store.Repo(ctx, p.Name, r.ID)
		if err != nil && !errors.Is(err, storage.ErrUnknown) {
			return syncqueue.Outcome{}, err
		}
		a, fence, err := e.audience(ctx, p, l, r, col)
		switch {
		case errors.Is(err, providers.ErrNotFound), errors.Is(err, errContradiction):
			// It changed since it was listed, or needs a closer look: its own job decides.
			o.Follow = append(o.Follow, syncqueue.RepoJob(p.Name, r, l.Job.Lane, e.cfg.Now()))
			at.Gaps++
			continue
		case err != nil:
			return syncqueue.Outcome{}, fmt.Errorf("%s: %w", r.Path, err)
		}
		if c.Read == 0 || fence < c.Read {
			c.Read = fence
		}
		c.Repos = append(c.Repos, r)
		a.record(c)
		o.Follow = append(o.Follow, a.follow...)
	}
	at.Pending = at.Pending[n:]
	at.Done = len(at.Pending) == 0
	c.Snapshots = map[string][]byte{key: encode(at)}
	o.Note = fmt.Sprintf("%d of %d repositories", at.Total-len(at.Pending), at.Total)
	// What was announced after the pass began may be about what it had read by then.
	amid := slices.ContainsFunc(l.Job.Causes, func(c syncqueue.Cause) bool { return !slices.ContainsFunc(at.Causes, c.Same) })
	if !at.Done || amid {
		next := syncqueue.ScopeJob(p.Name, org, e.cfg.Now())
		next.Lane = l.Job.Lane
		next.Causes, next.Since = l.Job.Causes, l.Job.Since
		o.Follow = append(o.Follow, next)
	}
	if !at.Done {
		return o, nil
	}
	jobs, err := e.met(ctx, p, l, org, at, c)
	o.Follow = append(o.Follow, jobs...)
	return o, err
}

// begin lists the organization. What the catalogue has and the list lacks gets
// a job of its own: a listing alone takes nothing away.
func (e *Engine) begin(ctx context.Context, p *provider, l syncqueue.Lease, org providers.Org, c *storage.Change, o *syncqueue.Outcome) (progress, error) {
	feed, ok := p.Forge.(providers.RepoFeed)
	if !ok {
		return progress{}, syncqueue.Permanent(fmt.Errorf("this kind of forge cannot list the repositories of %s", org.Name))
	}
	repos, _, err := list(ctx, feed, org)
	if err != nil {
		return progress{}, err
	}
	if tf, ok := p.Forge.(providers.TeamForge); ok {
		m, _, err := p.models.get(ctx, tf, org, l.Fence, l.Fence)
		switch {
		case errors.Is(err, providers.ErrNotFound):
			// A group that is gone: what was shared with it is somewhere else.
			around, err := e.orgs(ctx, p)
			if err != nil {
				return progress{}, err
			}
			for _, outer := range around {
				if outer.ID != org.ID && p.Members > 0 {
					o.Follow = append(o.Follow, syncqueue.PollJob(p.Name, syncqueue.PollMembers, outer, e.cfg.Now()))
				}
			}
		case err != nil:
			return progress{}, err
		}
		c.Users = m.Members()
	}
	listed := make(map[string]bool, len(repos))
	for _, r := range repos {
		listed[r.ID] = true
	}
	known, err := e.known(ctx, p, org)
	if err != nil {
		return progress{}, err
	}
	missing := slices.DeleteFunc(known, func(r providers.Repo) bool { return listed[r.ID] })
	hidden, err := e.hidden(ctx, p, missing)
	if err != nil {
		return progress{}, err
	}
	for _, r := range missing {
		if !hidden[r.ID] {
			o.Follow = append(o.Follow, syncqueue.RepoJob(p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
		}
	}
	return progress{Pending: repos, Total: max(len(repos), 1), Fence: l.Fence, Causes: l.Job.Causes}, nil
}

// list reads the repositories of org. One that is there no more has none: what
// was in it is asked for by id, and each 404 is proven, before that is believed.
func list(ctx context.Context, feed providers.RepoFeed, org providers.Org) (repos []providers.Repo, gone bool, err error) {
	repos, err = collect(feed.Repos(ctx, org))
	if errors.Is(err, providers.ErrNotFound) {
		return nil, true, nil
	}
	return repos, false, err
}

// known returns the catalogue's repositories of org.
func (e *Engine) known(ctx context.Context, p *provider, org providers.Org) ([]providers.Repo, error) {
	rows, err := e.knownRows(ctx, p, org)
	var out []providers.Repo
	for _, r := range rows {
		out = append(out, r.Repo)
	}
	return out, err
}

func (e *Engine) knownRows(ctx context.Context, p *provider, org providers.Org) ([]storage.RepoRow, error) {
	var out []storage.RepoRow
	cursor := ""
	for {
		rows, next, err := e.cfg.Store.Repos(ctx, storage.RepoQuery{Provider: p.Name, Org: org.ID}, cursor, 500)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if next == "" {
			return out, nil
		}
		cursor = next
	}
}

func (e *Engine) progress(ctx context.Context, key string) (progress, error) {
	var at progress
	err := e.load(ctx, key, &at)
	return at, err
}

// load reads a snapshot; one that is not there, or that an older version wrote
// in another shape, leaves v as it is.
func (e *Engine) load(ctx context.Context, key string, v any) error {
	b, err := e.cfg.Store.Snapshot(ctx, key)
	if errors.Is(err, storage.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		e.cfg.Log.Warn("a snapshot cannot be read and is made anew", "key", key, "err", err)
	}
	return nil
}

// encode writes a snapshot; the types it is used with always encode.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("reconcile: snapshot %T: %v", v, err))
	}
	return b
}
