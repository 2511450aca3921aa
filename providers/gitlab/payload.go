package gitlab

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hookd/hookd/providers"
)

// The families of events that may change somebody's list, by what they are
// about.
const (
	aboutProject       = "project"
	aboutGroup         = "group"
	aboutGroupMember   = "group member"
	aboutProjectMember = "project member"
	aboutUser          = "user"
)

// unchanging are the members of those families that change nobody's list, with
// the reason that GitLab's page about the delivery shows.
var unchanging = map[string]string{
	"user_create":       "a new user has no repositories yet",
	"user_failed_login": "a failed login changes nobody's list of repositories",
	"group_create":      "a new group has no repositories yet",
	"subgroup_create":   "a new subgroup has no repositories yet",
}

// family tells what an event is about, "" for what changes nobody's list. It
// goes by the form of the name, so that what GitLab adds to a family counts.
func (p payload) family() string {
	n := p.Name
	switch {
	case unchanging[n] != "", strings.HasPrefix(n, "user_access_request_"):
		return ""
	case strings.HasPrefix(n, "project_"):
		return aboutProject
	case strings.HasPrefix(n, "group_"), strings.HasPrefix(n, "subgroup_"):
		return aboutGroup
	case !strings.HasPrefix(n, "user_"):
		return ""
	case strings.HasSuffix(n, "_group"):
		return aboutGroupMember
	case strings.HasSuffix(n, "_team"), strings.HasSuffix(n, "_project"):
		return aboutProjectMember
	}
	return aboutUser
}

// event is what the payload says. The error is an *Ignored or wraps
// ErrMalformed.
func (p payload) event(name string) (providers.Event, error) {
	e := providers.Event{Name: name}
	switch p.family() {
	case aboutProject:
		return p.project(e)
	case aboutGroup:
		return p.group(e)
	case aboutGroupMember:
		return p.groupMember(e)
	case aboutProjectMember:
		return p.projectMember(e)
	case aboutUser:
		return p.user(e)
	}
	return p.ignored(e)
}

// project reads project_*. A payload has no id of the namespace that the API
// would know, only its path.
func (p payload) project(e providers.Event) (providers.Event, error) {
	if p.ProjectID <= 0 {
		return e, fmt.Errorf("no project id: %w", providers.ErrMalformed)
	}
	repo := p.repo()
	e.Effect, e.Repo, e.Org, e.From = providers.EffectRepo, &repo, repo.Org, p.OldPath
	if e.Name == "project_destroy" {
		e.Effect = providers.EffectGone
	}
	return e, nil
}

// group reads group_* and subgroup_*. A subgroup that is gone is looked for in
// its parent, which a group's hook names.
func (p payload) group(e providers.Event) (providers.Event, error) {
	if p.GroupID <= 0 {
		return e, fmt.Errorf("no group id: %w", providers.ErrMalformed)
	}
	e.Effect, e.From = providers.EffectScope, p.OldGroupPath
	e.Org = providers.Org{ID: text(p.GroupID), Name: p.GroupPath}
	if e.Name == "subgroup_destroy" && p.ParentID > 0 {
		e.Org = providers.Org{ID: text(p.ParentID), Name: p.ParentFullPath}
		e.From = p.GroupPath
	}
	return e, nil
}

// groupMember reads user_*_group. The group is the team as well: what a member
// of a subgroup reaches is less than the organization.
func (p payload) groupMember(e providers.Event) (providers.Event, error) {
	if p.GroupID <= 0 || p.UserID <= 0 {
		return e, fmt.Errorf("no group or user id: %w", providers.ErrMalformed)
	}
	e.Org = providers.Org{ID: text(p.GroupID), Name: p.GroupPath}
	e.Team = &providers.Team{ID: e.Org.ID, Name: e.Org.Name}
	return p.member(e), nil
}

// projectMember reads user_*_team; "team" is what GitLab once called the
// members of a project.
func (p payload) projectMember(e providers.Event) (providers.Event, error) {
	if p.ProjectID <= 0 || p.UserID <= 0 {
		return e, fmt.Errorf("no project or user id: %w", providers.ErrMalformed)
	}
	repo := p.repo()
	e.Repo, e.Org = &repo, repo.Org
	return p.member(e), nil
}

func (p payload) member(e providers.Event) providers.Event {
	e.User = &providers.User{ID: text(p.UserID), Login: p.Username}
	e.Effect = providers.EffectMember
	if strings.HasPrefix(e.Name, "user_remove_") {
		e.Effect = providers.EffectLeft
	}
	return e
}

func (p payload) user(e providers.Event) (providers.Event, error) {
	if p.UserID <= 0 {
		return e, fmt.Errorf("no user id: %w", providers.ErrMalformed)
	}
	e.Effect, e.From = providers.EffectUser, p.OldUsername
	e.User = &providers.User{ID: text(p.UserID), Login: p.Username}
	return e, nil
}

// ignored explains an event that changes nobody's list.
func (p payload) ignored(e providers.Event) (providers.Event, error) {
	if p.ProjectID > 0 && p.Path != "" {
		repo := p.repo()
		e.Repo, e.Org = &repo, repo.Org
	}
	reason := unchanging[e.Name]
	switch {
	case reason != "":
	case strings.HasPrefix(e.Name, "user_access_request_"):
		reason = "a request for access grants none; what it leads to comes with an event of its own"
	case e.Name == "push" || e.Name == "tag_push":
		reason = "a push changes nobody's list of repositories"
	case e.Name == "repository_update":
		reason = "a repository's references changed, nobody's list of repositories; switch repository_update_events off"
	default:
		reason = e.Name + " changes nobody's list of repositories"
	}
	return e, &providers.Ignored{Reason: reason}
}

// repo is the project of the payload. Its Org is the namespace, a group of any
// depth or a user, which a payload does not tell apart.
func (p payload) repo() providers.Repo {
	return providers.Repo{
		ID: text(p.ProjectID), Path: p.Path,
		Org:        providers.Org{Name: providers.OwnerOf(p.Path)},
		Visibility: visibility(p.Visibility),
	}
}

// visibility reads "private" and, as older GitLabs write it,
// "visibilitylevel|private".
func visibility(v string) providers.Visibility {
	if i := strings.LastIndexByte(v, '|'); i >= 0 {
		v = v[i+1:]
	}
	switch v := providers.Visibility(strings.ToLower(v)); v {
	case providers.Public, providers.Internal, providers.Private:
		return v
	}
	return ""
}

func text(id int64) string { return strconv.FormatInt(id, 10) }
