package providerstest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// graphql answers the two questions that hookd asks: what one user reaches in
// the repositories of an organization, and of a team. It is no GraphQL server:
// the shape of the answer is fixed, and a document that asks for anything else
// is refused.
func (c *ghCall) graphql() {
	var ask struct {
		Query     string `json:"query"`
		Variables struct {
			Org   string  `json:"org"`
			Team  string  `json:"team"`
			Login string  `json:"login"`
			After *string `json:"after"`
		} `json:"variables"`
	}
	if json.NewDecoder(c.r.Body).Decode(&ask) != nil || ask.Query == "" {
		c.refuse(http.StatusBadRequest, "A query attribute must be specified and must be a string.")
		return
	}
	for _, part := range []string{"organization(login:$org)", "repositories(first:100,after:$after", "collaborators(first:1,login:$login)", "totalCount", "pageInfo{hasNextPage endCursor}"} {
		if !strings.Contains(ask.Query, part) {
			c.fail("", "the simulator knows no such question: it lacks "+part)
			return
		}
	}
	v := ask.Variables
	o, err := c.g.org(v.Org)
	if err != nil {
		c.fail("NOT_FOUND", "Could not resolve to an Organization with the login of '"+v.Org+"'.")
		return
	}
	u, _ := c.g.user(v.Login)
	if !strings.Contains(ask.Query, "team(slug:$team)") {
		var repos []*ghRepo
		for _, r := range c.g.sorted() {
			if r.owner == o && c.sees(r) && r.hidden == 0 {
				repos = append(repos, r)
			}
		}
		c.data(ghFields{"repositories": c.connection(repos, u, v.After)})
		return
	}
	t, err := c.g.team(v.Org, v.Team)
	if err != nil || !c.inside(o) {
		c.data(ghFields{"team": nil})
		return
	}
	team := ghFields{"parentTeam": nil, "repositories": c.connection(c.seen(t.sorted()), u, v.After)}
	if t.parent != nil {
		team["parentTeam"] = ghFields{"slug": t.parent.slug}
	}
	c.data(ghFields{"team": team})
}

// connection is a page of repositories after a cursor, which is an id here.
func (c *ghCall) connection(repos []*ghRepo, u *ghAccount, after *string) ghFields {
	from := int64(0)
	if after != nil {
		from, _ = strconv.ParseInt(strings.TrimPrefix(*after, "cursor:"), 10, 64)
	}
	nodes, end, more := []any{}, "", false
	for _, r := range repos {
		if r.id <= from {
			continue
		}
		if more = len(nodes) == 100; more {
			break
		}
		nodes = append(nodes, c.node(r, u))
		end = "cursor:" + strconv.FormatInt(r.id, 10)
	}
	return ghFields{"totalCount": len(repos), "pageInfo": ghFields{"hasNextPage": more, "endCursor": end}, "nodes": nodes}
}

// node is a repository; its collaborators are shown to those who may push.
func (c *ghCall) node(r *ghRepo, u *ghAccount) ghFields {
	kind := "User"
	if r.owner.org {
		kind = "Organization"
	}
	n := ghFields{
		"databaseId": r.id, "nameWithOwner": r.path(), "visibility": strings.ToUpper(string(r.visibility)), "isArchived": r.archived, "isFork": r.parent != nil,
		"createdAt": r.created.UTC().Truncate(time.Second), "owner": ghFields{"__typename": kind, "login": r.owner.login, "databaseId": r.owner.id},
		"collaborators": nil,
	}
	if c.app == nil && c.level(r) < providers.Write {
		return n
	}
	edges := []any{}
	if u != nil {
		if p := c.g.reaches(u, r); p > providers.None {
			edges = append(edges, ghFields{"permission": strings.ToUpper(p.String()), "node": ghFields{"databaseId": u.id, "login": u.login}})
		}
	}
	n["collaborators"] = ghFields{"edges": edges}
	return n
}

func (c *ghCall) data(organization ghFields) {
	c.json(ghFields{"data": ghFields{"organization": organization}})
}

func (c *ghCall) fail(kind, message string) {
	c.json(ghFields{"data": nil, "errors": []any{ghFields{"type": kind, "message": message}}})
}
