package gitlab

import "github.com/hookd/hookd/providers"

const eventHeader = "X-Gitlab-Event"

// Coverage says how hookd hears of what happens on GitLab, after its pages on
// webhook events and system hooks.
func Coverage() []providers.Coverage {
	return []providers.Coverage{
		{Hook: providers.HookGroup, Header: eventHeader, Values: []string{"Member Hook", "Project Hook", "Subgroup Hook"}, Rows: groupRows},
		{Hook: providers.HookSystem, Header: eventHeader, Values: []string{"System Hook"}, Rows: systemRows},
	}
}

const noteExpiry = "of a group, of a project and of shares: when GitLab takes them away in the night, and again while it has not"

var groupRows = []providers.Heard{
	{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"project_create"}, Effect: providers.EffectRepo, Note: "GitLab 17.6 on"},
	{Change: providers.RepoForked, By: providers.ByEvent, Events: []string{"project_create"}, Effect: providers.EffectRepo},
	{Change: providers.RepoDeleted, By: providers.ByEvent, Events: []string{"project_destroy"}, Effect: providers.EffectGone},
	{Change: providers.RepoRenamed, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoReceived, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoSent, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoVisibility, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoArchived, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.CollaboratorSet, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.CollaboratorRemoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.RepoShared, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamMemberSet, By: providers.ByEvent, Events: []string{"user_add_to_group", "user_update_for_group"}, Effect: providers.EffectMember},
	{Change: providers.TeamMemberRemoved, By: providers.ByEvent, Events: []string{"user_remove_from_group"}, Effect: providers.EffectLeft},
	{Change: providers.TeamDeleted, By: providers.ByEvent, Events: []string{"subgroup_destroy"}, Effect: providers.EffectScope},
	{Change: providers.TeamMoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.GroupShared, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgRenamed, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.OrgDeleted, By: providers.ByEvent, Events: []string{"project_destroy"}, Effect: providers.EffectGone, Note: "for each project in it"},
	{Change: providers.MembershipExpired, By: providers.ByTimer, Note: noteExpiry},
	{Change: providers.UserRenamed, By: providers.Reconciled},
	{Change: providers.UserBlocked, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.UserDeleted, By: providers.ByPoll, Poll: providers.PollMembers},
}

var systemRows = []providers.Heard{
	{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"project_create"}, Effect: providers.EffectRepo},
	{Change: providers.RepoForked, By: providers.ByEvent, Events: []string{"project_create"}, Effect: providers.EffectRepo},
	{Change: providers.RepoDeleted, By: providers.ByEvent, Events: []string{"project_destroy"}, Effect: providers.EffectGone},
	{Change: providers.RepoRenamed, By: providers.ByEvent, Events: []string{"project_rename"}, Effect: providers.EffectRepo},
	{Change: providers.RepoReceived, By: providers.ByEvent, Events: []string{"project_transfer"}, Effect: providers.EffectRepo},
	{Change: providers.RepoSent, By: providers.ByEvent, Events: []string{"project_transfer"}, Effect: providers.EffectRepo},
	{Change: providers.RepoVisibility, By: providers.ByEvent, Events: []string{"project_update"}, Effect: providers.EffectRepo},
	{Change: providers.RepoArchived, By: providers.ByEvent, Events: []string{"project_update"}, Effect: providers.EffectRepo},
	{Change: providers.CollaboratorSet, By: providers.ByEvent, Events: []string{"user_add_to_team", "user_update_for_team"}, Effect: providers.EffectMember},
	{Change: providers.CollaboratorRemoved, By: providers.ByEvent, Events: []string{"user_remove_from_team"}, Effect: providers.EffectLeft},
	{Change: providers.RepoShared, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamMemberSet, By: providers.ByEvent, Events: []string{"user_add_to_group", "user_update_for_group"}, Effect: providers.EffectMember},
	{Change: providers.TeamMemberRemoved, By: providers.ByEvent, Events: []string{"user_remove_from_group"}, Effect: providers.EffectLeft},
	{Change: providers.TeamDeleted, By: providers.ByEvent, Events: []string{"group_destroy"}, Effect: providers.EffectScope},
	{Change: providers.TeamMoved, By: providers.ByPoll, Poll: providers.PollMembers, Note: "group_rename tells of another path in the same place only"},
	{Change: providers.GroupShared, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgRenamed, By: providers.ByEvent, Events: []string{"group_rename"}, Effect: providers.EffectScope},
	{Change: providers.OrgDeleted, By: providers.ByEvent, Events: []string{"group_destroy"}, Effect: providers.EffectScope},
	{Change: providers.MembershipExpired, By: providers.ByTimer, Note: noteExpiry},
	{Change: providers.UserRenamed, By: providers.ByEvent, Events: []string{"user_rename"}, Effect: providers.EffectUser},
	{Change: providers.UserBlocked, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.UserDeleted, By: providers.ByEvent, Events: []string{"user_destroy"}, Effect: providers.EffectUser},
}
