package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// Prove asks whom the token belongs to. An administrator sees everything;
// anybody else has to be at least a reporter of the group, or a 404 is no
// evidence: ErrForbidden.
func (f *Forge) Prove(ctx context.Context, org providers.Org) error {
	u, err := f.whoami(ctx)
	if err != nil || u.IsAdmin {
		return wrap(err)
	}
	path := fmt.Sprintf("groups/%s/members/all/%d", url.PathEscape(fmt.Sprint(gid(org))), u.ID)
	m, err := f.member(ctx, path)
	if errors.Is(err, providers.ErrNotFound) || (err == nil && m.AccessLevel < sdk.ReporterPermissions) {
		return wrap(forbidden("GET /"+path, u.Username+" is neither an administrator nor a reporter of "+org.Name))
	}
	return wrap(err)
}

// seesAll returns nil if the token is an administrator's.
func (f *Forge) seesAll(ctx context.Context) error {
	u, err := f.whoami(ctx)
	if err == nil && !u.IsAdmin {
		err = forbidden("GET /user", u.Username+" is no administrator")
	}
	return err
}

func (f *Forge) whoami(ctx context.Context) (*sdk.User, error) {
	const op = "GET /user"
	u, _, err := f.api.Users.CurrentUser(sdk.WithContext(ctx))
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if u == nil || u.ID <= 0 {
		return nil, nonsense(op, "a user without an id")
	}
	return u, nil
}

func forbidden(op, why string) error {
	return &providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrForbidden, Err: errors.New(why)}
}
