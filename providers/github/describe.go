package github

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	hooks "github.com/go-playground/webhooks/v6/github"
	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// described are the events whose typed payload tells more than Parse does.
var described = []hooks.Event{
	hooks.RepositoryEvent, hooks.PublicEvent, hooks.ForkEvent, hooks.OrganizationEvent, hooks.MembershipEvent, hooks.MemberEvent,
	hooks.TeamEvent, hooks.TeamAddEvent, hooks.InstallationEvent, hooks.InstallationRepositoriesEvent, hooks.PingEvent, hooks.PushEvent,
}

// Describe tells what Parse knows and adds what a typed payload does: that of
// go-playground, which verifies the delivery once more, or go-github's where
// the former refuses what GitHub sends (a transfer, an installation). So the
// only error is Parse's ErrMalformed.
func (h *Hook) Describe(d providers.Delivery) (providers.Details, error) {
	e, err := h.Parse(d)
	if errors.Is(err, providers.ErrMalformed) {
		return providers.Details{}, err
	}
	f := factsOf(e)
	if p, err := h.typed(d); err == nil {
		f.addTyped(p)
	} else if p, err := sdk.ParseWebHook(d.Header.Get("X-GitHub-Event"), d.Body); err == nil {
		f.addSDK(p)
	}
	return providers.Details{Summary: summary(e), Facts: f}, nil
}

// typed hands a copy of the delivery to the library with the one secret that
// matched. The copy is signed anew: the journal keeps no signature, and that of
// a form covered other bytes.
func (h *Hook) typed(d providers.Delivery) (any, error) {
	if d.Secret < 0 || d.Secret >= h.secrets.Len() {
		return nil, errors.New("github: the secret of this delivery is no longer live")
	}
	key := h.secrets.Key(d.Secret)
	lib, err := hooks.New(hooks.Options.Secret(key))
	if err != nil {
		return nil, err
	}
	header := d.Header.Clone()
	if header.Get("X-Hub-Signature-256") == "" {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(d.Body)
		header.Set("X-Hub-Signature-256", signaturePrefix+hex.EncodeToString(mac.Sum(nil)))
	}
	return lib.Parse(&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/"}, Header: header,
		Body: io.NopCloser(bytes.NewReader(d.Body)), ContentLength: int64(len(d.Body)),
	}, described...)
}

func summary(e providers.Event) string {
	s := e.Name
	switch {
	case e.User != nil && e.Team != nil:
		s += " " + e.User.Login + " in " + e.Team.Name
	case e.User != nil && e.Repo != nil:
		s += " " + e.User.Login + " on " + e.Repo.Path
	case e.User != nil && e.Org.Name != "":
		s += " " + e.User.Login + " in " + e.Org.Name
	case e.User != nil:
		s += " " + e.User.Login
	case e.Team != nil && e.Repo != nil:
		s += " " + e.Repo.Path + " of " + e.Team.Name
	case e.Repo != nil:
		s += " " + e.Repo.Path
	case e.Team != nil:
		s += " " + e.Team.Name
	case e.Org.Name != "":
		s += " " + e.Org.Name
	}
	if e.From != "" {
		s += ", formerly " + e.From
	}
	if e.Sender.Login != "" {
		s += " by " + e.Sender.Login
	}
	return s
}

// facts leaves out what is not said, so that a policy can test for presence.
type facts map[string]string

func factsOf(e providers.Event) facts {
	f := facts{}
	f.add("sender", e.Sender.Login)
	f.add("organization", e.Org.Name)
	f.add("from", e.From)
	if e.Repo != nil {
		f.add("repository", e.Repo.Path)
		f.add("visibility", string(e.Repo.Visibility))
		f.flag("archived", e.Repo.Archived)
		f.flag("fork", e.Repo.Fork)
	}
	if e.Team != nil {
		f.add("team", e.Team.Name)
	}
	if e.User != nil {
		f.add("user", e.User.Login)
	}
	return f
}

func (f facts) addTyped(p any) {
	switch p := p.(type) {
	case hooks.RepositoryPayload:
		f.add("default_branch", p.Repository.DefaultBranch)
		f.add("clone_url", p.Repository.CloneURL)
		f.add("description", p.Repository.Description)
	case hooks.PublicPayload:
		f.add("default_branch", p.Repository.DefaultBranch)
		f.add("clone_url", p.Repository.CloneURL)
	case hooks.ForkPayload:
		f.add("parent", p.Repository.FullName)
		f.add("clone_url", p.Forkee.CloneURL)
	case hooks.OrganizationPayload:
		f.add("role", p.Membership.Role)
	case hooks.MembershipPayload:
		f.addTeam(p.Team)
	case hooks.TeamPayload:
		f.addTeam(p.Team)
	case hooks.TeamAddPayload:
		f.addTeam(p.Team)
	case hooks.InstallationPayload:
		f.count("repositories", len(p.Repositories))
		f.add("repository_selection", p.Installation.RepositorySelection)
	case hooks.PingPayload:
		f.count("hook_id", p.HookID)
	case hooks.PushPayload:
		f.add("ref", p.Ref)
	}
}

func (f facts) addTeam(t *hooks.Team) {
	if t == nil {
		return
	}
	f.add("team_title", t.Name)
	f.add("team_permission", t.Permission)
	if t.Parent != nil {
		f.add("team_parent", t.Parent.Slug)
	}
}

func (f facts) addSDK(p any) {
	switch p := p.(type) {
	case *sdk.RepositoryEvent:
		f.add("default_branch", p.GetRepo().GetDefaultBranch())
		f.add("clone_url", p.GetRepo().GetCloneURL())
		f.add("description", p.GetRepo().GetDescription())
	case *sdk.InstallationEvent:
		f.count("repositories", len(p.Repositories))
		f.add("repository_selection", p.GetInstallation().GetRepositorySelection())
	case *sdk.InstallationRepositoriesEvent:
		f.count("repositories_added", len(p.RepositoriesAdded))
		f.count("repositories_removed", len(p.RepositoriesRemoved))
		f.add("repository_selection", p.GetRepositorySelection())
	case *sdk.InstallationTargetEvent:
		f.add("target_type", p.GetTargetType())
	case *sdk.RepositoryImportEvent:
		f.add("status", p.GetStatus())
	case *sdk.TeamEvent:
		f.add("team_title", p.GetTeam().GetName())
		f.add("team_permission", p.GetTeam().GetPermission())
	}
}

func (f facts) add(name, value string) {
	if value != "" {
		f[name] = value
	}
}

func (f facts) flag(name string, set bool) {
	if set {
		f[name] = "true"
	}
}

func (f facts) count(name string, n int) {
	if n != 0 {
		f[name] = strconv.Itoa(n)
	}
}
