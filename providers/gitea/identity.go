package gitea

import (
	"context"

	"github.com/hookd/hookd/providers"
)

var _ providers.Identifier = (*Forge)(nil)

// Identify costs one call. Gitea tells nobody what a token's scopes are.
func (f *Forge) Identify(ctx context.Context) (providers.Identity, error) {
	const op = "GET /user"
	u, _, err := f.client(ctx, "").GetMyUserInfo()
	switch {
	case err != nil:
		return providers.Identity{}, wrap(f.failed(ctx, op, err))
	case u.ID <= 0 || u.UserName == "":
		return providers.Identity{}, wrap(nonsense(op, "a user without an id"))
	}
	who := providers.Identity{Login: u.UserName, Admin: u.IsAdmin}
	if !u.IsAdmin {
		who.Lacks = []string{"a site administrator, who may read others' lists"}
	}
	return who, nil
}
