package dronedb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A schemaError refuses a database that this package was not made for.
type schemaError struct{ text string }

func (e *schemaError) Error() string { return e.text }

func unknown(format string, args ...any) error {
	return &schemaError{"this is not the database of a Drone 2.x that hookd knows, so nothing is written: " + fmt.Sprintf(format, args...)}
}

// kind is what a column has to hold.
type kind string

const (
	text    kind = "text"
	integer kind = "integer"
	boolean kind = "boolean"
)

// needed are the columns that are read or written (source:
// store/shared/migrate of harness/drone, at 2.28). repos has six more, each
// with a default, which a first sync leaves at that.
var needed = map[string]map[string]kind{
	"migrations": {"name": text},
	"users":      {"user_id": integer, "user_login": text, "user_active": boolean, "user_machine": boolean, "user_admin": boolean},
	"repos": {
		"repo_id": integer, "repo_uid": text, "repo_user_id": integer, "repo_namespace": text, "repo_name": text, "repo_slug": text,
		"repo_scm": text, "repo_clone_url": text, "repo_ssh_url": text, "repo_html_url": text, "repo_active": boolean,
		"repo_private": boolean, "repo_visibility": text, "repo_branch": text, "repo_counter": integer, "repo_config": text,
		"repo_timeout": integer, "repo_trusted": boolean, "repo_protected": boolean, "repo_synced": integer,
		"repo_created": integer, "repo_updated": integer, "repo_version": integer, "repo_signer": text, "repo_secret": text,
	},
	"perms": {
		"perm_user_id": integer, "perm_repo_uid": text, "perm_read": boolean, "perm_write": boolean, "perm_admin": boolean,
		"perm_synced": integer, "perm_created": integer, "perm_updated": integer,
	},
}

// unique are the keys that insert-or-ignore counts on.
var unique = map[string][]string{
	"repos": {"repo_uid", "repo_slug"},
	"perms": {"perm_repo_uid,perm_user_id"},
}

// A column is one of a table as the database describes it.
type column struct {
	name, typ string
	required  bool // no NULL, and no default
}

// check refuses a schema in which something needed lacks, or in which a row
// would need more than is known.
func (d *database) check(ctx context.Context) error {
	for _, table := range []string{"migrations", "users", "repos", "perms"} {
		columns, err := d.columns(ctx, table)
		if err != nil {
			return err
		}
		if len(columns) == 0 {
			return unknown("there is no table %s", table)
		}
		found := map[string]bool{}
		for _, c := range columns {
			found[c.name] = true
			want, known := needed[table][c.name]
			switch {
			case known && !want.holds(c.typ):
				return unknown("column %s.%s is %s and not %s", table, c.name, c.typ, want)
			case !known && c.required && unique[table] != nil:
				return unknown("column %s.%s needs a value, and there is no default", table, c.name)
			}
		}
		for name := range needed[table] {
			if !found[name] {
				return unknown("column %s.%s is missing", table, name)
			}
		}
		keys, err := d.keys(ctx, table)
		if err != nil {
			return err
		}
		for _, k := range unique[table] {
			if !slices.Contains(keys, k) {
				return unknown("%s is not unique in table %s", k, table)
			}
		}
	}
	return nil
}

// holds reports whether a column of a declared type can hold k. SQLite takes
// any name for a type; Drone calls them as PostgreSQL does.
func (k kind) holds(declared string) bool {
	t := strings.ToLower(declared)
	switch k {
	case text:
		return strings.Contains(t, "char") || strings.Contains(t, "text")
	case integer:
		return strings.Contains(t, "int") || strings.Contains(t, "serial")
	case boolean:
		return strings.Contains(t, "bool")
	}
	return false
}

func (d *database) columns(ctx context.Context, table string) ([]column, error) {
	query := `SELECT name, type, "notnull" = 1 AND dflt_value IS NULL AND pk = 0 FROM pragma_table_info(?)`
	if d.postgres {
		query = `SELECT column_name::text, data_type::text,
			is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?`
	}
	rows, err := d.QueryContext(ctx, d.bind(query), table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.typ, &c.required); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// keys are the columns of each unique index of a table, sorted and joined by
// commas. An index over some of the rows only is none.
func (d *database) keys(ctx context.Context, table string) ([]string, error) {
	query := `SELECT group_concat(c.name, ',') FROM pragma_index_list(?) i, pragma_index_info(i.name) c
		WHERE i."unique" = 1 AND i.partial = 0 GROUP BY i.name`
	if d.postgres {
		query = `SELECT string_agg(a.attname::text, ',') FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
			JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = current_schema()
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
			WHERE t.relname = ? AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
			GROUP BY i.indexrelid`
	}
	rows, err := d.QueryContext(ctx, d.bind(query), table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		names := strings.Split(k, ",")
		slices.Sort(names)
		out = append(out, strings.Join(names, ","))
	}
	return out, rows.Err()
}

// migrations counts what the schema went through.
func (d *database) migrations(ctx context.Context) (n int, err error) {
	err = d.QueryRowContext(ctx, "SELECT count(*) FROM migrations").Scan(&n)
	return n, err
}
