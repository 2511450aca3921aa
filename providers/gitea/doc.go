// Package gitea speaks Gitea's and Forgejo's dialects: it reads their webhooks
// (Hook) and asks their API (Forge).
//
// # What arrives, and what does not
//
// Measured on Gitea 1.25.4. An organization's hook hears of a repository
// created (also by migration, from a template, or forked into the
// organization) and deleted, of forks of its repositories, and of pushes and
// references. Nothing is sent for a rename, a transfer, a change of
// visibility, archiving, or anything about teams, members and collaborators:
// those are polled. Deliveries are never repeated by Gitea, carry no
// timestamp, and one serial worker sends them all.
//
// # Who has a repository in his list
//
// A CI server shows what GET /user/repos lists, so that is what "having a
// repository" means here. As read in Gitea's source (models/repo/repo_list.go,
// models/perm/access/access.go) and measured, a user lists
//
//   - what he owns;
//   - what a team of his has, whatever its units are: without the code unit
//     every permission is false and the repository is listed all the same,
//     which counts as Read;
//   - what he collaborates on; on a repository that is not private a mere
//     reader may or may not be listed, depending on what Gitea recalculated
//     last, so he is looked up (Forge.listed);
//   - public repositories of an organization whose own visibility is private
//     (Gitea's "internal": true), if he is in it and is no restricted user.
//
// A public repository of a public or limited organization is not in the list
// of a member whose teams do not have it. Being site administrator lists
// nothing more, but makes every permission Admin.
//
// # Setting webhooks
//
// An update of a webhook takes an address, a content type and events, and
// accepts a secret without taking it (measured): another secret takes another
// webhook. What an update does not name, it empties. The API tells neither the
// secret nor how deliveries went.
//
// # The client
//
// Calls go through Gitea's own SDK, on a transport of ours: the SDK knows the
// paths and types, and the guard below it does what the SDK leaves out. It
// keeps the token on one origin, bounds the answer, insists on JSON, and turns
// every failure into one of the classes of package providers, so the SDK
// decodes only what was found to be the forge's own words.
package gitea
