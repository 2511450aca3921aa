package gitlab

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/document"
)

// payload is the part of a delivery that routing needs. The bodies are flat;
// a struct of our own and not go-playground's, which Describe decodes later in
// a worker and which does not know all of these.
type payload struct {
	Name string // event_name
	Kind string // object_kind, where the event has no name

	ProjectID                    int64
	Path                         string // path_with_namespace or project_path_with_namespace
	OldPath                      string // old_path_with_namespace
	Visibility                   string
	GroupID, ParentID            int64
	GroupPath                    string // full_path, else group_path or path, which are its last part
	OldGroupPath, ParentFullPath string
	UserID                       int64
	Username, OldUsername        string
}

// errNoObject: the body is JSON, but null, a list or a single value.
var errNoObject = fmt.Errorf("not a JSON object: %w", providers.ErrMalformed)

// readPayload picks what routing needs out of a body that is known to be valid
// JSON, in one pass. The error wraps ErrMalformed; what could be read is
// returned beside it.
func readPayload(body []byte) (payload, error) {
	root := document.Root(body)
	if !root.IsObject() {
		return payload{}, errNoObject
	}
	var p payload
	r := &document.Reader{}
	var fullPath, groupPath, path, username string
	for key, v := range root.Members() {
		switch string(key) {
		case "event_name":
			p.Name = r.Text(key, v)
		case "object_kind":
			p.Kind = r.Text(key, v)
		case "project_id":
			p.ProjectID = r.ID(key, v)
		case "path_with_namespace", "project_path_with_namespace":
			p.Path = r.Text(key, v)
		case "old_path_with_namespace":
			p.OldPath = r.Text(key, v)
		case "project_visibility":
			p.Visibility = r.Text(key, v)
		case "group_id":
			p.GroupID = r.ID(key, v)
		case "parent_group_id":
			p.ParentID = r.ID(key, v)
		case "parent_full_path":
			p.ParentFullPath = r.Text(key, v)
		case "full_path":
			fullPath = r.Text(key, v)
		case "group_path":
			groupPath = r.Text(key, v)
		case "path":
			path = r.Text(key, v)
		case "old_full_path":
			p.OldGroupPath = r.Text(key, v)
		case "user_id":
			p.UserID = r.ID(key, v)
		case "user_username":
			p.Username = r.Text(key, v)
		case "username":
			username = r.Text(key, v)
		case "old_username":
			p.OldUsername = r.Text(key, v)
		case "project":
			if p.Path == "" && v.IsObject() { // push, merge request and the like
				p.Path = v.Get("path_with_namespace").Text()
				id, _ := v.Get("id").Int()
				p.ProjectID = max(p.ProjectID, id)
			}
		}
	}
	p.GroupPath = firstOf(fullPath, groupPath, path)
	p.Username = firstOf(p.Username, username)
	return p, r.Err
}

// name is the event's own. Only a group hook of another family says it in the
// header alone: "Wiki Page Hook" is "wiki_page".
func (p payload) name(h http.Header) string {
	if n := firstOf(p.Name, p.Kind); n != "" {
		return n
	}
	words := strings.TrimSuffix(h.Get("X-Gitlab-Event"), " Hook")
	return strings.ReplaceAll(strings.ToLower(words), " ", "_")
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
