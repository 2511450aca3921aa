package github

import (
	"fmt"

	"github.com/hookd/hookd/providers"
)

// changes reports whether an event of this name may change somebody's list of
// repositories.
func changes(name string) bool {
	switch name {
	case "repository", "public", "fork", "repository_import", "organization", "membership", "team", "team_add", "member",
		"installation", "installation_repositories", "installation_target", "user":
		return true
	}
	return false
}

// event says what the payload of an event means. It is the matrix: everything
// that GitHub announces is read here or ignored with a reason.
func (p payload) event(name string) (providers.Event, error) {
	e := providers.Event{Name: withAction(name, p.Action), Org: p.Organization.org(), Sender: p.Sender.user()}
	switch name {
	case "repository":
		return p.repository(e)
	case "public", "team_add":
		return p.about(e, p.Repository)
	case "fork":
		return p.fork(e)
	case "repository_import":
		return p.imported(e)
	case "organization":
		return p.organization(e)
	case "membership":
		return p.membership(e)
	case "team":
		return p.team(e)
	case "member":
		return p.member(e)
	case "installation", "installation_repositories":
		return p.installation(e)
	case "installation_target":
		return p.renamedTarget(e)
	case "user":
		return p.user(e)
	}
	return p.ignored(e, name)
}

// about makes e one about a repository that changed.
func (p payload) about(e providers.Event, r *payloadRepo) (providers.Event, error) {
	repo, err := r.repo(p.Organization)
	if err != nil {
		return e, err
	}
	e.Effect, e.Repo, e.Org = providers.EffectRepo, repo, repo.Org
	e.Team = p.Team.team(e.Org)
	return e, nil
}

func (p payload) repository(e providers.Event) (providers.Event, error) {
	if p.Action == "edited" && !p.Changes.DefaultBranch {
		return p.harmless(e, "an edited description, homepage or topic changes nobody's list of repositories")
	}
	e, err := p.about(e, p.Repository)
	if err != nil {
		return e, err
	}
	switch p.Action {
	case "deleted":
		e.Effect = providers.EffectGone
	case "renamed":
		if was := p.Changes.RepoName; was != "" {
			e.From = e.Org.Name + "/" + was
		}
	case "transferred":
		// Only the receiver is told, so the former owner must be looked at too.
		if was := p.Changes.Owner; was != "" {
			e.From = was + "/" + p.Repository.Name
		}
	}
	return e, nil
}

// fork reads the fork event, which goes to the hooks of the base. The new
// repository is the forkee; From stays empty, as the base loses nothing.
func (p payload) fork(e providers.Event) (providers.Event, error) {
	e, err := p.about(e, p.Forkee)
	if err != nil {
		return e, err
	}
	if p.Repository != nil && p.Repository.FullName != "" {
		e.Detail = "forked from " + p.Repository.FullName
	}
	if e.Org.Personal {
		return ignore(e, "the fork belongs to a user, not to an organization")
	}
	return e, nil
}

func (p payload) imported(e providers.Event) (providers.Event, error) {
	e, err := p.about(e, p.Repository)
	if err == nil && (p.Status == "failure" || p.Status == "cancelled") {
		return ignore(e, "the import ended with "+p.Status)
	}
	return e, err
}

func (p payload) organization(e providers.Event) (providers.Event, error) {
	if p.Action == "member_invited" {
		return ignore(e, "an invitation gives no access before it is accepted")
	}
	if e.Org.ID == "" {
		return e, errNoOrg
	}
	var err error
	switch p.Action {
	case "member_added":
		e.Effect = providers.EffectMember
		e.User, err = p.MembershipOf.subject("membership.user")
	case "member_removed":
		e.Effect = providers.EffectLeft
		e.User, err = p.MembershipOf.subject("membership.user")
	case "renamed":
		e.Effect, e.From = providers.EffectScope, p.Changes.Login
	default: // deleted, too: what of it is left has to be looked at
		e.Effect = providers.EffectScope
	}
	return e, err
}

var errNoOrg = fmt.Errorf("no organization id: %w", providers.ErrMalformed)

// membership of a team that is being deleted names no team: what the user has
// in the whole organization is looked at.
func (p payload) membership(e providers.Event) (providers.Event, error) {
	if e.Org.ID == "" {
		return e, errNoOrg
	}
	e.Effect = joined(p.Action)
	e.Team = p.Team.team(e.Org)
	var err error
	e.User, err = p.Member.subject("member")
	return e, err
}

func (p payload) member(e providers.Event) (providers.Event, error) {
	e, err := p.about(e, p.Repository)
	if err != nil {
		return e, err
	}
	e.Effect = joined(p.Action)
	e.User, err = p.Member.subject("member")
	return e, err
}

func joined(action string) providers.Effect {
	if action == "removed" {
		return providers.EffectLeft
	}
	return providers.EffectMember
}

func (p payload) team(e providers.Event) (providers.Event, error) {
	e.Team = p.Team.team(e.Org)
	switch {
	case p.Action == "created":
		return ignore(e, "a new team has neither members nor repositories")
	case p.Repository != nil && p.Action != "deleted":
		return p.about(e, p.Repository)
	case e.Org.ID == "":
		return e, errNoOrg
	}
	e.Effect = providers.EffectScope
	return e, nil
}

// installation tells what the App may see, which is nobody's access: the
// account is looked at again and nothing is called lost.
func (p payload) installation(e providers.Event) (providers.Event, error) {
	e.Org = p.Installed.org()
	if e.Org.ID == "" {
		return e, fmt.Errorf("no installation.account id: %w", providers.ErrMalformed)
	}
	e.Effect = providers.EffectScope
	return e, nil
}

// renamedTarget is the only word of GitHub about a user's new login.
func (p payload) renamedTarget(e providers.Event) (providers.Event, error) {
	e.From = p.Changes.Login
	if p.TargetType == "User" || (p.Account != nil && p.Account.Type == "User") {
		e.Effect, e.Org = providers.EffectUser, providers.Org{}
		var err error
		e.User, err = p.Account.subject("account")
		return e, err
	}
	e.Effect, e.Org = providers.EffectScope, p.Account.org()
	if e.Org.ID == "" {
		return e, fmt.Errorf("no account id: %w", providers.ErrMalformed)
	}
	return e, nil
}

// user comes from GitHub Enterprise Server alone.
func (p payload) user(e providers.Event) (providers.Event, error) {
	if p.Action == "created" {
		return ignore(e, "a new user has no repositories yet")
	}
	e.Effect, e.Org = providers.EffectUser, providers.Org{}
	var err error
	e.User, err = p.User.subject("user")
	return e, err
}

// ignored explains an event that changes nobody's list.
func (p payload) ignored(e providers.Event, name string) (providers.Event, error) {
	switch name {
	case "ping":
		e, _ = p.harmless(e, "")
		return e, &providers.Ignored{Ping: true, Reason: "the hook reaches hookd"}
	case "meta":
		return p.harmless(e, "this webhook was removed on GitHub: nothing more will arrive through it")
	case "push":
		return p.harmless(e, "a push changes nobody's list of repositories")
	case "create", "delete":
		return p.harmless(e, "in GitHub this tells of a branch or tag; repositories come with the event \"repository\"")
	}
	return p.harmless(e, e.Name+" changes nobody's list of repositories")
}

// harmless ignores e and keeps which repository it is about.
func (p payload) harmless(e providers.Event, reason string) (providers.Event, error) {
	if repo, err := p.Repository.repo(p.Organization); err == nil {
		e.Repo, e.Org = repo, repo.Org
	}
	return ignore(e, reason)
}

func ignore(e providers.Event, reason string) (providers.Event, error) {
	e.Effect = providers.EffectNone
	return e, &providers.Ignored{Reason: reason}
}
