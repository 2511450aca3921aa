package dronedb

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// Conceal closes what Drone would show to strangers for ever: its own sync
// corrects the private flag of a row and leaves the visibility, by which it
// decides (source: store/batch2/batch.go; handler/api/acl/check.go). That a row
// says public although its flag says private tells nobody whether an operator
// wanted it so, and is closed as well.
func (t *Target) Conceal(ctx context.Context, r providers.Repo) (target.Concealed, error) {
	var out target.Concealed
	err := t.observed(func() (err error) {
		out, err = t.conceal(ctx, r)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("dronedb: concealing %s: %w", r.Path, err)
	}
	return out, nil
}

func (t *Target) conceal(ctx context.Context, r providers.Repo) (out target.Concealed, err error) {
	db, err := t.ready(ctx, false)
	if err != nil {
		return out, err
	}
	here, err := db.repository(ctx, r.ID)
	if err != nil {
		return out, err
	}
	if here == nil {
		return target.Concealed{Unknown: true}, nil
	}
	out.Closed = r.Visibility.Narrower(here.visible())
	flag := here.private || r.Visibility == providers.Private
	if out.Closed || flag != here.private {
		if err := db.close(ctx, r.ID, flag, t.cfg.Now().Unix()); err != nil {
			return target.Concealed{}, err
		}
		if here, err = db.repository(ctx, r.ID); err != nil || here == nil {
			return out, err // gone since: nobody sees it
		}
	}
	if r.Visibility.Narrower(here.visible()) {
		return out, errors.New("its row says again that strangers may see it")
	}
	if t.cfg.Stranger == nil {
		out.Unproven = "url of the target is not set"
		return out, nil
	}
	r.Path = here.slug
	sees, err := t.cfg.Stranger(ctx, r)
	if err == nil && sees {
		err = errors.New("strangers still see it: is url of the target the Drone of this database?")
	}
	return out, err
}

// Exposed lists what Drone shows to everybody, and what it calls internal, which
// shows to those who signed in.
func (t *Target) Exposed(ctx context.Context) ([]providers.Repo, error) {
	var out []providers.Repo
	err := t.observed(func() error {
		db, err := t.ready(ctx, false)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		rows, err := db.rows(ctx, db.DB, selectRepos+" WHERE repo_visibility IN (?, ?) ORDER BY repo_id", string(providers.Public), string(providers.Internal))
		for _, x := range rows {
			out = append(out, providers.Repo{ID: x.uid, Path: x.slug, Visibility: x.visible()})
		}
		return db.failed(err)
	})
	if err != nil {
		return nil, fmt.Errorf("dronedb: listing what strangers see: %w", err)
	}
	return out, nil
}

// visible is to whom Drone shows a repository that he has no permission for.
func (r row) visible() providers.Visibility { return providers.Visibility(r.visibility) }

// repository reads one row, nil if there is none.
func (d *database) repository(ctx context.Context, uid string) (*row, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	rows, err := d.find(ctx, d.DB, []string{uid}, nil, false)
	if err != nil || len(rows) == 0 {
		return nil, d.failed(err)
	}
	return &rows[0], nil
}

// close makes a repository show to nobody without a permission.
func (d *database) close(ctx context.Context, uid string, private bool, now int64) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	_, err := d.ExecContext(ctx, d.bind("UPDATE repos SET repo_private = ?, repo_visibility = 'private', repo_updated = ? WHERE repo_uid = ?"), private, now, uid)
	return d.failed(err)
}
