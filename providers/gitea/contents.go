package gitea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

// HasPath asks by the repository's path: Gitea has no such call by id. An empty
// repository is answered like a missing file (measured, 1.25).
//
// The SDK has a call for files and one for folders, and tells a folder that
// turns out to be a file from nonsense by no more than a text.
func (f *Forge) HasPath(ctx context.Context, r providers.Repo, path string) (bool, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	file, folder := strings.CutSuffix(path, "/")
	at := "/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name) + "/contents/" + escapePath(file)
	op := "GET " + at
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.root+"/api/v1"+at, nil)
	if err != nil {
		return false, wrap(err)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		if err = f.failed(ctx, op, err); errors.Is(err, providers.ErrNotFound) {
			return false, nil
		}
		return false, wrap(err)
	}
	defer resp.Body.Close()
	var found json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&found); err != nil {
		return false, wrap(f.failed(ctx, op, err))
	}
	var entry struct {
		Type string `json:"type"`
	}
	var entries []json.RawMessage
	switch {
	case json.Unmarshal(found, &entries) == nil && entries != nil:
		return folder, nil
	case json.Unmarshal(found, &entry) == nil && entry.Type != "":
		return !folder && entry.Type != "submodule", nil
	}
	return false, wrap(nonsense(op, fmt.Sprintf("neither a file nor a folder: %d bytes", len(found))))
}

func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// Topics asks for the repository, which names them.
func (f *Forge) Topics(ctx context.Context, r providers.Repo) ([]string, error) {
	found, err := f.fetch(ctx, r.ID)
	if err != nil {
		return nil, wrap(err)
	}
	return found.Topics, nil
}

// RepoHooks asks by path: Gitea has no such call by id.
func (f *Forge) RepoHooks(ctx context.Context, r providers.Repo) ([]string, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	c := f.client(ctx, "")
	hooks, err := list[sdk.Hook]{
		f: f, op: "GET /repos/" + r.Path + "/hooks", id: func(h *sdk.Hook) int64 { return h.ID },
		fetch: func(o sdk.ListOptions) ([]*sdk.Hook, *sdk.Response, error) {
			return c.ListRepoHooks(owner, name, sdk.ListHooksOptions{ListOptions: o})
		},
	}.all(ctx)
	return convert(hooks, func(h *sdk.Hook) string { return h.Config["url"] }), wrap(err)
}
