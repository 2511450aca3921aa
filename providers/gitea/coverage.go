package gitea

import "github.com/hookd/hookd/providers"

const targetType = "X-Gitea-Hook-Installation-Target-Type"

// Coverage says how hookd hears of what happens on Gitea and Forgejo, as
// measured on Gitea 1.25.4 and read in services/webhook/notifier.go. A system
// hook tells of more repositories, and of no other changes.
func Coverage() []providers.Coverage {
	return []providers.Coverage{
		{Hook: providers.HookOrg, Header: targetType, Values: []string{"organization"}, Rows: rows},
		{Hook: providers.HookSystem, Header: targetType, Values: []string{"system", "default"}, Rows: rows},
	}
}

var rows = []providers.Heard{
	{Change: providers.RepoCreated, By: providers.ByEvent, Events: []string{"repository.created"}, Effect: providers.EffectRepo, Note: "also migrated, mirrored or made from a template"},
	{Change: providers.RepoForked, By: providers.ByEvent, Events: []string{"repository.created", "fork"}, Effect: providers.EffectRepo},
	{Change: providers.RepoAdopted, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoDeleted, By: providers.ByEvent, Events: []string{"repository.deleted"}, Effect: providers.EffectGone},
	{Change: providers.RepoRenamed, By: providers.ByPoll, Poll: providers.PollRepos, Note: "the activity feed shows it to the poll of members already; from 1.26 on an event"},
	{Change: providers.RepoReceived, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoSent, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoVisibility, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.RepoArchived, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.CollaboratorSet, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.CollaboratorRemoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamMemberSet, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamMemberRemoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamRepos, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.TeamDeleted, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgMemberAdded, By: providers.ByPoll, Poll: providers.PollMembers, Note: "whoever is in an organization is in a team of it"},
	{Change: providers.OrgMemberRemoved, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgOwner, By: providers.ByPoll, Poll: providers.PollMembers},
	{Change: providers.OrgRenamed, By: providers.ByPoll, Poll: providers.PollRepos},
	{Change: providers.OrgDeleted, By: providers.Reconciled},
	{Change: providers.UserRenamed, By: providers.Reconciled},
	{Change: providers.UserBlocked, By: providers.Reconciled},
	{Change: providers.UserDeleted, By: providers.ByPoll, Poll: providers.PollMembers, Note: "as leaving his teams"},
	{Change: providers.UserStanding, By: providers.ByPoll, Poll: providers.PollMembers},
}
