// Package gitlab speaks GitLab's dialect: it reads its webhooks (Hook) and asks
// its API (Forge), on gitlab.com or a GitLab of one's own, also below a path.
//
// # What arrives, and what does not
//
// A system hook, which an administrator sets, hears of everything in the
// instance: projects created, destroyed, renamed, transferred and updated
// (whatever but the path, without saying what), groups, the members of groups
// and projects, users. A group's hook (Premium) hears of projects created and
// destroyed, of its members and of its subgroups. Nothing tells that a group or
// a project was shared with a group, or that a user was blocked: those are
// polled. That GitLab took away what had expired is told of members as any
// removal is, and of shares not at all; the day is known beforehand. Deliveries
// come in no order, and the same one may come twice under one id.
//
// A payload names a project's namespace by its path, and a group by its id and
// the last part of its path: see providers.OrgSet for how it is known to be
// one's own.
//
// # Who has a project in his list
//
// A CI server shows what GET /projects?membership=true lists, which is what
// GitLab's table of project authorizations has: direct members, members of the
// groups the project lies in, and of groups that it or one of those was shared
// with, each at his highest level. Minimal access is none; whoever is blocked or
// waits for consent has none. The table knows no dates: what has expired grants
// until GitLab's worker has taken it away.
//
// The two kinds of shares differ (lib/gitlab/project_authorizations.rb,
// recursive_cte and projects_shared_with_namespaces_user_has_access_to;
// app/finders/projects/members/effective_access_level_finder.rb):
//   - a group shared with a group gives what is in it to that group's own members,
//     not to those of groups above it or shared with it;
//   - a project shared with a group gives itself to all who are in that group: its
//     own members, those of the groups above, and the own members of the groups
//     that it or one of those is shared with. It gives nothing while the group that
//     it lies in locks shares (share_with_group_lock).
//
// GET /projects/:id/members/all reads its levels from the same table, so the two
// agree, but lists fewer: of the groups that the project is shared with their own
// members and those of the groups above (app/finders/members_finder.rb,
// project_invited_groups). Who is in them through a share has no row
// (gitlab.com/gitlab-org/gitlab/-/issues/436257; that he has access is meant:
// issue 418134 and merge request 129071). Merge request 250584 gives him one; the
// source that was read, which has merge request 207150, is older than that.
// GET /groups/:id/members/all has him (app/finders/group_members_finder.rb,
// shared_from_groups), so whoever is in such a group and has no row of the project
// is such a person: see shares.go.
//
// # Organizations
//
// Groups nest. An organization is the outermost configured group that a project
// lies in, by default the top-level one: its subgroups are parts of it. The
// model tells them apart as teams.
//
// # The token
//
// Reading somebody's list takes Sudo, and so an administrator's token with the
// scopes api and sudo. With another token (as on gitlab.com) UserAccess,
// ScopeAccess of groups and Count fail with ErrForbidden, all else works for a
// reporter of the group.
//
// # Setting webhooks
//
// A system webhook takes an administrator, one of a group its owner and Premium.
// A signing token may be ignored without a word, so what was set is read back.
// A webhook that GitLab switched off after failures is replaced: it would come
// back by itself only after a test that succeeds.
//
// # The client
//
// Calls go through GitLab's own client, on a transport of ours and with its
// retries and its limiter off: the queue knows better. The guard below it keeps
// the token on one origin, bounds the answer, insists on JSON, asks for what it
// has read before only if that has changed, and turns every failure into one of
// the classes of package providers.
package gitlab
