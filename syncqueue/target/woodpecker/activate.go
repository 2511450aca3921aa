package woodpecker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// hookPath is where Woodpecker takes deliveries [server/api/repo.go].
const hookPath = "/api/hook"

// errCannot is why one user cannot activate a repository. Another may.
type errCannot struct{ why string }

func (e errCannot) Error() string { return e.why }

// stored is what Woodpecker tells of one repository [server/model/repo.go].
type stored struct {
	row
	Approval string  `json:"require_approval"`
	Timeout  int64   `json:"timeout"` // minutes
	Config   string  `json:"config_file"`
	Trusted  trusted `json:"trusted"`
}

type trusted struct {
	Network  bool `json:"network"`
	Volumes  bool `json:"volumes"`
	Security bool `json:"security"`
}

// patch is what is to be set. What is nil is left [server/model/repo.go,
// RepoPatch].
type patch struct {
	Visibility *providers.Visibility `json:"visibility,omitempty"`
	Approval   *string               `json:"require_approval,omitempty"`
	Timeout    *int64                `json:"timeout,omitempty"`
	Config     *string               `json:"config_file,omitempty"`
	Trusted    *trusted              `json:"trusted,omitempty"` // administrators of Woodpecker only
}

// everyEvent has every build approved: what is called protected elsewhere.
const everyEvent = "all_events"

// Activate adds a repository as a user who administers it at the forge: there
// Woodpecker makes its webhook with his session. A repository has no settings
// before it is added, so they follow at once, and what is active already is
// left as it is. Only one call at a time acts for a login.
func (t *Target) Activate(ctx context.Context, r providers.Repo, as []string, set target.Settings) (target.Activation, error) {
	out, err := t.activate(ctx, r, as, set)
	if err != nil {
		return target.Activation{}, fmt.Errorf("woodpecker: activating %s: %w", r.Path, err)
	}
	return out, nil
}

func (t *Target) activate(ctx context.Context, r providers.Repo, as []string, set target.Settings) (target.Activation, error) {
	var reasons []string
	for _, login := range as {
		out, err := t.activateAs(ctx, r, login, set)
		var cannot errCannot
		switch {
		case err == nil:
			return out, nil
		case errors.As(err, &cannot), errors.Is(err, target.ErrNoCredential), errors.Is(err, target.ErrRejected),
			errors.Is(err, target.ErrMustLogIn), errors.Is(err, target.ErrNoAccount):
			reasons = append(reasons, login+": "+err.Error())
		default:
			return target.Activation{}, fmt.Errorf("as %s: %w", login, err)
		}
	}
	return target.Activation{}, &target.UnableError{Reasons: reasons}
}

func (t *Target) activateAs(ctx context.Context, r providers.Repo, login string, set target.Settings) (target.Activation, error) {
	if !transport.Segment(login) {
		return target.Activation{}, fmt.Errorf("%w: it is no login", target.ErrNoAccount)
	}
	done, err := t.turns.Take(ctx, providers.Fold(login))
	if err != nil {
		return target.Activation{}, err
	}
	defer done()
	a := t.act(providers.User{Login: login})
	if a.missing != nil {
		return target.Activation{}, a.missing
	}
	who, err := t.whoami(ctx, a)
	if err != nil {
		return target.Activation{}, err
	}
	if set.Trusted != nil && !who.Admin && t.cfg.AdminToken == "" {
		return target.Activation{}, errCannot{"only an administrator of the CI server may set that it is trusted"}
	}
	// The requests that change something do not end with ctx: nobody would know
	// how far they came.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.SyncTimeout)
	defer cancel()
	var now stored
	err = t.client.Do(detached, http.MethodPost, "/api/repos?forge_remote_id="+url.QueryEscape(r.ID), a.as(), nil, decode(&now))
	var p *transport.Problem
	switch {
	case errors.As(err, &p) && p.Own && p.Status == http.StatusConflict && strings.Contains(p.Said, "already active"):
		return target.Activation{Already: true, Hook: hookPath}, nil
	case err != nil:
		return target.Activation{}, t.refusal(detached, a, err)
	case now.ID == 0 || now.RemoteID != r.ID:
		return target.Activation{}, errors.New("the CI server answered with another repository")
	}
	out := target.Activation{As: who.Login, Hook: hookPath}
	if err := t.configure(detached, now.ID, a, who, set); err != nil {
		// It is active: another try would find that somebody did so before.
		out.Note = "but its settings could not be made: " + err.Error()
		return out, nil
	}
	if err := t.get(detached, "/api/repos/"+strconv.FormatInt(now.ID, 10), a.as(), &now); err != nil {
		return target.Activation{}, fmt.Errorf("reading back: %w", t.userError(detached, a, err))
	}
	switch off := now.misses(settings(set)); {
	case !now.Active:
		return target.Activation{}, errors.New("the CI server took it, but does not show it as active")
	case off != "":
		out.Note = "the CI server shows other settings: " + off
	}
	return out, nil
}

// configure sets what is to be set: as the administrator what only he may, and
// as the user the rest.
func (t *Target) configure(ctx context.Context, id int64, a actor, who account, set target.Settings) error {
	own, path := settings(set), "/api/repos/"+strconv.FormatInt(id, 10)
	if own.Trusted != nil && !who.Admin {
		admins := patch{Trusted: own.Trusted}
		own.Trusted = nil
		if err := t.client.Do(ctx, http.MethodPatch, path, t.admin(), admins, decode(new(stored))); err != nil {
			return fmt.Errorf("as administrator: %w", err)
		}
	}
	if own == (patch{}) {
		return nil
	}
	return t.client.Do(ctx, http.MethodPatch, path, a.as(), own, decode(new(stored)))
}

func settings(set target.Settings) (p patch) {
	if set.Visibility != "" {
		p.Visibility = &set.Visibility
	}
	if set.Config != "" {
		p.Config = &set.Config
	}
	if set.Protected != nil && *set.Protected {
		approval := everyEvent
		p.Approval = &approval
	}
	if set.Trusted != nil {
		p.Trusted = &trusted{*set.Trusted, *set.Trusted, *set.Trusted}
	}
	if minutes := int64(set.Timeout.Minutes()); minutes > 0 {
		p.Timeout = &minutes
	}
	return p
}

// misses names what of a patch does not show.
func (s stored) misses(p patch) string {
	var off []string
	add := func(name string, is, want any) { off = append(off, fmt.Sprintf("%s is %v, not %v", name, is, want)) }
	if p.Visibility != nil && string(*p.Visibility) != s.Visibility {
		add("visibility", s.Visibility, *p.Visibility)
	}
	if p.Config != nil && *p.Config != s.Config {
		add("config", s.Config, *p.Config)
	}
	if p.Approval != nil && *p.Approval != s.Approval {
		add("approval", s.Approval, *p.Approval)
	}
	if p.Trusted != nil && *p.Trusted != s.Trusted {
		add("trusted", s.Trusted, *p.Trusted)
	}
	if p.Timeout != nil && *p.Timeout != s.Timeout {
		add("timeout", s.Timeout, *p.Timeout)
	}
	return strings.Join(off, ", ")
}

// refusal gives the failure of adding a repository its meaning
// [server/api/repo.go, PostRepo].
func (t *Target) refusal(ctx context.Context, a actor, err error) error {
	var p *transport.Problem
	if !errors.As(err, &p) || !p.Own {
		return err
	}
	switch p.Status {
	case http.StatusForbidden:
		return errCannot{"does not administer it at the forge"}
	case http.StatusConflict:
		return errCannot{"Woodpecker keeps another repository of this name: " + p.Message}
	}
	return t.userError(ctx, a, err)
}
