// Package github speaks the dialect of GitHub and GitHub Enterprise Server: it
// reads their webhooks (Hook) and asks their API (Forge).
//
// # What arrives, and what does not
//
// An organization's hook, an App's or an enterprise's tells of repositories,
// memberships of teams and of the organization, collaborators, and what teams
// reach. A transfer is told to the receiver only. Nothing is sent when the base
// permission of an organization changes, when a member becomes an owner, when a
// team gets another parent or when a role over the whole organization is
// assigned: those are polled (Facts). Nor is it when a user changes his login
// (but to an App installed on him), or when single sign-on suspends somebody:
// those are reconciled. Coverage is the table. Deliveries are never repeated by GitHub of its own accord, come
// in any order, and may overtake the API by seconds.
//
// # Who has a repository in his list
//
// A CI server shows what GET /user/repos lists. Nobody but the user can ask
// for that, so an audience is what GitHub itself has folded together from
// owners, base permission, teams and direct grants:
// GET /repos/{owner}/{repo}/collaborators?affiliation=all, 100 people a call.
// The other way round, one user in many repositories, the same connection of
// the GraphQL API is asked with his login, 100 repositories a call; a forge
// that has no such API is asked about each repository. What an organization's
// token cannot see at all are repositories that belong to users.
//
// The team model (Model) is read through other calls than either, teams and
// members, so it can confirm or contradict a loss. It knows no direct grants
// and no organization roles.
//
// # Setting webhooks
//
// To who may not see an organization's webhooks GitHub says that there are none
// to be found. An update without the secret removes it. An App's webhook can be
// turned to another address, and is made, removed and subscribed by hand.
//
// # The client
//
// Calls go through go-github on transports of ours. From the outside in: the
// guard keeps to one origin, bounds the answer, insists on JSON and turns every
// failure into one of the classes of package providers; within it answers with
// an ETag are kept and asked for conditionally, since a 304 costs nothing of
// the rate limit, each identity's by themselves; the token is added, or of an App
// that of its installation on the account which is asked about; and the meter
// counts what really goes out.
//
// What an App may read changes apart from anybody's access. What an installation
// withholds, being suspended, gone or on selected repositories, fails with
// ErrWithheld where it is asked for by name, and is missing from lists: Hidden
// tells which of what is missing says nothing.
package github
