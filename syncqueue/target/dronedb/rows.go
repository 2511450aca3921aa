package dronedb

import (
	"context"
	"database/sql"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// account is one of Drone's users.
type account struct {
	id int64
	target.Account
}

// row is what matters here of a repository in Drone.
type row struct {
	uid, slug  string
	private    bool
	visibility string
	listed     bool // false for a permission whose repository has no row
}

// A querier reads, in a transaction or without one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// accounts lists Drone's users, or those of one login, whatever its case.
func (d *database) accounts(ctx context.Context, login string) ([]account, error) {
	query, where := "SELECT user_id, user_login, user_active, user_machine, user_admin FROM users", []any(nil)
	if login != "" {
		query, where = query+" WHERE lower(user_login) = ?", []any{providers.Fold(login)}
	}
	rows, err := d.QueryContext(ctx, d.bind(query+" ORDER BY user_id"), where...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []account
	for rows.Next() {
		var a account
		var name sql.NullString
		var active, machine, admin sql.NullBool
		if err := rows.Scan(&a.id, &name, &active, &machine, &admin); err != nil {
			return nil, err
		}
		a.Account = target.Account{Login: name.String, Active: active.Bool, Machine: machine.Bool, Admin: admin.Bool}
		out = append(out, a)
	}
	return out, rows.Err()
}

// account finds whom a login means: the exact one, else the only one.
func (d *database) account(ctx context.Context, login string) (account, error) {
	all, err := d.accounts(ctx, login)
	if err != nil {
		return account{}, d.failed(err)
	}
	var who account
	for _, a := range all {
		if a.Login == login || len(all) == 1 {
			who = a
		}
	}
	if who.id == 0 || who.Machine || !who.Active {
		return account{}, target.ErrNoAccount
	}
	return who, nil
}

// list is what Drone has of a user, by the forge's ids: what it shows him, and
// permissions whose repository has no row and so does not show (source:
// store/repos/repos.go, List).
func (d *database) list(ctx context.Context, user int64) (map[string]row, error) {
	out, err := d.rows(ctx, d.DB, `SELECT p.perm_repo_uid, r.repo_slug, r.repo_private, r.repo_visibility
		FROM perms p LEFT JOIN repos r ON r.repo_uid = p.perm_repo_uid WHERE p.perm_user_id = ?`, user)
	if err != nil {
		return nil, d.failed(err)
	}
	byUID := make(map[string]row, len(out))
	for _, r := range out {
		byUID[r.uid] = r
	}
	return byUID, nil
}

const selectRepos = "SELECT repo_uid, repo_slug, repo_private, repo_visibility FROM repos"

// find reads the repositories of any of these ids or names.
func (d *database) find(ctx context.Context, q querier, uids, slugs []string, lock bool) ([]row, error) {
	if len(uids)+len(slugs) == 0 {
		return nil, nil
	}
	query := selectRepos + " WHERE "
	switch {
	case len(slugs) == 0:
		query += "repo_uid IN (" + list(len(uids)) + ")"
	case len(uids) == 0:
		query += "repo_slug IN (" + list(len(slugs)) + ")"
	default:
		query += "repo_uid IN (" + list(len(uids)) + ") OR repo_slug IN (" + list(len(slugs)) + ")"
	}
	query += " ORDER BY repo_id"
	if lock {
		query += d.forUpdate()
	}
	return d.rows(ctx, q, query, args(uids, slugs)...)
}

func (d *database) rows(ctx context.Context, q querier, query string, args ...any) ([]row, error) {
	rows, err := q.QueryContext(ctx, d.bind(query), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var uid, slug, visibility sql.NullString
		var private sql.NullBool
		if err := rows.Scan(&uid, &slug, &private, &visibility); err != nil {
			return nil, err
		}
		out = append(out, row{uid.String, slug.String, private.Bool, visibility.String, slug.Valid})
	}
	return out, rows.Err()
}
