package woodpecker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

const (
	// perPage is the most that Woodpecker gives
	// [server/router/middleware/session/pagination.go].
	perPage  = 50
	maxPages = 10_000
)

var errNoAdmin = errors.New("it needs an administrator's token: set token_file")

// pages calls get for page after page until one is not full. get returns how
// many it found.
func pages(get func(query string) (int, error)) error {
	for page := 1; page <= maxPages; page++ {
		n, err := get("page=" + strconv.Itoa(page) + "&perPage=" + strconv.Itoa(perPage))
		if err != nil || n < perPage {
			return err
		}
	}
	return fmt.Errorf("more than %d pages", maxPages)
}

// accounts lists Woodpecker's users, of all its forges.
func (t *Target) accounts(ctx context.Context) ([]account, error) {
	if t.cfg.AdminToken == "" {
		return nil, errNoAdmin
	}
	var out []account
	err := pages(func(query string) (int, error) {
		var list []account
		if err := t.get(ctx, "/api/users?"+query, t.admin(), &list); err != nil {
			return 0, err
		}
		for _, a := range list {
			if a.Login == "" {
				return 0, errors.New("GET /api/users: a user without login")
			}
		}
		out = append(out, list...)
		return len(list), nil
	})
	return out, err
}

// Accounts lists Woodpecker's users. It needs the administrator's token.
func (t *Target) Accounts(ctx context.Context) ([]target.Account, error) {
	list, err := t.accounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("woodpecker: listing the users: %w", err)
	}
	out := make([]target.Account, len(list))
	for i, a := range list {
		out[i] = target.Account{Login: a.Login, Active: true, Admin: a.Admin}
	}
	return out, nil
}

// rosterFor is how long a list of Woodpecker's users tells who is none: long
// enough for the many whom one event concerns, and short for who is just logging
// in.
const rosterFor = 5 * time.Second

// roster is the latest list of Woodpecker's users. It is not asked for one,
// since that look-up heeds case and answers 404 to every failure
// [server/store/datastore/helper.go].
type roster struct {
	mu     sync.Mutex
	users  []account
	listed time.Time
}

// knows reports whether a user has an account.
func (t *Target) knows(ctx context.Context, u providers.User) (bool, error) {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	if now := t.cfg.Now(); t.roster.listed.IsZero() || now.Sub(t.roster.listed) >= rosterFor {
		users, err := t.accounts(ctx)
		if err != nil {
			return false, err
		}
		t.roster.users, t.roster.listed = users, now
	}
	return slices.ContainsFunc(t.roster.users, func(a account) bool {
		return a.RemoteID == u.ID || providers.Fold(a.Login) == providers.Fold(u.Login)
	}), nil
}

// Greet forgets the list of users, as somebody new is on it.
func (t *Target) Greet(string) {
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	t.roster.listed = time.Time{}
}
