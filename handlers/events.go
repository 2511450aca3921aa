package handlers

import "strings"

// noEvent and otherEvent are the labels of deliveries that were not read, and
// of events that hookd does not know by name.
const (
	noEvent    = "none"
	otherEvent = "other"
)

// eventLabels are the names that may become a metric's label.
var eventLabels = func() map[string]string {
	labels := map[string]string{}
	for _, name := range strings.Fields(`
		ping push create delete fork public star
		repository.created repository.deleted repository.renamed repository.transferred repository.publicized
		repository.privatized repository.archived repository.unarchived repository.edited repository_import
		member.added member.edited member.removed membership.added membership.removed
		organization.member_added organization.member_removed organization.member_invited organization.renamed
		organization.deleted org_block.blocked org_block.unblocked
		team.created team.deleted team.edited team.added_to_repository team.removed_from_repository team_add
		installation.created installation.deleted installation.suspend installation.unsuspend
		installation_repositories.added installation_repositories.removed
		project_create project_destroy project_rename project_transfer project_update repository_update
		group_create group_destroy group_rename subgroup_create subgroup_destroy
		user_add_to_group user_update_for_group user_remove_from_group
		user_add_to_team user_update_for_team user_remove_from_team
		user_create user_destroy user_rename user_failed_login
		key_create key_destroy tag_push merge_request
		user_access_request_to_project user_access_request_revoked_for_project
		user_access_request_to_group user_access_request_revoked_for_group
		repo:created repo:deleted repo:imported repo:fork repo:updated repo:transfer repo:push
		issues issue_comment pull_request release
		user.created user.updated user.deleted repo.enabled repo.disabled repo.deleted build.created build.updated`) {
		labels[name] = name
	}
	return labels
}()

// foldEvent returns the label of an event: its name, the name without the
// action, or "other". It never returns a string that a sender controls.
func foldEvent(name string) string {
	if name == "" {
		return noEvent
	}
	if l, ok := eventLabels[name]; ok {
		return l
	}
	kind, _, _ := strings.Cut(name, ".")
	if l, ok := eventLabels[kind]; ok {
		return l
	}
	return otherEvent
}
