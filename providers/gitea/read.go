package gitea

import (
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/hookd/hookd/providers"
)

// errNoObject: the body is JSON, but null, a list or a single value.
var errNoObject = fmt.Errorf("not a JSON object: %w", providers.ErrMalformed)

// readPayload picks what routing needs out of a body that is known to be valid
// JSON, in one pass over it and one more over each object of interest. The
// error wraps ErrMalformed; what could be read is returned beside it.
//
// A reader of parts, because most of a payload is of no interest here and the
// forge waits for the answer: measured with BenchmarkHook against
// encoding/json into the same struct.
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
		case "before":
			p.Before = r.text(key, v)
		case "after":
			p.After = r.text(key, v)
		case "repository":
			p.Repository = r.repo(key, v)
		case "forkee":
			p.Forkee = r.repo(key, v)
		case "organization":
			p.Organization = r.user(key, v)
		case "sender":
			p.Sender = r.user(key, v)
		case "changes":
			p.RenamedFrom = v.Get("name.from").String()
		}
		return true
	})
	return p, r.err
}

// reader converts values and remembers the first of a wrong type.
type reader struct{ err error }

func (r *reader) wrong(key, v gjson.Result, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("%q is no %s: %w", key.Str, want, providers.ErrMalformed)
	}
}

func (r *reader) text(key, v gjson.Result) string {
	if v.Type != gjson.String && v.Type != gjson.Null {
		r.wrong(key, v, "string")
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
		r.wrong(key, v, "integer")
	}
	return n
}

func (r *reader) flag(key, v gjson.Result) bool {
	if !v.IsBool() && v.Type != gjson.Null {
		r.wrong(key, v, "boolean")
	}
	return v.Type == gjson.True
}

// object reports whether v is one; null is none, and no fault either.
func (r *reader) object(key, v gjson.Result) bool {
	if !v.IsObject() && v.Type != gjson.Null {
		r.wrong(key, v, "object")
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
		case "owner":
			repo.Owner = r.user(key, v)
		case "full_name":
			repo.FullName = r.text(key, v)
		case "private":
			repo.Private = r.flag(key, v)
		case "internal":
			repo.Internal = r.flag(key, v)
		case "archived":
			repo.Archived = r.flag(key, v)
		case "fork":
			repo.Fork = r.flag(key, v)
		case "created_at":
			repo.Created = r.text(key, v)
		case "parent":
			if r.object(key, v) {
				repo.ParentID = r.id(key, v.Get("id"))
			}
		}
		return true
	})
	return repo
}

func (r *reader) user(key, v gjson.Result) *payloadUser {
	if !r.object(key, v) {
		return nil
	}
	u := &payloadUser{}
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "id":
			u.ID = r.id(key, v)
		case "login":
			u.Login = r.text(key, v)
		case "username":
			u.Username = r.text(key, v)
		}
		return true
	})
	return u
}
