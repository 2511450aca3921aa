// Package storagetest is the examination that every engine passes: the contract
// of storage's Catalogue and Visibles, as they change through the queue's
// Complete, claim by claim. Each claim runs in a bubble of testing/synctest.
package storagetest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// An Engine is what is examined.
type Engine interface {
	syncqueue.Queue
	syncqueue.Console
	storage.Catalogue
	storage.Visibles
	storage.Maintainer
}

// Options are what a claim asks of the engine it opens.
type Options struct {
	Now func() time.Time
	Dir string // where it keeps its data, if it does
}

// Run examines an engine.
func Run(t *testing.T, open func(t *testing.T, o Options) Engine) {
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := open(t, Options{Now: time.Now, Dir: t.TempDir()})
				c.check(&bench{T: t, Engine: e, ctx: t.Context()})
			})
		})
	}
}

// A bench is an engine on the test bench, with what claims say often.
type bench struct {
	*testing.T
	Engine
	ctx context.Context
	n   int
}

const (
	git   = "git"
	drone = "drone"
	ttl   = time.Minute
)

var (
	acme = providers.Org{ID: "5", Name: "acme"}
	ana  = providers.User{ID: "7", Login: "ana"}
	li   = providers.User{ID: "8", Login: "li"}
	omar = providers.User{ID: "9", Login: "omar"}
	app  = providers.Repo{ID: "41", Path: "acme/app", Org: acme, Visibility: providers.Private}
	lib  = providers.Repo{ID: "42", Path: "acme/lib", Org: acme, Visibility: providers.Private}
	web  = providers.Repo{ID: "57", Path: "acme/web", Org: acme, Visibility: providers.Private}
)

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) {
		b.Fatalf("the error is %v, want %v", err, want)
	}
}

func (b *bench) diff(got, want any) {
	b.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		b.Fatalf("want (-), got (+):\n%s", d)
	}
}

// begin leases a new job of its own key that no delivery announced.
func (b *bench) begin() syncqueue.Lease {
	b.Helper()
	return b.beginFor(syncqueue.Cause{By: "sweep", At: time.Now()})
}

// beginFor leases a new job of its own key with a cause.
func (b *bench) beginFor(c syncqueue.Cause) syncqueue.Lease {
	b.Helper()
	b.n++
	j := syncqueue.RepoJob(git, app, syncqueue.LaneAddition, time.Now())
	j.Key = syncqueue.MakeKey("test", time.Now().String(), string(rune('a'+b.n)))
	ids, err := b.Enqueue(b.ctx, c, j)
	b.ok(err)
	ctx, cancel := context.WithTimeout(b.ctx, time.Nanosecond)
	defer cancel()
	l, err := b.Lease(ctx, ttl, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindRepo}})
	b.ok(err)
	if l.Job.ID != ids[0] {
		b.Fatalf("leased %s, want the new job", l.Job.Key)
	}
	return l
}

// announced is a cause that is a delivery received now.
func announced(id string) syncqueue.Cause {
	return syncqueue.Cause{Delivery: id, Event: "repository.created", At: time.Now()}
}

// end completes a lease with a change.
func (b *bench) end(l syncqueue.Lease, c storage.Change) storage.Applied {
	b.Helper()
	return b.complete(l, syncqueue.Outcome{Change: &c, Publish: []string{drone}})
}

func (b *bench) complete(l syncqueue.Lease, o syncqueue.Outcome) storage.Applied {
	b.Helper()
	if o.Change != nil && o.Change.Provider == "" {
		o.Change.Provider = git
	}
	a, err := b.Complete(b.ctx, l, o)
	b.ok(err)
	return a
}

// apply applies a change that was read now.
func (b *bench) apply(c storage.Change) storage.Applied {
	b.Helper()
	return b.end(b.begin(), c)
}

// confirm confirms as the target's publish job does.
func (b *bench) confirm(f storage.Confirm) storage.Applied {
	b.Helper()
	f.Target, f.Provider = drone, git
	return b.complete(b.begin(), syncqueue.Outcome{Confirm: &f})
}

func (b *bench) holdings(u providers.User) storage.Holdings {
	b.Helper()
	h, err := b.Holdings(b.ctx, git, u.ID)
	b.ok(err)
	return h
}

// cell returns what a user is believed to hold on a repository, the zero Cell
// if nothing is known.
func (b *bench) cell(u providers.User, r providers.Repo) storage.Cell {
	b.Helper()
	h, err := b.Holdings(b.ctx, git, u.ID)
	if errors.Is(err, storage.ErrUnknown) {
		return storage.Cell{}
	}
	b.ok(err)
	for _, c := range h.Cells {
		if c.Repo.ID == r.ID {
			return c
		}
	}
	return storage.Cell{}
}

// has fails unless a user holds exactly these permissions, by repository id.
func (b *bench) has(u providers.User, want map[string]providers.Permission) {
	b.Helper()
	got := map[string]providers.Permission{}
	for _, c := range b.holdings(u).Cells {
		got[c.Repo.ID] = c.Permission
	}
	b.diff(got, want)
}

func (b *bench) column(r providers.Repo) storage.Column {
	b.Helper()
	c, err := b.Repo(b.ctx, git, r.ID)
	b.ok(err)
	return c
}

// published returns the waiting publish jobs by key.
func (b *bench) published() map[syncqueue.Key]syncqueue.Job {
	b.Helper()
	page, _, err := b.Jobs(b.ctx, syncqueue.JobQuery{Kind: syncqueue.KindPublish, State: syncqueue.Ready}, "", 500)
	b.ok(err)
	jobs := map[syncqueue.Key]syncqueue.Job{}
	for _, j := range page {
		jobs[j.Key] = j
	}
	return jobs
}

func audience(r providers.Repo, p providers.Permission, users ...providers.User) storage.Change {
	a := storage.Audience{Repo: r}
	for _, u := range users {
		a.Users = append(a.Users, storage.Member{User: u, Permission: p})
	}
	return storage.Change{Audiences: []storage.Audience{a}}
}

func list(u providers.User, p providers.Permission, repos ...providers.Repo) storage.Change {
	l := storage.List{User: u}
	for _, r := range repos {
		l.Repos = append(l.Repos, providers.Access{User: u, Repo: r, Permission: p})
	}
	return storage.Change{Lists: []storage.List{l}}
}

func cells(p providers.Permission, u providers.User, repos ...providers.Repo) storage.Change {
	var c storage.Change
	for _, r := range repos {
		c.Cells = append(c.Cells, providers.Access{User: u, Repo: r, Permission: p})
	}
	return c
}
