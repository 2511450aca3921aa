package targettest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// woodRefusal is an answer that Woodpecker gives instead of a repository; said is
// empty if it has no body.
type woodRefusal struct {
	status int
	said   string
}

func (e *woodRefusal) Error() string { return e.said }

func (e *woodRefusal) answer(w http.ResponseWriter) {
	if e.said == "" {
		w.WriteHeader(e.status)
		return
	}
	plain(w, e.status, e.said)
}

// permission is the user's on a repository, as Woodpecker finds it before every
// request about one: a row older than an hour, or none, is read from the forge
// and written; if the forge denies it or does not answer, what was there counts
// on. Administrators may everything, and what is public everybody may read
// (source: server/router/middleware/session/repo.go, SetPerm; measured).
func (p *Woodpecker) permission(ctx context.Context, u woodUser, r woodRepo) woodPerm {
	now := p.opt.Now()
	p.mu.Lock()
	perm := p.perms[woodKey{u.ID, r.ID}]
	p.mu.Unlock()
	if time.Unix(perm.Synced, 0).Add(time.Hour).Before(now) {
		if x, err := p.one(ctx, u, r.RemoteID); err == nil {
			p.mu.Lock()
			p.upsert(u.ID, r.ID, x.perm, now.Unix())
			perm = p.perms[woodKey{u.ID, r.ID}]
			p.mu.Unlock()
		}
	}
	if u.Admin {
		perm.Pull, perm.Push, perm.Admin = true, true, true
	}
	if r.Visibility == "public" || r.Visibility == "internal" {
		perm.Pull = true
	}
	return perm
}

// byID finds the repository of a request; an unknown one has no body.
func (p *Woodpecker) byID(w http.ResponseWriter, r *http.Request) (woodRepo, bool) {
	p.mu.Lock()
	x, ok := p.repos[number(r.PathValue("id"))]
	p.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
	}
	return x, ok
}

func (p *Woodpecker) permissions(w http.ResponseWriter, r *http.Request, u woodUser) {
	if x, ok := p.byID(w, r); ok {
		answer(w, http.StatusOK, p.permission(r.Context(), u, x))
	}
}

func (p *Woodpecker) getRepo(w http.ResponseWriter, r *http.Request, u woodUser) {
	if x, ok := p.byID(w, r); ok {
		p.show(w, r, u, x)
	}
}

func (p *Woodpecker) lookup(w http.ResponseWriter, r *http.Request, u woodUser) {
	p.mu.Lock()
	var found woodRepo
	for _, x := range p.repos {
		if strings.EqualFold(x.Path, r.PathValue("path")) {
			found = x
		}
	}
	p.mu.Unlock()
	if found.ID == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p.show(w, r, u, found)
}

// show tells a repository to whoever may read it; to others it is unknown.
func (p *Woodpecker) show(w http.ResponseWriter, r *http.Request, u woodUser, x woodRepo) {
	if !p.permission(r.Context(), u, x).Pull {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer(w, http.StatusOK, x)
}

// administered finds the repository of a request for who administers it.
func (p *Woodpecker) administered(w http.ResponseWriter, r *http.Request, u woodUser) (woodRepo, bool) {
	x, ok := p.byID(w, r)
	if !ok {
		return x, false
	}
	perm := p.permission(r.Context(), u, x)
	switch {
	case !perm.Pull:
		w.WriteHeader(http.StatusNotFound)
		return x, false
	case !perm.Admin:
		plain(w, http.StatusForbidden, "User not authorized")
		return x, false
	}
	return x, true
}

func (p *Woodpecker) addRepo(w http.ResponseWriter, r *http.Request, u woodUser) {
	x, refused := p.activate(r.Context(), u, r.FormValue("forge_remote_id"))
	if refused, ok := refused.(*woodRefusal); ok {
		refused.answer(w)
		return
	}
	answer(w, http.StatusOK, x)
}

// activate follows PostRepo of server/api/repo.go. A *woodRefusal is its only
// error. The forge's webhook is not made.
func (p *Woodpecker) activate(ctx context.Context, u woodUser, remoteID string) (woodRepo, error) {
	if remoteID == "" || remoteID == "0" {
		return woodRepo{}, &woodRefusal{http.StatusBadRequest, "No forge_remote_id provided"}
	}
	p.mu.Lock()
	old, known := p.findRepo(remoteID)
	p.mu.Unlock()
	if known && old.Active {
		return woodRepo{}, &woodRefusal{http.StatusConflict, "Repository is already active."}
	}
	from, err := p.one(ctx, u, remoteID)
	if err != nil {
		return woodRepo{}, &woodRefusal{http.StatusInternalServerError, "Could not fetch repository from forge."}
	}
	if !from.perm.Admin {
		return woodRepo{}, &woodRefusal{http.StatusForbidden, "User has to be a admin of this repository"}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	x := from
	x.ID, x.ForgeID, x.Active, x.Lost, x.by = old.ID, woodForge, true, false, u.ID
	x.Approval, x.AllowPull, x.Timeout, x.Visibility = "forks", true, 60, "public"
	if x.Private {
		x.Visibility = "private"
	}
	if known {
		x.Approval, x.AllowPull, x.Timeout, x.Visibility, x.Config, x.Trusted = old.Approval, old.AllowPull, old.Timeout, old.Visibility, old.Config, old.Trusted
	} else {
		for _, other := range p.repos { // names are unique
			if strings.EqualFold(other.Path, x.Path) {
				return woodRepo{}, &woodRefusal{http.StatusConflict, "Repository already exists in Woodpecker. Remove the stale repository entry and try again."}
			}
		}
		x.ID = p.id()
	}
	p.repos[x.ID] = x
	p.upsert(u.ID, x.ID, from.perm, p.opt.Now().Unix())
	return x, nil
}

// patchRepo changes settings. Only Woodpecker's administrators trust a
// repository, or give it more time than others (source: server/api/repo.go,
// PatchRepo).
func (p *Woodpecker) patchRepo(w http.ResponseWriter, r *http.Request, u woodUser) {
	x, ok := p.administered(w, r, u)
	if !ok {
		return
	}
	var in struct {
		Config     *string `json:"config_file"`
		Approval   *string `json:"require_approval"`
		Timeout    *int64  `json:"timeout"`
		Visibility *string `json:"visibility"`
		Trusted    *struct {
			Network, Volumes, Security *bool
		} `json:"trusted"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	const maxTimeout = 120 // WOODPECKER_MAX_PIPELINE_TIMEOUT
	if in.Timeout != nil && *in.Timeout > maxTimeout && !u.Admin {
		plain(w, http.StatusForbidden, "Timeout is not allowed to be higher than max timeout (120 min)")
		return
	}
	if t := in.Trusted; t != nil {
		next := x.Trusted
		for _, f := range []struct {
			to   *bool
			from *bool
		}{{&next.Network, t.Network}, {&next.Volumes, t.Volumes}, {&next.Security, t.Security}} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		if next != x.Trusted && !u.Admin {
			plain(w, http.StatusForbidden, "Insufficient privileges")
			return
		}
		x.Trusted = next
	}
	if in.Approval != nil {
		switch *in.Approval {
		case "none", "forks", "pull_requests", "all_events":
			x.Approval = *in.Approval
		default:
			plain(w, http.StatusBadRequest, "Invalid require-approval setting")
			return
		}
	}
	if in.Timeout != nil {
		if x.Timeout = *in.Timeout; x.Timeout < 1 {
			plain(w, http.StatusBadRequest, "Timeout must be at least 1 minute")
			return
		}
	}
	if in.Config != nil {
		x.Config = *in.Config
	}
	if in.Visibility != nil {
		switch *in.Visibility {
		case "public", "private", "internal":
			x.Visibility = *in.Visibility
		default:
			plain(w, http.StatusBadRequest, "Invalid visibility type")
			return
		}
	}
	p.mu.Lock()
	p.repos[x.ID] = x
	p.mu.Unlock()
	answer(w, http.StatusOK, x)
}

func (p *Woodpecker) deleteRepo(w http.ResponseWriter, r *http.Request, u woodUser) {
	x, ok := p.administered(w, r, u)
	if !ok {
		return
	}
	p.Deactivate(x.RemoteID)
	x.Active = false
	answer(w, http.StatusOK, x)
}
