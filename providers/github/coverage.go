package github

import (
	"slices"

	"github.com/hookd/hookd/providers"
)

const targetType = "X-GitHub-Hook-Installation-Target-Type"

// Coverage says how hookd hears of what happens on GitHub, after the types of
// hook that GitHub's webhook schemas name for each event.
func Coverage() []providers.Coverage {
	return []providers.Coverage{
		{Hook: providers.HookOrg, Header: targetType, Values: []string{"organization"}, Rows: rows},
		{Hook: providers.HookEnterprise, Header: targetType, Values: []string{"business"}, Rows: with(
			providers.Heard{Change: providers.RepoVisibility, By: providers.ByEvent, Events: []string{"repository.publicized", "repository.privatized"}, Effect: providers.EffectRepo},
			providers.Heard{Change: providers.TeamRepos, By: providers.ByEvent, Events: []string{"team.added_to_repository", "team.removed_from_repository", "team.edited"}, Effect: providers.EffectRepo},
			providers.Heard{Change: providers.UserDeleted, By: providers.ByEvent, Events: []string{"user.deleted"}, Effect: providers.EffectUser, Note: "GitHub Enterprise Server only"},
		)},
		{Hook: providers.HookApp, Header: targetType, Values: []string{"integration"}, Rows: with(
			providers.Heard{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"repository.created"}, Effect: providers.EffectRepo, Note: "an App is not told the end of an import"},
			providers.Heard{Change: providers.OrgRenamed, By: providers.ByEvent, Events: []string{"organization.renamed", "installation_target.renamed"}, Effect: providers.EffectScope},
			providers.Heard{Change: providers.AppReach, By: providers.ByEvent, Events: []string{
				"installation.created", "installation.deleted", "installation.suspend", "installation.unsuspend",
				"installation.new_permissions_accepted", "installation_repositories.added", "installation_repositories.removed",
			}, Effect: providers.EffectScope},
		)},
	}
}

// rows are what an organization's hook tells.
var rows = []providers.Heard{
	{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"repository.created", "repository_import"}, Effect: providers.EffectRepo},
	{Change: providers.RepoForked, By: providers.ByEvent, Events: []string{"repository.created", "fork"}, Effect: providers.EffectRepo},
	{Change: providers.RepoDeleted, By: providers.ByEvent, Events: []string{"repository.deleted"}, Effect: providers.EffectGone},
	{Change: providers.RepoRenamed, By: providers.ByEvent, Events: []string{"repository.renamed"}, Effect: providers.EffectRepo},
	{Change: providers.RepoReceived, By: providers.ByEvent, Events: []string{"repository.transferred"}, Effect: providers.EffectRepo},
	{Change: providers.RepoSent, By: providers.ByPoll, Poll: providers.PollRepos, Note: "only the receiver is told"},
	{Change: providers.RepoVisibility, By: providers.ByEvent, Events: []string{"repository.publicized", "repository.privatized", "public"}, Effect: providers.EffectRepo},
	{Change: providers.RepoArchived, By: providers.ByEvent, Events: []string{"repository.archived", "repository.unarchived"}, Effect: providers.EffectRepo},
	{Change: providers.CollaboratorSet, By: providers.ByEvent, Events: []string{"member.added", "member.edited"}, Effect: providers.EffectMember},
	{Change: providers.CollaboratorRemoved, By: providers.ByEvent, Events: []string{"member.removed"}, Effect: providers.EffectLeft},
	{Change: providers.TeamMemberSet, By: providers.ByEvent, Events: []string{"membership.added"}, Effect: providers.EffectMember},
	{Change: providers.TeamMemberRemoved, By: providers.ByEvent, Events: []string{"membership.removed"}, Effect: providers.EffectLeft},
	{Change: providers.TeamRepos, By: providers.ByEvent, Events: []string{"team.added_to_repository", "team.removed_from_repository", "team.edited", "team_add"}, Effect: providers.EffectRepo},
	{Change: providers.TeamDeleted, By: providers.ByEvent, Events: []string{"team.deleted"}, Effect: providers.EffectScope},
	{Change: providers.TeamMoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgMemberAdded, By: providers.ByEvent, Events: []string{"organization.member_added"}, Effect: providers.EffectMember},
	{Change: providers.OrgMemberRemoved, By: providers.ByEvent, Events: []string{"organization.member_removed"}, Effect: providers.EffectLeft},
	{Change: providers.OrgOwner, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgBasePermission, By: providers.ByPoll, Poll: providers.PollMembers, Note: "GitHub shows it to owners only"},
	{Change: providers.OrgRole, By: providers.ByPoll, Poll: providers.PollMembers, Note: "with the scope admin:org, or an App's permission to read custom organization roles; else reconciled"},
	{Change: providers.OrgRenamed, By: providers.ByEvent, Events: []string{"organization.renamed"}, Effect: providers.EffectScope},
	{Change: providers.OrgDeleted, By: providers.ByEvent, Events: []string{"organization.deleted"}, Effect: providers.EffectScope},
	{Change: providers.UserRenamed, By: providers.Reconciled},
	{Change: providers.UserBlocked, By: providers.Reconciled},
	{Change: providers.UserDeleted, By: providers.Reconciled},
}

// with returns the rows with some in the place of those about the same change,
// and those about others at the end.
func with(others ...providers.Heard) []providers.Heard {
	all := slices.Clone(rows)
	for _, o := range others {
		i := slices.IndexFunc(all, func(h providers.Heard) bool { return h.Change == o.Change })
		if i < 0 {
			all = append(all, o)
			continue
		}
		all[i] = o
	}
	return all
}
