package github

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// HasPath asks by id. An empty repository is answered with a 404 ("This
// repository is empty.", docs.github.com/en/rest/repos/contents), and a folder
// with a list.
func (f *Forge) HasPath(ctx context.Context, r providers.Repo, path string) (bool, error) {
	file, folder := strings.CutSuffix(path, "/")
	at := "repositories/" + r.ID + "/contents/" + (&url.URL{Path: file}).EscapedPath()
	op := "GET /" + at
	if _, err := number(r.ID); err != nil {
		return false, wrap(err)
	}
	req, err := f.api.NewRequest(ctx, "GET", at, nil)
	if err != nil {
		return false, wrap(err)
	}
	var found json.RawMessage
	if _, err := f.api.Do(req, &found); err != nil {
		if err = f.failed(ctx, op, err); errors.Is(err, providers.ErrNotFound) {
			return false, nil
		}
		return false, wrap(err)
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
	return false, wrap(nonsense(op, "neither a file nor a folder"))
}

// Topics asks for the repository, which names them.
func (f *Forge) Topics(ctx context.Context, r providers.Repo) ([]string, error) {
	found, err := f.fetch(ctx, r.ID)
	if err != nil {
		return nil, wrap(err)
	}
	return found.Topics, nil
}

// RepoHooks needs a token that administers the repository, or an App with the
// permission to read its webhooks.
func (f *Forge) RepoHooks(ctx context.Context, r providers.Repo) ([]string, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	hooks, err := listing[sdk.Hook]{
		f: f, op: "GET /repos/" + r.Path + "/hooks", id: (*sdk.Hook).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Hook, *sdk.Response, error) {
			return f.api.Repositories.ListHooks(ctx, owner, name, &o)
		},
	}.all(ctx)
	return convert(hooks, func(h *sdk.Hook) string { return h.GetConfig().GetURL() }), wrap(err)
}
