package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A scenario acts on the forge and says what has to follow.
type scenario struct {
	about string
	// poll is how often hookd looks for what no webhook tells, a second if not
	// said; an hour leaves everything to the webhooks.
	poll   time.Duration
	before func(*world) error // adds to the world before hookd starts; may be nil
	play   func(ctx context.Context, d *demo, t *tracker) error
}

var scenarios = map[string]scenario{
	"created":  {about: "repositories and members come and go", play: created},
	"storm":    {about: "500 repositories at once, for 300 users in three teams", poll: time.Hour, before: crowd, play: storm},
	"outage":   {about: "Drone, then the forge, then both are away for a while", play: outage},
	"rotation": {about: "the webhook's secret changes while deliveries come in", poll: time.Hour, play: rotation},
}

// pause is the time between two acts that people would not do at once.
const pause = 250 * time.Millisecond

// created is everyday life: repositories appear, members join and leave, a
// repository is deleted.
func created(ctx context.Context, d *demo, t *tracker) error {
	w := d.world
	core := []string{"ana", "li"}
	repos := []string{demoOrg + "/base"}
	for i := 1; i <= 5; i++ {
		repo, err := t.createRepo(i, core)
		if err != nil {
			return err
		}
		repos = append(repos, repo)
		if err := t.rest(ctx, pause); err != nil {
			return err
		}
	}
	if err := t.wait(ctx); err != nil {
		return err
	}
	if err := t.join("mia", repos); err != nil {
		return err
	}
	if err := t.act(repos[2]+" is given to team web", func() error { return w.forge.AddTeamRepo(demoOrg, "web", repos[2]) },
		grants(repos[2], "omar")...); err != nil {
		return err
	}
	if err := t.wait(ctx); err != nil {
		return err
	}
	if err := t.leave("li", repos); err != nil {
		return err
	}
	if err := t.deleteRepo(repos[3], "ana", "mia"); err != nil {
		return err
	}
	if err := t.wait(ctx); err != nil {
		return err
	}
	if _, err := t.createRepo(6, []string{"ana", "mia"}); err != nil {
		return err
	}
	return t.wait(ctx)
}

// forever is the same without an end: a repository every few seconds, now and
// then somebody who joins or leaves, and the oldest repositories go.
func forever(ctx context.Context, t *tracker) error {
	core := []string{"ana", "li"}
	repos := []string{demoOrg + "/base"}
	for i := 1; ; i++ {
		repo, err := t.createRepo(i, core)
		if err != nil {
			return err
		}
		repos = append(repos, repo)
		if err := t.wait(ctx); err != nil {
			return err
		}
		switch {
		case i%6 == 3:
			core = append(core, "mia")
			err = t.join("mia", repos)
		case i%6 == 0:
			core = slices.DeleteFunc(core, func(u string) bool { return u == "mia" })
			err = t.leave("mia", repos)
		case len(repos) > 6:
			err = t.deleteRepo(repos[1], core...)
			repos = slices.Delete(repos, 1, 2)
		}
		if err != nil {
			return err
		}
		if err := t.wait(ctx); err != nil {
			return err
		}
		if err := t.rest(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

func (t *tracker) createRepo(n int, viewers []string) (string, error) {
	name := fmt.Sprintf("app-%d", n)
	path := demoOrg + "/" + name
	return path, t.act("created "+path, func() error { return t.world.create(name) }, grants(path, viewers...)...)
}

func (t *tracker) deleteRepo(path string, viewers ...string) error {
	return t.act("deleted "+path, func() error { return t.world.forge.DeleteRepo(path) }, losses(viewers, path)...)
}

func (t *tracker) join(login string, repos []string) error {
	var follows []change
	for _, r := range repos {
		follows = append(follows, grants(r, login)...)
	}
	return t.act(login+" joins team core", func() error { return t.world.forge.AddMember(demoOrg, "core", login) }, follows...)
}

func (t *tracker) leave(login string, repos []string) error {
	return t.act(login+" leaves team core", func() error { return t.world.forge.RemoveMember(demoOrg, "core", login) },
		losses([]string{login}, repos...)...)
}

func grants(repo string, users ...string) []change {
	out := make([]change, len(users))
	for i, u := range users {
		out[i] = change{user: u, repo: repo}
	}
	return out
}

func losses(users []string, repos ...string) []change {
	var out []change
	for _, u := range users {
		for _, r := range repos {
			out = append(out, change{user: u, repo: r, gone: true})
		}
	}
	return out
}
