package bolt_test

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
)

// apply runs a job that applies c.
func apply(b *testing.B, db *bolt.DB, c *storage.Change) {
	b.Helper()
	ctx := context.Background()
	if _, err := db.Enqueue(ctx, syncqueue.Cause{}, syncqueue.SweepJob("git", time.Now())); err != nil {
		b.Fatal(err)
	}
	l, err := db.Lease(ctx, time.Minute, syncqueue.Filter{Kinds: []syncqueue.Kind{syncqueue.KindSweep}})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := db.Complete(ctx, l, syncqueue.Outcome{Change: c, Publish: []string{"drone"}}); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCatalogue works on 500 users of 200 repositories: a repository that
// appears, one that did not change, one user's list, and reading it.
func BenchmarkCatalogue(b *testing.B) {
	const users, repos = 500, 200
	db, err := bolt.Open(filepath.Join(b.TempDir(), "hookd.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	repo := func(i int) providers.Repo {
		return providers.Repo{ID: strconv.Itoa(i), Path: "acme/" + strconv.Itoa(i), Org: providers.Org{ID: "5", Name: "acme"}}
	}
	audience := func(i int) *storage.Change {
		a := storage.Audience{Repo: repo(i)}
		for u := range users {
			id := strconv.Itoa(u)
			a.Users = append(a.Users, storage.Member{User: providers.User{ID: id, Login: "user-" + id}, Permission: providers.Write})
		}
		return &storage.Change{Provider: "git", Audiences: []storage.Audience{a}}
	}
	list := storage.List{User: providers.User{ID: "7", Login: "user-7"}}
	for i := range repos {
		apply(b, db, audience(i))
		list.Repos = append(list.Repos, providers.Access{User: list.User, Repo: repo(i), Permission: providers.Write})
	}
	b.Run("created", func(b *testing.B) {
		for i := range b.N {
			apply(b, db, audience(repos+i))
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		for range b.N {
			apply(b, db, audience(0))
		}
	})
	b.Run("list", func(b *testing.B) {
		for range b.N {
			apply(b, db, &storage.Change{Provider: "git", Lists: []storage.List{list}})
		}
	})
	b.Run("holdings", func(b *testing.B) {
		for range b.N {
			if _, err := db.Holdings(context.Background(), "git", "9"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
