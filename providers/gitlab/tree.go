package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// tree remembers which group lies in which. An entry holds as long as the
// group has the path under which it was read: moving it changes that.
type tree struct {
	mu     sync.Mutex
	parent map[int64]branch
}

type branch struct {
	path   string
	parent int64
}

// owner is the organization that a namespace belongs to: the outermost of the
// groups it lies in that is configured, else the top-level group, or a user.
func (f *Forge) owner(ctx context.Context, ns *sdk.ProjectNamespace) (providers.Org, error) {
	here := providers.Org{ID: text(ns.ID), Name: ns.FullPath}
	if ns.Kind == "user" {
		here.Personal = true
		return here, nil
	}
	path, parent := ns.FullPath, ns.ParentID
	chain := []providers.Org{here}
	for {
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			break
		}
		path = path[:i]
		if parent <= 0 {
			return providers.Org{}, nonsense("namespace "+ns.FullPath, "a nested group without a parent")
		}
		chain = append(chain, providers.Org{ID: text(parent), Name: path})
		if !strings.Contains(path, "/") {
			break
		}
		var err error
		if parent, err = f.parentOf(ctx, parent, path); err != nil {
			return providers.Org{}, err
		}
	}
	top := chain[len(chain)-1]
	if f.orgs == nil || f.orgs.All() {
		return top, nil
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if f.orgs.Is(chain[i]) {
			f.learn(chain[i])
			return chain[i], nil
		}
	}
	return top, nil
}

// learn tells the set of organizations under which name it can expect events
// that have no id.
func (f *Forge) learn(o providers.Org) {
	if !f.orgs.Is(providers.Org{Name: o.Name}) {
		f.orgs.Learn(o.Name, o.ID)
	}
}

func (f *Forge) parentOf(ctx context.Context, id int64, path string) (int64, error) {
	f.tree.mu.Lock()
	known, ok := f.tree.parent[id]
	f.tree.mu.Unlock()
	if ok && known.path == path {
		return known.parent, nil
	}
	g, err := f.group(ctx, id)
	if err != nil {
		return 0, err
	}
	if g.FullPath != path {
		return 0, &providers.ForgeError{
			Op: fmt.Sprintf("GET /groups/%d", id), Status: http.StatusOK, Class: providers.ErrUnavailable,
			Err: fmt.Errorf("group %s is moving to %s", path, g.FullPath),
		}
	}
	f.tree.put(g)
	return g.ParentID, nil
}

func (t *tree) put(groups ...*sdk.Group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parent == nil {
		t.parent = map[int64]branch{}
	}
	for _, g := range groups {
		t.parent[g.ID] = branch{path: g.FullPath, parent: g.ParentID}
	}
}
