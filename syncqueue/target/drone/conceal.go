package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// listSize is how many repositories one answer of the whole list has. Drone
// sets no bound (source: handler/api/repos/all.go).
const listSize = 2000

// Conceal closes what Drone would show to strangers for ever: it writes the
// visibility when it first meets a repository and never again (measured). An
// administrator's list tells under which name Drone has it.
func (t *Target) Conceal(ctx context.Context, r providers.Repo) (target.Concealed, error) {
	out, err := t.conceal(ctx, r)
	if err != nil {
		return out, fmt.Errorf("drone: concealing %s: %w", r.Path, err)
	}
	return out, nil
}

func (t *Target) conceal(ctx context.Context, r providers.Repo) (out target.Concealed, err error) {
	if t.cfg.AdminToken == "" {
		shown, err := t.strangersSee(ctx, r)
		if err == nil && shown {
			err = fmt.Errorf("strangers see it: %w", target.ErrNoAdministrator)
		}
		return out, err
	}
	here, err := t.find(ctx, func(l listed) bool { return l.UID == r.ID })
	switch {
	case err != nil:
		return out, fmt.Errorf("as administrator: %w", err)
	case len(here) == 0:
		out.Unknown = true
		return out, nil
	}
	r.Path = here[0].Slug
	if r.Visibility.Narrower(here[0].Visibility) {
		private := providers.Private
		if _, err := t.patch(ctx, r, t.admin(), patch{Visibility: &private}); err != nil {
			return out, fmt.Errorf("as administrator: %w", err)
		}
		out.Closed = true
	}
	shown, err := t.strangersSee(ctx, r)
	if err == nil && shown {
		err = errors.New("strangers still see it")
	}
	return out, err
}

// Exposed lists what Drone shows to everybody, and what it calls internal, which
// shows to those who signed in.
func (t *Target) Exposed(ctx context.Context) ([]providers.Repo, error) {
	if t.cfg.AdminToken == "" {
		return nil, fmt.Errorf("drone: listing what strangers see: %w", target.ErrNoAdministrator)
	}
	public, err := t.find(ctx, func(l listed) bool { return providers.Private.Narrower(l.Visibility) })
	if err != nil {
		return nil, fmt.Errorf("drone: listing what strangers see: as administrator: %w", err)
	}
	out := make([]providers.Repo, len(public))
	for i, l := range public {
		out[i] = providers.Repo{ID: l.UID, Path: l.Slug, Visibility: l.Visibility}
	}
	return out, nil
}

// listed is what matters of a repository in the list of all.
type listed struct {
	UID        string               `json:"uid"`
	Slug       string               `json:"slug"`
	Visibility providers.Visibility `json:"visibility"`
}

// find goes through all that Drone has, as its administrator.
func (t *Target) find(ctx context.Context, wanted func(listed) bool) ([]listed, error) {
	var out []listed
	seen := map[string]bool{}
	for page := 1; ; page++ {
		var all []listed
		path := fmt.Sprintf("/api/repos?page=%d&per_page=%d", page, listSize)
		ask, cancel := context.WithTimeout(ctx, lookTimeout)
		err := t.client.do(ask, http.MethodGet, path, t.admin(), nil, func(d *json.Decoder) error { return d.Decode(&all) })
		cancel()
		if err != nil {
			return nil, err
		}
		if all == nil {
			return nil, fmt.Errorf("GET %s: the answer is no list", path)
		}
		fresh := 0
		for _, l := range all {
			if l.UID == "" || l.Slug == "" {
				return nil, fmt.Errorf("GET %s: a repository without an id", path)
			}
			if seen[l.UID] {
				continue // it moved from an earlier page
			}
			fresh++
			if seen[l.UID] = true; wanted(l) {
				out = append(out, l)
			}
		}
		if len(all) < listSize || fresh == 0 {
			return out, nil
		}
	}
}

// strangersSee reads r without any credential. Drone answers 401 to a stranger
// who may not, and to everybody in its private mode.
func (t *Target) strangersSee(ctx context.Context, r providers.Repo) (bool, error) {
	now, err := t.repository(ctx, r, nil)
	var p *transport.Problem
	switch {
	case errors.As(err, &p) && p.Own && p.Status == http.StatusUnauthorized, errors.Is(err, target.ErrNotListed):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("as a stranger: %w", err)
	}
	return now.UID == r.ID, nil
}
