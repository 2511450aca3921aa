package providers

import (
	"context"
	"iter"
)

// A Forge answers what is true now. Every method blocks on the network, honours
// ctx, and never retries: the queue does. Errors are classified by errors.go.
//
// A sequence yields an error at most once, as its last element. Whoever saw one
// must not treat the sequence as complete. A sequence that ends without an
// error is complete: every page was read and its length agrees with what the
// forge announced.
type Forge interface {
	// Repo asks by immutable id, so that a rename is seen. ErrNotFound means
	// that the forge itself, answering in its own words, knows no such id.
	Repo(ctx context.Context, id string) (Repo, error)

	// RepoAccess yields every user in whose own list r appears.
	RepoAccess(ctx context.Context, r Repo) iter.Seq2[Access, error]

	// UserAccess yields u's own list.
	UserAccess(ctx context.Context, u User) iter.Seq2[Access, error]

	// ScopeAccess yields u's effective permission on each repository that s
	// reaches now; repositories u cannot see come with permission None.
	ScopeAccess(ctx context.Context, u User, s Subject) iter.Seq2[Access, error]

	// Members yields the users of an organization or team.
	Members(ctx context.Context, s Subject) iter.Seq2[User, error]

	// User finds a user by login. ErrNotFound as for Repo.
	User(ctx context.Context, login string) (User, error)

	// UserByID finds a user under whatever login he has now. ErrNotFound as for
	// Repo.
	UserByID(ctx context.Context, id string) (User, error)

	// Org finds an organization by name. ErrNotFound as for Repo.
	Org(ctx context.Context, name string) (Org, error)
}

// A TeamForge knows who is in which team and what each team reaches: a second
// source beside audiences and lists, read through other calls.
type TeamForge interface {
	Forge

	// Model reads the organization's teams with their members and
	// repositories: a snapshot, complete or an error.
	Model(ctx context.Context, org Org) (Model, error)
}

// A ModelForge computes a repository's audience from the organization's teams.
// Reading the teams once serves every repository of the organization, so their
// Model is worth keeping; whoever keeps it says when it was read.
type ModelForge interface {
	TeamForge

	// RepoAccessIn is RepoAccess with the organization's model at hand.
	RepoAccessIn(ctx context.Context, r Repo, m Model) iter.Seq2[Access, error]
}

// A RepoFeed lists an organization's repositories, newest knowledge of the
// forge: what was renamed, moved, hidden or adopted without an event shows
// here.
type RepoFeed interface {
	// Repos yields every repository that org owns.
	Repos(ctx context.Context, org Org) iter.Seq2[Repo, error]

	// Activity returns an opaque mark that changes whenever the forge's
	// activity feed of org shows a repository created, renamed, transferred or
	// deleted, for the price of one call.
	Activity(ctx context.Context, org Org) (string, error)
}

// A Counter tells the size of a user's own list for the price of one call: an
// oracle against an empty or shortened list.
type Counter interface {
	// Count also fails (ErrNonsense) when the answer shows that whoever pages
	// through the list would stop early, as without a Link header.
	Count(ctx context.Context, u User) (int, error)
}

// A RemoteForge tells how a repository is cloned, for CI servers that are told
// of it instead of reading the forge themselves.
type RemoteForge interface {
	// Remote is Repo with its addresses, for the same price.
	Remote(ctx context.Context, id string) (Repo, Remote, error)
}

// A ContentForge tells what is in a repository and what it is about, for
// policies that ask. Each answer costs one call.
type ContentForge interface {
	// HasPath reports whether the default branch has a file of that path, or a
	// folder if the path ends in a slash. What is empty has neither, and what
	// the forge shows hookd no more has none either.
	HasPath(ctx context.Context, r Repo, path string) (bool, error)

	// Topics returns the words that the repository is tagged with.
	Topics(ctx context.Context, r Repo) ([]string, error)
}

// A RepoHookForge lists the webhooks of a repository's own, as a CI server makes
// them.
type RepoHookForge interface {
	// RepoHooks returns the addresses that they send to. Whether hookd's token
	// may see them is up to the forge: ErrForbidden, or ErrNotFound.
	RepoHooks(ctx context.Context, r Repo) ([]string, error)
}

// A CollaboratorForge lists the direct collaborators of a repository.
type CollaboratorForge interface {
	Collaborators(ctx context.Context, r Repo) iter.Seq2[Access, error]
}

// A FactForge tells at a small price what no webhook tells and what decides
// about access in an organization as a whole: who owns it, its base permission,
// roles over all of its repositories, which team lies in which.
type FactForge interface {
	Facts(ctx context.Context, org Org) ([]Fact, error)
}

// A PartialForge may be allowed to read less of an organization than there is,
// and its answers leave out the rest without a word. What is left out of an
// answer is a loss only if Hidden does not name it.
type PartialForge interface {
	// Hidden returns which of an organization's repositories, by id, hookd
	// may not read now. One that is deleted may be among them.
	Hidden(ctx context.Context, org Org, ids []string) ([]string, error)
}

// A Prober asks the forge for the cheapest thing that proves that it answers in
// its own words and accepts hookd's token.
type Prober interface {
	// Probe returns the forge's version.
	Probe(ctx context.Context) (version string, err error)
}

// A Prover shows that hookd's token still reaches what org keeps to itself.
// Forges answer 404 to whoever may not look, so without this proof a 404 says
// nothing about a repository.
type Prover interface {
	Prove(ctx context.Context, org Org) error
}

// An OrgLister lists every organization of the instance, for "*".
type OrgLister interface {
	Orgs(ctx context.Context) iter.Seq2[Org, error]
}

// A Metered forge tells of the budgets of its tokens.
type Metered interface {
	// Budgets returns them by the id of the organization that each is for, ""
	// for whatever has none of its own. They live as long as the forge.
	Budgets() map[string]*Budget
}

// A Size is what is known of an organization, for an estimate: how many
// repositories it has, and how many people the largest of them.
type Size struct{ Repos, People int }

// A Price is how many calls questions about an organization take.
type Price struct {
	List     int `json:"list"`     // all its repositories: Repos
	Repo     int `json:"repo"`     // one of them by its id: Repo
	Audience int `json:"audience"` // who has one: RepoAccess, or RepoAccessIn with the model at hand
}

// A Pricer knows what its answers cost.
type Pricer interface{ Price(Size) Price }
