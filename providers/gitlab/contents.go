package gitlab

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// HasPath asks by id. What is not there, and an empty repository, is a 404; of a
// folder older GitLabs answer with an empty list (lib/api/files.rb and
// repositories.rb).
func (f *Forge) HasPath(ctx context.Context, r providers.Repo, path string) (bool, error) {
	id, err := number(r.ID)
	if err != nil {
		return false, wrap(err)
	}
	found := true
	op, head := fmt.Sprintf("GET /projects/%d/repository/files/%s", id, path), "HEAD"
	if folder, ok := strings.CutSuffix(path, "/"); ok {
		op = fmt.Sprintf("GET /projects/%d/repository/tree?path=%s", id, folder)
		var entries []*sdk.TreeNode
		entries, _, err = f.api.Repositories.ListTree(id, &sdk.ListTreeOptions{
			Path: &folder, Ref: &head, ListOptions: sdk.ListOptions{PerPage: 1},
		}, sdk.WithContext(ctx))
		if err == nil && entries == nil {
			err = nonsense(op, "null or nothing instead of a list")
		}
		found = len(entries) > 0
	} else {
		var file *sdk.File
		file, _, err = f.api.RepositoryFiles.GetFile(id, path, &sdk.GetFileOptions{Ref: &head}, sdk.WithContext(ctx))
		if err == nil && (file == nil || file.FilePath != path) {
			err = nonsense(op, "an answer about something else")
		}
	}
	if err != nil {
		if err = f.failed(ctx, op, err); errors.Is(err, providers.ErrNotFound) {
			return false, nil
		}
		return false, wrap(err)
	}
	return found, nil
}

// Topics asks for the project, which names them.
func (f *Forge) Topics(ctx context.Context, r providers.Repo) ([]string, error) {
	p, err := f.project(ctx, r.ID)
	if err != nil {
		return nil, wrap(err)
	}
	return p.Topics, nil
}

// RepoHooks needs a token that maintains the project.
func (f *Forge) RepoHooks(ctx context.Context, r providers.Repo) ([]string, error) {
	id, err := number(r.ID)
	if err != nil {
		return nil, wrap(err)
	}
	hooks, err := listing[sdk.ProjectHook]{
		f: f, op: fmt.Sprintf("GET /projects/%d/hooks", id), id: func(h *sdk.ProjectHook) int64 { return h.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.ProjectHook, *sdk.Response, error) {
			return f.api.Projects.ListProjectHooks(id, &sdk.ListProjectHooksOptions{ListOptions: sdk.ListOptions{PerPage: pageSize}}, append(more, sdk.WithContext(ctx))...)
		},
	}.all(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	addresses := make([]string, len(hooks))
	for i, h := range hooks {
		addresses[i] = h.URL
	}
	return addresses, nil
}
