package github

import (
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/document"
)

// errNoObject: the body is JSON, but null, a list or a single value.
var errNoObject = fmt.Errorf("not a JSON object: %w", providers.ErrMalformed)

// readPayload picks what routing needs out of a body that is known to be valid
// JSON. The error wraps ErrMalformed; what could be read is returned beside it.
func readPayload(body []byte) (payload, error) {
	root := document.Root(body)
	if !root.IsObject() {
		return payload{}, errNoObject
	}
	var p payload
	r := &reader{}
	for key, v := range root.Members() {
		switch string(key) {
		case "action":
			p.Action = r.Text(key, v)
		case "scope":
			p.Scope = r.Text(key, v)
		case "status":
			p.Status = v.Text() // of other events it is something else
		case "target_type":
			p.TargetType = r.Text(key, v)
		case "repository":
			p.Repository = r.repo(key, v)
		case "forkee":
			p.Forkee = r.repo(key, v)
		case "organization":
			p.Organization = r.account(key, v)
		case "sender":
			p.Sender = r.account(key, v)
		case "member":
			p.Member = r.account(key, v)
		case "user":
			p.User = r.account(key, v)
		case "account":
			p.Account = r.account(key, v)
		case "membership":
			if r.Object(key, v) {
				p.MembershipOf = r.account(key, v.Get("user"))
			}
		case "installation":
			if r.Object(key, v) {
				p.Installed = r.account(key, v.Get("account"))
			}
		case "team":
			p.Team = r.team(key, v)
		case "changes":
			if r.Object(key, v) {
				p.Changes = readChanges(v)
			}
		}
	}
	return p, r.Err
}

// readChanges takes names only: what they were is a label, worth no refusal.
func readChanges(v *document.Value) payloadChanges {
	c := payloadChanges{
		RepoName:      v.Get("repository", "name", "from").Text(),
		Login:         v.Get("login", "from").Text(),
		DefaultBranch: v.Get("default_branch").Exists(),
	}
	for _, owner := range [][]string{{"organization", "login"}, {"user", "login"}, {}} {
		if from := v.Get("owner", "from").Get(owner...); from.IsText() {
			c.Owner = from.Text()
			break
		}
	}
	return c
}

type reader struct{ document.Reader }

func (r *reader) repo(key []byte, v *document.Value) *payloadRepo {
	if !r.Object(key, v) {
		return nil
	}
	repo := &payloadRepo{}
	for key, v := range v.Members() {
		switch string(key) {
		case "id":
			repo.ID = r.ID(key, v)
		case "name":
			repo.Name = r.Text(key, v)
		case "full_name":
			repo.FullName = r.Text(key, v)
		case "owner":
			repo.Owner = r.account(key, v)
		case "private":
			repo.Private = r.Flag(key, v)
		case "visibility":
			repo.Visibility = r.Text(key, v)
		case "archived":
			repo.Archived = r.Flag(key, v)
		case "fork":
			repo.Fork = r.Flag(key, v)
		case "created_at":
			repo.Created = v.Text() // a push has seconds, all others a date
		}
	}
	return repo
}

func (r *reader) account(key []byte, v *document.Value) *payloadAccount {
	if !r.Object(key, v) {
		return nil
	}
	a := &payloadAccount{}
	for key, v := range v.Members() {
		switch string(key) {
		case "id":
			a.ID = r.ID(key, v)
		case "login":
			a.Login = r.Text(key, v)
		case "slug":
			a.Slug = r.Text(key, v)
		case "type":
			a.Type = r.Text(key, v)
		}
	}
	return a
}

func (r *reader) team(key []byte, v *document.Value) *payloadTeam {
	if !r.Object(key, v) {
		return nil
	}
	t := &payloadTeam{}
	for key, v := range v.Members() {
		switch string(key) {
		case "id":
			t.ID = r.ID(key, v)
		case "slug":
			t.Slug = r.Text(key, v)
		case "deleted":
			t.Deleted = r.Flag(key, v)
		}
	}
	return t
}
