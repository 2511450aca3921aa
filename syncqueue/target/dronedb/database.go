package dronedb

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// A database is Drone's, with what differs from one kind to the other.
type database struct {
	*sql.DB
	name     string
	postgres bool
	secrets  []string // what no error may tell
}

// open reads an address. Nothing is connected to.
func open(address string) (*database, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case address == "":
		return nil, errors.New("the address of Drone's database is missing")
	case !ok:
		return openSQLite(address, address)
	}
	switch scheme {
	case "postgres", "postgresql":
		return openPostgres(address)
	case "sqlite", "sqlite3":
		return openSQLite(address, rest)
	case "mysql", "mariadb":
		return nil, errors.New("MySQL is not served yet: use mode api, or Drone on PostgreSQL or SQLite")
	}
	return nil, errors.New("the address of Drone's database must be postgres://user:password@host/name, sqlite:///path or a path")
}

func openPostgres(address string) (*database, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil { // the error repeats the address
		return nil, errors.New("the address of the PostgreSQL database cannot be read: write postgres://user:password@host/name")
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "hookd"
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(8)
	return &database{DB: db, name: "PostgreSQL", postgres: true, secrets: secrets(address, cfg.Password)}, nil
}

// openSQLite opens a file that is there already, never creates one. Writers
// begin by taking the lock, for which Drone and hookd wait for each other.
func openSQLite(address, path string) (*database, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.ContainsAny(path, "\x00") {
		return nil, errors.New("the SQLite database needs the path of Drone's file: sqlite:///data/database.sqlite")
	}
	path, _, _ = strings.Cut(path, "?")
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "mode=rw&_txlock=immediate&_pragma=busy_timeout(10000)"}).String())
	if err != nil {
		return nil, errors.New("the SQLite database cannot be opened")
	}
	db.SetMaxOpenConns(1) // writers of one process would only wait for each other
	return &database{DB: db, name: "SQLite", secrets: secrets(address)}, nil
}

// secrets are texts of an address that are worth hiding.
func secrets(texts ...string) []string {
	var out []string
	for _, s := range texts {
		if len(s) > 3 {
			out = append(out, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	return out
}

// bind writes the placeholders of a statement as the database reads them.
func (d *database) bind(query string) string {
	if !d.postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// forUpdate locks the rows of a SELECT to the transaction's end. SQLite has one
// lock for all, taken when the transaction begins.
func (d *database) forUpdate() string {
	if d.postgres {
		return " FOR UPDATE"
	}
	return ""
}

// A databaseError is what the database said, without its address.
type databaseError struct {
	text string
	err  error
}

func (e *databaseError) Error() string { return e.text }

func (e *databaseError) Unwrap() error { return e.err }

// failed hides what an error tells of the address. Refusals that this package
// worded itself stay as they are.
func (d *database) failed(err error) error {
	if own := new(schemaError); err == nil || errors.As(err, &own) {
		return err
	}
	shown := err
	if c := new(pgconn.ConnectError); errors.As(err, &c) && c.Unwrap() != nil {
		shown = c.Unwrap() // its own words name the user and the database
	}
	text := shown.Error()
	for _, s := range d.secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return &databaseError{fmt.Sprintf("Drone's database (%s): %s", d.name, text), err}
}

// raced reports whether a transaction lost against another one and may be begun
// again.
func raced(err error) bool {
	if errors.Is(err, errRaced) {
		return true
	}
	if e := new(pgconn.PgError); errors.As(err, &e) {
		switch e.Code {
		case "40001", "40P01", "23505": // serialization, deadlock, unique
			return true
		}
	}
	const busy = 5
	e := new(sqlite.Error)
	return errors.As(err, &e) && e.Code()&0xff == busy
}

// list writes n placeholders.
func list(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// args is a list of texts as arguments.
func args(lists ...[]string) []any {
	var out []any
	for _, l := range lists {
		for _, s := range l {
			out = append(out, s)
		}
	}
	return out
}
