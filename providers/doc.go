// Package providers is the vocabulary of forges: what a webhook delivery is,
// what it says, who may see which repository, and the interfaces a forge
// driver implements. It holds no driver and imports only the standard library.
//
// A forge is a kind of system (Gitea, GitHub, GitLab); a provider is one
// configured instance of it, with a name of its own. The drivers are this
// package's children.
//
// Everything is keyed by the forge's immutable id, kept as text. Logins, paths
// and slugs are labels: they may change, and they compare case-folded.
package providers
