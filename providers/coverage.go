package providers

import (
	"net/http"
	"slices"
)

// A Change is something that happens on a forge and may alter somebody's list
// of repositories.
type Change string

// The changes, in the order in which they are told. A team is also GitLab's
// subgroup, a collaborator also a direct member of a project.
const (
	RepoCreated    Change = "repository_created"
	RepoForked     Change = "repository_forked" // into an organization
	RepoAdopted    Change = "repository_adopted"
	RepoDeleted    Change = "repository_deleted"
	RepoRenamed    Change = "repository_renamed"
	RepoReceived   Change = "repository_received" // transferred into an organization
	RepoSent       Change = "repository_sent"     // transferred out of it
	RepoVisibility Change = "repository_visibility"
	RepoArchived   Change = "repository_archived"

	CollaboratorSet     Change = "collaborator_set" // added, or at another level
	CollaboratorRemoved Change = "collaborator_removed"
	RepoShared          Change = "repository_shared" // with a group, or no longer

	TeamMemberSet     Change = "team_member_set"
	TeamMemberRemoved Change = "team_member_removed"
	TeamRepos         Change = "team_repositories" // gained, lost, or at another level
	TeamDeleted       Change = "team_deleted"
	TeamMoved         Change = "team_moved" // to another parent
	GroupShared       Change = "group_shared"

	OrgMemberAdded    Change = "organization_member_added"
	OrgMemberRemoved  Change = "organization_member_removed"
	OrgOwner          Change = "organization_owner" // made one, or no longer
	OrgBasePermission Change = "organization_base_permission"
	OrgRole           Change = "organization_role" // over all repositories, assigned or taken
	OrgRenamed        Change = "organization_renamed"
	OrgDeleted        Change = "organization_deleted"

	MembershipExpired Change = "membership_expired"
	UserRenamed       Change = "user_renamed"
	UserBlocked       Change = "user_blocked" // by the forge or its single sign-on
	UserDeleted       Change = "user_deleted"
	UserStanding      Change = "user_standing" // administrator of the forge, or restricted

	AppReach Change = "app_reach" // what a GitHub App may read, which is nobody's access
)

// changes are all changes in words.
var changes = []struct {
	Change
	words string
}{
	{RepoCreated, "a repository is created, imported or made from a template"},
	{RepoForked, "a repository is forked into the organization"},
	{RepoAdopted, "a repository found on disk is adopted"},
	{RepoDeleted, "a repository is deleted"},
	{RepoRenamed, "a repository is renamed"},
	{RepoReceived, "a repository is transferred in"},
	{RepoSent, "a repository is transferred out"},
	{RepoVisibility, "a repository becomes public, internal or private"},
	{RepoArchived, "a repository is archived or unarchived"},
	{CollaboratorSet, "a collaborator (direct member) is added, or his level changes"},
	{CollaboratorRemoved, "a collaborator (direct member) is removed"},
	{RepoShared, "a project is shared with a group, or no longer"},
	{TeamMemberSet, "somebody joins a team (subgroup), or his level in it changes"},
	{TeamMemberRemoved, "somebody leaves a team (subgroup)"},
	{TeamRepos, "a team gains or loses a repository, or its level on it changes"},
	{TeamDeleted, "a team (subgroup) is deleted"},
	{TeamMoved, "a team (subgroup) gets another parent"},
	{GroupShared, "a group is shared with a group, or no longer"},
	{OrgMemberAdded, "somebody joins the organization"},
	{OrgMemberRemoved, "somebody leaves the organization"},
	{OrgOwner, "a member becomes an owner, or is one no longer"},
	{OrgBasePermission, "the organization's base permission changes"},
	{OrgRole, "a role over all repositories is given or taken"},
	{OrgRenamed, "the organization is renamed"},
	{OrgDeleted, "the organization is deleted"},
	{MembershipExpired, "a membership expires"},
	{UserRenamed, "a user changes his login"},
	{UserBlocked, "a user is blocked or suspended"},
	{UserDeleted, "a user is deleted"},
	{UserStanding, "a user becomes administrator of the forge, or restricted, or no longer"},
	{AppReach, "the App may read more or less, which is nobody's access"},
}

// Changes returns every change, in the order of this file.
func Changes() []Change {
	all := make([]Change, len(changes))
	for i, c := range changes {
		all[i] = c.Change
	}
	return all
}

// Words tells a change to people.
func (c Change) Words() string {
	for _, known := range changes {
		if known.Change == c {
			return known.words
		}
	}
	return string(c)
}

// Means is how hookd hears of a change. Whatever the means, a reconciliation
// of everything finds it in the end.
type Means string

// The means.
const (
	ByEvent    Means = "event"      // a webhook announces it: seconds
	ByPoll     Means = "polled"     // a poll looks for it: at most the poll's interval
	ByTimer    Means = "timed"      // the forge tells the moment beforehand: seconds
	Reconciled Means = "reconciled" // nothing looks for it in particular
)

// Poll names the interval at which a change is looked for.
type Poll string

// The polls.
const (
	PollMembers Poll = "members" // people, teams and what they were granted
	PollRepos   Poll = "repos"   // the repositories of an organization
)

// Heard says how hookd hears of a change.
type Heard struct {
	Change Change
	By     Means
	Events []string // names of the events that announce it
	Effect Effect   // what each of those may mean
	Poll   Poll     // where By is ByPoll
	Note   string   // what to know beside that, for people
}

// HookType is where a webhook is set, which decides what it tells.
type HookType string

// The types of hook.
const (
	HookOrg        HookType = "organization"
	HookEnterprise HookType = "enterprise"
	HookApp        HookType = "app"
	HookGroup      HookType = "group"
	HookSystem     HookType = "system"
)

// Coverage says how hookd hears of what happens on one kind of forge through
// one type of hook. A change that the kind does not know has no row.
type Coverage struct {
	Hook HookType
	// A delivery comes from such a hook if this header has one of these values.
	Header string
	Values []string
	Rows   []Heard
}

// Of returns the row of a change; ok is false if this kind knows no such
// change.
func (c Coverage) Of(change Change) (h Heard, ok bool) {
	for _, r := range c.Rows {
		if r.Change == change {
			return r, true
		}
	}
	return Heard{}, false
}

// Polls reports whether a poll has to look for one of the changes, or for when
// it will happen. Of a forge
// about which nothing was declared, everything is polled.
func (c Coverage) Polls(changes ...Change) bool {
	if c.Rows == nil {
		return true
	}
	return slices.ContainsFunc(changes, func(change Change) bool {
		h, ok := c.Of(change)
		return ok && (h.By == ByPoll || h.By == ByTimer)
	})
}

// sent reports whether a delivery with these headers came from such a hook.
func (c Coverage) sent(h http.Header) bool {
	return c.Header != "" && slices.Contains(c.Values, h.Get(c.Header))
}

// CoverageOf picks from what a kind of forge declares, ordered from the hook
// that tells least to the one that tells most. The deliveries' headers show
// which hooks there are; without any that is known, it is the least.
func CoverageOf(kind []Coverage, deliveries ...http.Header) (c Coverage, seen bool) {
	if len(kind) == 0 {
		return Coverage{}, false
	}
	for _, c := range slices.Backward(kind) {
		if slices.ContainsFunc(deliveries, c.sent) {
			return c, true
		}
	}
	return kind[0], false
}
