package github

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"strings"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

func errNoScope(s providers.Subject) error { return fmt.Errorf("a %s is no scope", s.Kind) }

// Members yields the users of an organization, or of a team with those of the
// teams below it.
func (f *Forge) Members(ctx context.Context, s providers.Subject) iter.Seq2[providers.User, error] {
	return sequence(func() ([]providers.User, error) {
		switch s.Kind {
		case providers.SubjectTeam:
			org, slug, err := f.team(ctx, s)
			if err != nil {
				return nil, err
			}
			if slug == "" {
				return nil, &providers.ForgeError{Op: "GET /orgs/" + org + "/teams", Status: 200, Class: providers.ErrNotFound, Err: fmt.Errorf("no team %s", s.ID)}
			}
			people, err := f.teamMembers(ctx, org, slug)
			return convert(people, convertUser), err
		case providers.SubjectOrg:
			org, err := f.resolve(ctx, providers.Org{ID: s.ID, Name: s.Name})
			if err != nil {
				return nil, err
			}
			people, err := f.orgMembers(ctx, org.GetLogin(), "all")
			return convert(people, convertUser), err
		}
		return nil, errNoScope(s)
	})
}

// team finds the organization and slug of a team: by its name, which is
// "org/slug" here, by what was seen of it last, or else among the teams of all
// organizations of the identity. The slug is empty if the organization is known
// and no longer has the team.
func (f *Forge) team(ctx context.Context, s providers.Subject) (org, slug string, err error) {
	if _, err := number(s.ID); err != nil {
		return "", "", err
	}
	for _, name := range []string{s.Name, f.lastSeen(s.ID)} {
		o, sl, ok := strings.Cut(name, "/")
		if !ok || o == "" || sl == "" {
			continue
		}
		org = o
		t, _, err := f.api.Teams.GetTeamBySlug(ctx, o, sl)
		if err == nil && text(t.GetID()) == s.ID {
			f.teams.Store(s.ID, teamName(o, t.GetSlug()))
			return o, t.GetSlug(), nil
		}
		if err != nil {
			if err = f.failed(ctx, "GET /orgs/"+o+"/teams/"+sl, err); !errors.Is(err, providers.ErrNotFound) {
				return "", "", err
			}
		}
	}
	orgs := []providers.Org{{Name: org}}
	if org == "" {
		if orgs, err = f.orgs(ctx); err != nil {
			return "", "", err
		}
	}
	for _, o := range orgs {
		teams, err := f.orgTeams(ctx, o.Name)
		if err != nil {
			return "", "", err
		}
		for _, t := range teams {
			if text(t.GetID()) == s.ID {
				return o.Name, t.GetSlug(), nil
			}
		}
	}
	if org == "" {
		return "", "", &providers.ForgeError{Op: "GET /orgs/*/teams", Status: 200, Class: providers.ErrNotFound, Err: fmt.Errorf("no team %s", s.ID)}
	}
	return org, "", nil
}

func (f *Forge) lastSeen(team string) string {
	name, _ := f.teams.Load(team)
	s, _ := name.(string)
	return s
}

// Repos yields every repository of org, ordered by age. It costs one call for
// the organization's present name and one per 100 repositories.
func (f *Forge) Repos(ctx context.Context, org providers.Org) iter.Seq2[providers.Repo, error] {
	return sequence(func() ([]providers.Repo, error) {
		o, err := f.resolve(ctx, org)
		if err != nil {
			return nil, err
		}
		repos, err := f.orgRepos(ctx, o.GetLogin())
		return convert(repos, convertRepo), err
	})
}

// Activity marks the 100 newest repositories of org, under their names, and how
// many pages there are. GitHub's own feed of events is delayed by minutes and
// leaves things out; this page comes with an ETag and mostly costs nothing.
// What happens to older repositories is announced, and found by Repos.
func (f *Forge) Activity(ctx context.Context, org providers.Org) (string, error) {
	op := fmt.Sprintf("GET /orgs/%s/repos?sort=created&direction=desc", org.Name)
	repos, resp, err := f.api.Repositories.ListByOrg(ctx, org.Name, &sdk.RepositoryListByOrgOptions{
		Type: "all", Sort: "created", Direction: "desc", ListOptions: sdk.ListOptions{Page: 1, PerPage: pageSize},
	})
	if err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	if repos == nil {
		return "", wrap(nonsense(op, "null or nothing instead of a list"))
	}
	mark := fnv.New64a()
	for _, r := range repos {
		if r.GetID() <= 0 || (org.ID != "" && text(r.GetOwner().GetID()) != org.ID) {
			return "", wrap(nonsense(op, "a repository of somebody else"))
		}
		fmt.Fprintln(mark, r.GetID(), r.GetFullName(), r.GetVisibility(), r.GetArchived())
	}
	fmt.Fprintln(mark, resp.LastPage)
	return strconv.FormatUint(mark.Sum64(), 36), nil
}
