package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
)

// owned is what matters of a repository that somebody may own.
type owned struct {
	UID   string `json:"uid"`
	Slug  string `json:"slug"`
	Owner int64  `json:"user_id"` // Drone's own id of him
}

// ownership tells whose the repositories are that Drone lists for a user, by
// name.
func (t *Target) ownership(ctx context.Context, login string) (map[string]owned, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var list []owned
	err := t.client.do(ctx, http.MethodGet, userPath(login)+"/repos", t.admin(), nil, func(d *json.Decoder) error { return d.Decode(&list) })
	if err == nil && list == nil {
		err = errors.New("the answer is no list")
	}
	if err != nil {
		return nil, fmt.Errorf("as administrator: %w", err)
	}
	out := make(map[string]owned, len(list))
	for _, r := range list {
		out[r.Slug] = r
	}
	return out, nil
}

// handOver waits until none of what was the user's, by path, is his any more,
// and returns whose it is. Drone tells nobody of what it could not hand over
// (source: service/transfer/transfer.go), but tries once more when it is told
// once more that he is inactive.
func (t *Target) handOver(ctx context.Context, login string, id int64, his map[string]string) (map[string]string, error) {
	if len(his) == 0 {
		return nil, nil
	}
	for again := false; ; again = true {
		now, kept, err := t.givesUp(ctx, login, id, his)
		switch {
		case err != nil:
			return nil, err
		case kept == "":
			return t.ownerNames(ctx, now)
		case again:
			t.cfg.Log.Warn("the CI server does not hand over a repository of somebody who left", "user", login, "repo", kept)
			return t.ownerNames(ctx, now)
		}
		if err := t.activity(ctx, login, false); err != nil {
			return nil, err
		}
	}
}

// givesUp waits a while, and returns the owners' ids by path. kept names
// something that is still the user's.
func (t *Target) givesUp(ctx context.Context, login string, id int64, his map[string]string) (now map[string]int64, kept string, err error) {
	for step := 0; ; step++ {
		listed, err := t.ownership(ctx, login)
		if err != nil {
			return nil, "", err
		}
		now, kept = make(map[string]int64, len(his)), ""
		for slug, uid := range his {
			r, ok := listed[slug]
			if !ok || r.UID != uid { // a sync took it, or it has another name
				if r, ok, err = t.unlisted(ctx, providers.Repo{ID: uid, Path: slug}); err != nil {
					return nil, "", err
				}
			} else if r.Owner == id {
				kept = slug
			}
			if ok {
				now[slug] = r.Owner
			}
		}
		if kept == "" || step == len(t.cfg.Wait) {
			return now, kept, nil
		}
		if err := pause(ctx, t.cfg.Wait[step]); err != nil {
			return nil, "", err
		}
	}
}

// unlisted looks at a repository that Drone does not list for him who owned it.
// ok is false if there is none of that name.
func (t *Target) unlisted(ctx context.Context, r providers.Repo) (out owned, ok bool, err error) {
	now, err := t.repository(ctx, r, t.admin())
	switch {
	case errors.Is(err, target.ErrNotListed):
		return out, false, nil
	case err != nil:
		return out, false, fmt.Errorf("as administrator: %w", err)
	}
	return owned{UID: now.UID, Slug: r.Path, Owner: now.Owner}, true, nil
}

func (t *Target) ownerNames(ctx context.Context, owners map[string]int64) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var all []account
	if err := t.client.do(ctx, http.MethodGet, "/api/users", t.admin(), nil, func(d *json.Decoder) error { return d.Decode(&all) }); err != nil {
		return nil, fmt.Errorf("as administrator: %w", err)
	}
	names := make(map[int64]string, len(all))
	for _, a := range all {
		names[a.ID] = a.Login
	}
	out := make(map[string]string, len(owners))
	for slug, id := range owners {
		out[slug] = names[id]
	}
	return out, nil
}
