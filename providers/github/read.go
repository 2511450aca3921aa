package github

import (
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/hookd/hookd/providers"
)

// errNoObject: the body is JSON, but null, a list or a single value.
var errNoObject = fmt.Errorf("not a JSON object: %w", providers.ErrMalformed)

// readPayload picks what routing needs out of a body that is known to be valid
// JSON. The error wraps ErrMalformed; what could be read is returned beside it.
//
// A reader of parts, because GitHub's payloads are large, most of them is
// addresses, and the forge waits for the answer.
func readPayload(body []byte) (payload, error) {
	root := gjson.ParseBytes(body)
	if !root.IsObject() {
		return payload{}, errNoObject
	}
	var p payload
	r := &reader{}
	root.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "action":
			p.Action = r.text(key, v)
		case "scope":
			p.Scope = r.text(key, v)
		case "status":
			p.Status = v.Str // of other events it is something else
		case "target_type":
			p.TargetType = r.text(key, v)
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
			if r.object(key, v) {
				p.MembershipOf = r.account(key, v.Get("user"))
			}
		case "installation":
			if r.object(key, v) {
				p.Installed = r.account(key, v.Get("account"))
			}
		case "team":
			p.Team = r.team(key, v)
		case "changes":
			if r.object(key, v) {
				p.Changes = readChanges(v)
			}
		}
		return true
	})
	return p, r.err
}

// readChanges takes names only: what they were is a label, worth no refusal.
func readChanges(v gjson.Result) payloadChanges {
	c := payloadChanges{
		RepoName:      v.Get("repository.name.from").Str,
		Login:         v.Get("login.from").Str,
		DefaultBranch: v.Get("default_branch").Exists(),
	}
	for _, owner := range []string{"owner.from.organization.login", "owner.from.user.login", "owner.from"} {
		if from := v.Get(owner); from.Type == gjson.String {
			c.Owner = from.Str
			break
		}
	}
	return c
}

// reader converts values and remembers the first of a wrong type.
type reader struct{ err error }

func (r *reader) wrong(key gjson.Result, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%q is no %s: %w", key.Str, want, providers.ErrMalformed)
	}
}

func (r *reader) text(key, v gjson.Result) string {
	if v.Type != gjson.String && v.Type != gjson.Null {
		r.wrong(key, "string")
		return ""
	}
	return v.Str
}

func (r *reader) id(key, v gjson.Result) int64 {
	if v.Type == gjson.Null {
		return 0
	}
	n, err := strconv.ParseInt(v.Raw, 10, 64)
	if err != nil {
		r.wrong(key, "integer")
	}
	return n
}

func (r *reader) flag(key, v gjson.Result) bool {
	if !v.IsBool() && v.Type != gjson.Null {
		r.wrong(key, "boolean")
	}
	return v.Type == gjson.True
}

// object reports whether v is one; null is none, and no fault either.
func (r *reader) object(key, v gjson.Result) bool {
	if !v.IsObject() && v.Type != gjson.Null {
		r.wrong(key, "object")
	}
	return v.IsObject()
}

func (r *reader) repo(key, v gjson.Result) *payloadRepo {
	if !r.object(key, v) {
		return nil
	}
	repo := &payloadRepo{}
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "id":
			repo.ID = r.id(key, v)
		case "name":
			repo.Name = r.text(key, v)
		case "full_name":
			repo.FullName = r.text(key, v)
		case "owner":
			repo.Owner = r.account(key, v)
		case "private":
			repo.Private = r.flag(key, v)
		case "visibility":
			repo.Visibility = r.text(key, v)
		case "archived":
			repo.Archived = r.flag(key, v)
		case "fork":
			repo.Fork = r.flag(key, v)
		case "created_at":
			repo.Created = v.String() // a push has seconds, all others a date
		}
		return true
	})
	return repo
}

func (r *reader) account(key, v gjson.Result) *payloadAccount {
	if !r.object(key, v) {
		return nil
	}
	a := &payloadAccount{}
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "id":
			a.ID = r.id(key, v)
		case "login":
			a.Login = r.text(key, v)
		case "slug":
			a.Slug = r.text(key, v)
		case "type":
			a.Type = r.text(key, v)
		}
		return true
	})
	return a
}

func (r *reader) team(key, v gjson.Result) *payloadTeam {
	if !r.object(key, v) {
		return nil
	}
	t := &payloadTeam{}
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "id":
			t.ID = r.id(key, v)
		case "slug":
			t.Slug = r.text(key, v)
		case "deleted":
			t.Deleted = r.flag(key, v)
		}
		return true
	})
	return t
}
