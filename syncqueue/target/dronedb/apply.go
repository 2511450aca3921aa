package dronedb

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
)

// A change is what one transaction writes for one user.
type change struct {
	user    int64
	grant   []string          // ids
	records map[string]record // rows to write or move first, by id
	take    []string          // ids
}

func (c change) empty() bool { return len(c.grant)+len(c.records)+len(c.take) == 0 }

// errRaced means that rows changed since they were looked at.
var errRaced = errors.New("rows of Drone changed meanwhile")

// tries is how often a transaction is begun that loses against another one.
const tries = 4

// many is how many rows one statement names: somebody who leaves loses
// thousands at once.
const many = 500

// apply carries out a change in one transaction, or nothing of it.
func (t *Target) apply(ctx context.Context, db *database, c change) error {
	if c.empty() {
		return nil
	}
	for try := 1; ; try++ {
		err := t.transact(ctx, db, c)
		if err == nil || !raced(err) || errors.Is(err, errRaced) || try == tries {
			if errors.Is(err, errRaced) {
				return err // the caller looks again
			}
			return db.failed(err)
		}
	}
}

func (t *Target) transact(ctx context.Context, db *database, c change) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	w := writer{ctx: ctx, db: db, tx: tx, now: t.cfg.Now().Unix()}
	// The same first step as Drone's batch, in the same order: two syncs of one
	// user wait for each other here.
	w.exec("UPDATE perms SET perm_updated = ?, perm_synced = 0 WHERE perm_user_id = ?", w.now, c.user)
	if len(c.records) > 0 {
		w.repositories(c)
	}
	for _, id := range c.grant {
		w.exec(`INSERT INTO perms (perm_user_id, perm_repo_uid, perm_read, perm_write, perm_admin, perm_synced, perm_created, perm_updated)
			VALUES (?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING`, c.user, id, true, false, false, w.now, w.now)
	}
	for ids := range slices.Chunk(c.take, many) {
		w.exec("DELETE FROM perms WHERE perm_user_id = ? AND perm_repo_uid IN ("+list(len(ids))+")", append([]any{c.user}, args(ids)...)...)
	}
	if w.err != nil {
		return w.err
	}
	return tx.Commit()
}

// A writer executes until something fails.
type writer struct {
	ctx context.Context
	db  *database
	tx  *sql.Tx
	now int64
	err error
}

func (w *writer) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.tx.ExecContext(w.ctx, w.db.bind(query), args...)
	}
}

// repositories gives rows their names and makes those that lack. Names may go
// round in a circle, so whoever holds one that another gets leaves it first.
func (w *writer) repositories(c change) {
	taken := map[string]string{} // name -> id that gets it
	for id, rec := range c.records {
		taken[rec.slug] = id
	}
	rows, err := w.db.find(w.ctx, w.tx, slices.Sorted(maps.Keys(c.records)), slices.Sorted(maps.Keys(taken)), true)
	if err != nil {
		w.err = err
		return
	}
	exists := map[string]row{}
	for _, r := range rows {
		exists[r.uid] = r
		if _, expected := c.records[r.uid]; !expected {
			w.err = errRaced // somebody else took one of the names
			return
		}
	}
	for _, r := range rows {
		if id, lost := taken[r.slug]; lost && id != r.uid {
			w.exec("UPDATE repos SET repo_slug = ? WHERE repo_uid = ?", mark+"moving-"+r.uid, r.uid)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.records)) {
		rec := c.records[id]
		r, ok := exists[id]
		switch {
		case ok && r.slug == rec.slug:
		case ok:
			w.move(r, rec)
		case slices.Contains(c.grant, id):
			w.insert(rec)
		}
	}
}

// move is what Drone's sync updates of a renamed repository. One that turned
// private stops being public here too, unlike there.
func (w *writer) move(r row, rec record) {
	if rec.aside {
		w.exec("UPDATE repos SET repo_name = ?, repo_slug = ?, repo_updated = ? WHERE repo_uid = ?", rec.name, rec.slug, w.now, rec.uid)
		return
	}
	visibility := r.visibility
	if !r.private && rec.private {
		visibility = rec.visibility
	}
	w.exec(`UPDATE repos SET repo_namespace = ?, repo_name = ?, repo_slug = ?, repo_clone_url = ?, repo_ssh_url = ?, repo_html_url = ?,
		repo_private = ?, repo_visibility = ?, repo_branch = ?, repo_updated = ? WHERE repo_uid = ?`,
		rec.namespace, rec.name, rec.slug, rec.clone, rec.ssh, rec.link, rec.private, visibility, rec.branch, w.now, rec.uid)
}

// insert is what Drone's first sync of a repository writes; columns that are not
// named have defaults, which are what it writes.
func (w *writer) insert(rec record) {
	w.exec(`INSERT INTO repos (repo_uid, repo_user_id, repo_namespace, repo_name, repo_slug, repo_scm, repo_clone_url, repo_ssh_url, repo_html_url,
		repo_active, repo_private, repo_visibility, repo_branch, repo_counter, repo_config, repo_timeout, repo_trusted, repo_protected,
		repo_synced, repo_created, repo_updated, repo_version, repo_signer, repo_secret)
		VALUES (?, 0, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, 0, '', 0, ?, ?, ?, ?, ?, 1, '', '') ON CONFLICT DO NOTHING`,
		rec.uid, rec.namespace, rec.name, rec.slug, rec.clone, rec.ssh, rec.link,
		false, rec.private, rec.visibility, rec.branch, false, false, w.now, w.now, w.now)
}
