package drone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// hookPath is where Drone takes deliveries (source: service/hook/hook.go).
const hookPath = "/hook"

// repository is what matters of a repository by its name.
type repository struct {
	UID        string               `json:"uid"`
	Owner      int64                `json:"user_id"` // Drone's own id of him as whom it builds
	Active     bool                 `json:"active"`
	Visibility providers.Visibility `json:"visibility"`
	Protected  bool                 `json:"protected"`
	Trusted    bool                 `json:"trusted"`
	Timeout    int64                `json:"timeout"` // minutes
	Config     string               `json:"config_path"`
	Perms      *struct {
		Admin bool `json:"admin"`
	} `json:"permissions"`
}

// errCannot is why one user cannot activate a repository. Another may.
type errCannot struct{ why string }

func (e errCannot) Error() string { return e.why }

// Activate does what Drone's Activate button does: as a user who administers
// the repository at the forge, since Drone makes its webhook there with his
// session, and goes on to clone and read with it. Settings come first, so that
// no build runs without them. Only one call at a time acts for a login, and none
// while he is being synchronized: his session may be renewed by either.
func (t *Target) Activate(ctx context.Context, r providers.Repo, as []string, set target.Settings) (target.Activation, error) {
	out, err := t.activate(ctx, r, as, set)
	if err != nil {
		return target.Activation{}, fmt.Errorf("drone: activating %s: %w", r.Path, err)
	}
	return out, nil
}

func (t *Target) activate(ctx context.Context, r providers.Repo, as []string, set target.Settings) (target.Activation, error) {
	if nested(r.Path) || strings.Count(r.Path, "/") != 1 {
		return target.Activation{}, &target.UnableError{Reasons: []string{"Drone knows no repository in a subgroup"}}
	}
	if t.cfg.AdminToken != "" {
		switch now, err := t.repository(ctx, r, t.admin()); {
		case err == nil && now.Active:
			return target.Activation{Already: true, Hook: hookPath}, nil
		case err != nil && !errors.Is(err, target.ErrNotListed):
			return target.Activation{}, fmt.Errorf("as administrator: %w", err)
		}
	}
	unlisted := false
	var reasons []string
	for _, login := range as {
		out, err := t.activateAs(ctx, r, login, set)
		var cannot errCannot
		switch {
		case err == nil:
			return out, nil
		case errors.Is(err, target.ErrNotListed):
			unlisted = true
		case errors.As(err, &cannot), errors.Is(err, target.ErrNoCredential), errors.Is(err, target.ErrRejected),
			errors.Is(err, target.ErrMustLogIn), errors.Is(err, target.ErrNoAccount):
		default:
			return target.Activation{}, fmt.Errorf("as %s: %w", login, err)
		}
		reasons = append(reasons, login+": "+err.Error())
	}
	if unlisted {
		return target.Activation{}, fmt.Errorf("%w (%s)", target.ErrNotListed, strings.Join(reasons, "; "))
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
	a, who, err := t.administrator(ctx, login)
	if err != nil {
		return target.Activation{}, err
	}
	now, err := t.repository(ctx, r, a.as)
	switch {
	case err != nil:
		return target.Activation{}, t.userError(ctx, a, err)
	case now.Active:
		return target.Activation{Already: true, Hook: hookPath}, nil
	case !who.Admin && (now.Perms == nil || !now.Perms.Admin):
		return target.Activation{}, errCannot{"does not administer it at the forge"}
	}
	// The request that changes something does not end with ctx: nobody would
	// know how far it came.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.cfg.SyncTimeout)
	defer cancel()
	if err := t.configure(detached, r, a, who, set); err != nil {
		return target.Activation{}, err
	}
	if err := t.client.do(detached, http.MethodPost, repositoryPath(r), a.as, nil, func(d *json.Decoder) error { return d.Decode(&now) }); err != nil {
		return target.Activation{}, t.refusal(detached, a, err)
	}
	now, err = t.repository(detached, r, a.as)
	switch {
	case err != nil:
		return target.Activation{}, fmt.Errorf("reading back: %w", t.userError(detached, a, err))
	case !now.Active:
		return target.Activation{}, errors.New("the CI server took it, but does not show it as active")
	}
	out := target.Activation{As: who.Login, Hook: hookPath}
	if off := now.differs(set); off != "" {
		out.Note = "it was changed meanwhile: " + off
	}
	return out, nil
}

// administrator makes login ready to act: his own credential, or that of the
// administrator if that is who he is.
func (t *Target) administrator(ctx context.Context, login string) (*actor, account, error) {
	a := t.act(login)
	var who account
	if t.cfg.AdminToken != "" {
		var err error
		who, err = t.account(ctx, userPath(login), t.admin())
		switch {
		case noSuchUser(err), err == nil && providers.Fold(who.Login) != providers.Fold(login):
			return nil, who, target.ErrNoAccount
		case err != nil:
			return nil, who, fmt.Errorf("as administrator: %w", err)
		}
		t.meet(a, who)
		if a.missing != nil && who.Admin {
			if self, err := t.account(ctx, "/api/user", t.admin()); err == nil && self.ID == who.ID {
				a.as, a.missing = configured{bearer(t.cfg.AdminToken)}, nil
			}
		}
	}
	if a.missing != nil {
		return nil, account{}, a.missing
	}
	if _, err := t.await(ctx, a); err != nil {
		return nil, account{}, err
	}
	if who.Login == "" {
		var err error
		if who, err = t.whoami(ctx, a); err != nil {
			return nil, who, err
		}
	}
	if who.Machine {
		return nil, who, errCannot{"is a machine, and has no session with the forge"}
	}
	return a, who, nil
}

// configured is the administrator's own token: nobody keeps what there is to
// find out about it.
type configured struct{ bearer }

func (configured) accept() {}
func (configured) reject() {}
func (configured) doubt()  {}

// configure sets what is to be set. Drone lets only its own administrators say
// that a repository is trusted or how long builds may take, and leaves that as
// it was without a word to all others (source: handler/api/repos/update.go).
func (t *Target) configure(ctx context.Context, r providers.Repo, a *actor, who account, set target.Settings) error {
	own, admins := settings(set)
	if who.Admin {
		own.Trusted, own.Timeout, admins = admins.Trusted, admins.Timeout, patch{}
	}
	if own != (patch{}) {
		now, err := t.patch(ctx, r, a.as, own)
		if err != nil {
			return t.refusal(ctx, a, err)
		}
		if off := now.misses(own); off != "" {
			return fmt.Errorf("the CI server did not take its settings: %s", off)
		}
	}
	if admins != (patch{}) {
		if t.cfg.AdminToken == "" {
			return errCannot{"only an administrator of the CI server may set whether it is trusted and how long builds may take"}
		}
		now, err := t.patch(ctx, r, t.admin(), admins)
		if err != nil {
			return fmt.Errorf("as administrator: %w", err)
		}
		if off := now.misses(admins); off != "" {
			return fmt.Errorf("the CI server did not take its settings: %s", off)
		}
	}
	return nil
}

func repositoryPath(r providers.Repo) string {
	owner, name, _ := strings.Cut(r.Path, "/")
	return "/api/repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
}

// repository asks for r as somebody, without a call to the forge unless his
// permission is an hour old. Drone answers 404 to everything that goes wrong
// with that too, so what it means is that it has to be asked again.
func (t *Target) repository(ctx context.Context, r providers.Repo, as credential) (repository, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var now repository
	err := t.client.do(ctx, http.MethodGet, repositoryPath(r), as, nil, func(d *json.Decoder) error { return d.Decode(&now) })
	var p *transport.Problem
	switch {
	case errors.As(err, &p) && p.Own && p.Status == http.StatusNotFound:
		return now, target.ErrNotListed
	case err != nil:
		return now, err
	case now.UID != r.ID:
		return now, fmt.Errorf("%w: it has another one of this name", target.ErrNotListed)
	}
	return now, nil
}

func (t *Target) patch(ctx context.Context, r providers.Repo, as credential, in patch) (repository, error) {
	var now repository
	err := t.client.do(ctx, http.MethodPatch, repositoryPath(r), as, in, func(d *json.Decoder) error { return d.Decode(&now) })
	return now, err
}

// refusal gives the failure of what only a repository's administrator may do
// its meaning. What the forge answered to Drone comes as the bare text of its
// status (source: go-scm, scm/driver; handler/api/render).
func (t *Target) refusal(ctx context.Context, a *actor, err error) error {
	var p *transport.Problem
	if !errors.As(err, &p) || !p.Own {
		return err
	}
	switch p.Status {
	case http.StatusNotFound:
		return errCannot{"does not administer it"}
	case http.StatusForbidden:
		return errCannot{"has no active account in the CI server"}
	case http.StatusPaymentRequired:
		return errCannot{"the CI server's licence allows no more repositories: " + p.Message}
	case http.StatusInternalServerError:
		switch strings.ToLower(strings.TrimSpace(p.Said)) {
		case "not found", "forbidden":
			return errCannot{"may not make a webhook there: the forge says " + p.Message}
		}
	}
	return t.userError(ctx, a, err)
}

// nobody is a source without a credential.
type nobody struct{}

func (nobody) Credential(string) target.Credential { return target.CredentialMissing }
func (nobody) meet(account) error                  { return nil }

func (nobody) find(string) (personal, error) {
	return nil, fmt.Errorf("%w: only the administrator acts here", target.ErrNoCredential)
}

func (nobody) Watch(ctx context.Context, _ func(login string)) error {
	<-ctx.Done()
	return ctx.Err()
}
