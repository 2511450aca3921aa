package gitea

import (
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/document"
)

// errNoObject: the body is JSON, but null, a list or a single value.
var errNoObject = fmt.Errorf("not a JSON object: %w", providers.ErrMalformed)

// readPayload picks what routing needs out of a body that is known to be valid
// JSON, in one pass over it. The error wraps ErrMalformed; what could be read
// is returned beside it.
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
		case "before":
			p.Before = r.Text(key, v)
		case "after":
			p.After = r.Text(key, v)
		case "repository":
			p.Repository = r.repo(key, v)
		case "forkee":
			p.Forkee = r.repo(key, v)
		case "organization":
			p.Organization = r.user(key, v)
		case "sender":
			p.Sender = r.user(key, v)
		case "changes":
			p.RenamedFrom = v.Get("name", "from").Text()
		}
	}
	return p, r.Err
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
		case "owner":
			repo.Owner = r.user(key, v)
		case "full_name":
			repo.FullName = r.Text(key, v)
		case "private":
			repo.Private = r.Flag(key, v)
		case "internal":
			repo.Internal = r.Flag(key, v)
		case "archived":
			repo.Archived = r.Flag(key, v)
		case "fork":
			repo.Fork = r.Flag(key, v)
		case "created_at":
			repo.Created = r.Text(key, v)
		case "parent":
			if r.Object(key, v) {
				repo.ParentID = r.ID(key, v.Get("id"))
			}
		}
	}
	return repo
}

func (r *reader) user(key []byte, v *document.Value) *payloadUser {
	if !r.Object(key, v) {
		return nil
	}
	u := &payloadUser{}
	for key, v := range v.Members() {
		switch string(key) {
		case "id":
			u.ID = r.ID(key, v)
		case "login":
			u.Login = r.Text(key, v)
		case "username":
			u.Username = r.Text(key, v)
		}
	}
	return u
}
