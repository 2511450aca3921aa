package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// One page of each question costs one of 5,000 points an hour, although it
// tells one user's permission on 100 repositories: REST has no call for that.
const (
	repoSelection = `totalCount pageInfo{hasNextPage endCursor} nodes{` +
		`databaseId nameWithOwner visibility isArchived isFork createdAt ` +
		`owner{__typename login ...on Organization{databaseId} ...on User{databaseId}} ` +
		`collaborators(first:1,login:$login){edges{permission node{databaseId login}}}}`
	inOrgQuery = `query OrganizationAccess($org:String!,$login:String!,$after:String){organization(login:$org){` +
		`repositories(first:100,after:$after,ownerAffiliations:[OWNER],orderBy:{field:CREATED_AT,direction:ASC}){` + repoSelection + `}}}`
	inTeamQuery = `query TeamAccess($org:String!,$team:String!,$login:String!,$after:String){organization(login:$org){team(slug:$team){` +
		`parentTeam{slug} repositories(first:100,after:$after){` + repoSelection + `}}}}`
)

// errNoGraphQL: the forge has no such API, or an older one that cannot ask about
// one collaborator.
var errNoGraphQL = errors.New("no GraphQL API for this question")

type graphRepos struct {
	TotalCount int `json:"totalCount"`
	PageInfo   struct {
		HasNextPage bool   `json:"hasNextPage"`
		EndCursor   string `json:"endCursor"`
	} `json:"pageInfo"`
	Nodes []*graphRepo `json:"nodes"`
}

type graphRepo struct {
	ID         int64     `json:"databaseId"`
	Path       string    `json:"nameWithOwner"`
	Visibility string    `json:"visibility"`
	Archived   bool      `json:"isArchived"`
	Fork       bool      `json:"isFork"`
	Created    time.Time `json:"createdAt"`
	Owner      struct {
		Type  string `json:"__typename"`
		ID    int64  `json:"databaseId"`
		Login string `json:"login"`
	} `json:"owner"`
	Collaborators *struct {
		Edges []struct {
			Permission string `json:"permission"`
			Node       struct {
				ID    int64  `json:"databaseId"`
				Login string `json:"login"`
			} `json:"node"`
		} `json:"edges"`
	} `json:"collaborators"`
}

type graphTeam struct {
	ParentTeam *struct {
		Slug string `json:"slug"`
	} `json:"parentTeam"`
	Repositories *graphRepos `json:"repositories"`
}

type graphOrg struct {
	Repositories *graphRepos `json:"repositories"`
	Team         *graphTeam  `json:"team"`
}

// graphPages asks a question page by page. Cursors stay where they are when
// something before them goes, so only the count has to agree; a list that
// changed meanwhile is read once more.
func (f *Forge) graphPages(ctx context.Context, u providers.User, query string, vars map[string]any, pick func(*graphOrg) (*graphRepos, error)) ([]providers.Access, error) {
	op := "POST /graphql " + query[len("query "):strings.IndexByte(query, '(')]
	for range 2 {
		var all []providers.Access
		total := 0
		vars["login"], vars["after"] = u.Login, nil
		for page := 1; ; page++ {
			var data struct {
				Organization *graphOrg `json:"organization"`
			}
			if err := f.ask(ctx, op, query, vars, &data); err != nil {
				return nil, err
			}
			if data.Organization == nil {
				return nil, nonsense(op, "no organization, and no reason")
			}
			repos, err := pick(data.Organization)
			if err != nil {
				return nil, err
			}
			if repos == nil || repos.Nodes == nil || page > maxPages {
				return nil, nonsense(op, "no list of repositories")
			}
			for _, r := range repos.Nodes {
				a, err := r.access(op, u)
				if err != nil {
					return nil, err
				}
				all = append(all, a)
			}
			total = repos.TotalCount
			if !repos.PageInfo.HasNextPage {
				break
			}
			if repos.PageInfo.EndCursor == "" || repos.PageInfo.EndCursor == vars["after"] || len(repos.Nodes) == 0 {
				return nil, nonsense(op, "pages without end")
			}
			vars["after"] = repos.PageInfo.EndCursor
		}
		if len(all) == total {
			return all, nil
		}
	}
	return nil, nonsense(op, "its count and its length disagree, twice")
}

// access is u's permission on r: GitHub lists him among its collaborators, or
// nobody.
func (r *graphRepo) access(op string, u providers.User) (providers.Access, error) {
	switch {
	case r == nil || r.ID <= 0 || r.Owner.ID <= 0:
		return providers.Access{}, nonsense(op, "a repository without an id")
	case r.Collaborators == nil:
		return providers.Access{}, &providers.ForgeError{Op: op, Status: 200, Class: providers.ErrForbidden, Err: fmt.Errorf("the collaborators of %s are not shown", r.Path)}
	}
	a := providers.Access{User: u, Repo: providers.Repo{
		ID: text(r.ID), Path: r.Path,
		Org:        providers.Org{ID: text(r.Owner.ID), Name: r.Owner.Login, Personal: r.Owner.Type == "User"},
		Visibility: visibility(providers.Fold(r.Visibility), r.Visibility != "PUBLIC"),
		Archived:   r.Archived, Fork: r.Fork, Created: r.Created,
	}}
	for _, e := range r.Collaborators.Edges {
		if text(e.Node.ID) != u.ID {
			return a, nonsense(op, "an answer about somebody else")
		}
		if a.Permission = namedLevel(e.Permission); a.Permission == providers.None {
			return a, nonsense(op, fmt.Sprintf("an unknown permission %q", e.Permission))
		}
	}
	return a, nil
}

// ask sends one question and decodes data. GitHub answers 200 to most failures,
// with their kind in the body.
func (f *Forge) ask(ctx context.Context, op, query string, vars map[string]any, data any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return err
	}
	org, _ := vars["org"].(string)
	ctx = aboutAccount(ctx, org)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.graphql, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hookd")
	resp, err := f.http.Do(req)
	if err != nil {
		err = f.failed(ctx, op, err)
		var fe *providers.ForgeError
		if errors.As(err, &fe) && (fe.Status == http.StatusNotFound || fe.Status == http.StatusMethodNotAllowed || fe.Status == http.StatusGone) {
			return errNoGraphQL
		}
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []graphError    `json:"errors"`
	}
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil {
		return f.failed(ctx, op, err)
	}
	if len(answer.Errors) > 0 {
		err := answer.Errors[0].class(op)
		var fe *providers.ForgeError
		if errors.As(err, &fe) && fe.Class == providers.ErrLimited {
			b, err := f.budgetAbout(ctx, org)
			if err != nil {
				return err
			}
			fe.After = b.Refuse(resource(req), providers.RetryAfter(resp.Header, f.now()))
		}
		return err
	}
	if err := json.Unmarshal(answer.Data, data); err != nil {
		return f.failed(ctx, op, err)
	}
	return nil
}

type graphError struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

func (g graphError) class(op string) error {
	e := &providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrNonsense, Err: fmt.Errorf("%q", g.Message)}
	switch code := g.Extensions.Code; {
	case code == "argumentNotAccepted" || code == "undefinedField":
		return errNoGraphQL
	case g.Type == "RATE_LIMITED" || strings.Contains(g.Message, "rate limit"):
		e.Class = providers.ErrLimited
	case g.Type == "NOT_FOUND":
		e.Class = providers.ErrNotFound
	case g.Type == "FORBIDDEN" || g.Type == "INSUFFICIENT_SCOPES":
		e.Class = providers.ErrForbidden
	case strings.HasPrefix(g.Message, "Something went wrong"): // a timeout, in GitHub's words
		e.Class = providers.ErrUnavailable
	}
	return e
}
