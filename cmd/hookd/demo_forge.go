package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// A simulator is a simulated forge, as far as a demo needs one.
type simulator interface {
	URL() string
	AdminToken() string
	Token(login string) string
	Close()

	CreateUser(login string) (providers.User, error)
	CreateOrg(name, visibility string) (providers.Org, error)
	CreateTeam(org, name string, p providers.Permission, allRepos bool) (providers.Team, error)
	AddMember(org, team, login string) error
	RemoveMember(org, team, login string) error
	AddTeamRepo(org, team, path string) error
	DeleteRepo(path string) error

	AddHook(owner, target, secret string, events ...string) (int64, error)
	Delivered(ctx context.Context) error
	Break(f providerstest.Fault) (heal func())
}

// A demoForge is a simulator and what differs between the forges.
type demoForge struct {
	simulator
	kind    string
	title   string
	dialect targettest.Forge // in which Drone reads it

	create  func(owner, name string) (providers.Repo, error)
	refused func() []string // deliveries that got no 2xx
}

var demoForges = map[string]func() (*demoForge, error){
	"gitea": demoGitea, "github": demoGitHub, "gitlab": demoGitLab,
}

func forgeNames() []string { return slices.Sorted(maps.Keys(demoForges)) }

func demoGitea() (*demoForge, error) {
	// As on a real Gitea, a deleted repository can be read for a moment after
	// its deletion was announced.
	g, err := providerstest.StartGitea(providerstest.GiteaOptions{DeleteLag: 100 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	return &demoForge{
		simulator: g, kind: "gitea", title: "Gitea", dialect: targettest.Gitea,
		create: func(owner, name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GiteaRepo{Owner: owner, Name: name, Private: true})
		},
		refused: func() []string { return refusals(g.Deliveries()) },
	}, nil
}

func demoGitHub() (*demoForge, error) {
	g, err := providerstest.StartGitHub(providerstest.GitHubOptions{})
	if err != nil {
		return nil, err
	}
	return &demoForge{
		simulator: g, kind: "github", title: "GitHub", dialect: targettest.GitHub,
		create: func(owner, name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GitHubRepo{Owner: owner, Name: name, Private: true})
		},
		refused: func() []string { return refusals(g.Deliveries()) },
	}, nil
}

func demoGitLab() (*demoForge, error) {
	g, err := providerstest.StartGitLab(providerstest.GitLabOptions{DeleteLag: 100 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	return &demoForge{
		simulator: g, kind: "gitlab", title: "GitLab", dialect: targettest.GitLab,
		create: func(owner, name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GitLabProject{Owner: owner, Name: name, Private: true})
		},
		refused: func() []string {
			var out []string
			for _, d := range g.Deliveries() {
				if d.Status/100 != 2 {
					out = append(out, refusal(d.UUID, d.Status, d.Err))
				}
			}
			return out
		},
	}, nil
}

func refusals(sent []providerstest.GiteaDelivery) []string {
	var out []string
	for _, d := range sent {
		if d.Status/100 != 2 {
			out = append(out, refusal(d.UUID, d.Status, d.Err))
		}
	}
	return out
}

func refusal(id string, status int, why string) string {
	return strings.TrimSpace(fmt.Sprintf("delivery %s: status %d %s", id, status, why))
}
