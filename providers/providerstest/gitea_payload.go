package providerstest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Everything that a webhook shows about permissions is what the owner could
// do: all true for the repository event (measured).
var allFlags = flags{true, true, true}

type repositoryPayload struct {
	Action       string   `json:"action"`
	Repository   wireRepo `json:"repository"`
	Organization wireUser `json:"organization"`
	Sender       wireUser `json:"sender"`
}

// forkPayload has neither action nor organization, and its forkee is the base:
// the opposite of GitHub's (measured).
type forkPayload struct {
	Forkee     wireRepo `json:"forkee"`
	Repository wireRepo `json:"repository"`
	Sender     wireUser `json:"sender"`
}

type createPayload struct {
	SHA        string   `json:"sha"`
	Ref        string   `json:"ref"`
	RefType    string   `json:"ref_type"`
	Repository wireRepo `json:"repository"`
	Sender     wireUser `json:"sender"`
}

type pushPayload struct {
	Ref          string       `json:"ref"`
	Before       string       `json:"before"`
	After        string       `json:"after"`
	CompareURL   string       `json:"compare_url"`
	Commits      []wireCommit `json:"commits"`
	TotalCommits int          `json:"total_commits"`
	HeadCommit   wireCommit   `json:"head_commit"`
	Repository   wireRepo     `json:"repository"`
	Pusher       wireUser     `json:"pusher"`
	Sender       wireUser     `json:"sender"`
}

type wireCommit struct {
	ID           string            `json:"id"`
	Message      string            `json:"message"`
	URL          string            `json:"url"`
	Author       map[string]string `json:"author"`
	Committer    map[string]string `json:"committer"`
	Verification *struct{}         `json:"verification"`
	Timestamp    time.Time         `json:"timestamp"`
	Added        []string          `json:"added"`
	Removed      []string          `json:"removed"`
	Modified     []string          `json:"modified"`
}

// announceRepository: the organization is filled with the owner even when that
// is a user (measured). The body is indented by one space, others by two.
func (g *Gitea) announceRepository(action string, r *repo, by *account) {
	g.announce(r.owner, "repository", indented(" ", repositoryPayload{
		Action: action, Repository: g.wireRepo(r, &allFlags),
		Organization: g.wireUser(r.owner, nil), Sender: g.wireUser(by, nil),
	}))
}

func (g *Gitea) announceFork(base, fork *repo, by *account) {
	old, now := g.permissions(by, base), g.permissions(by, fork)
	g.announce(base.owner, "fork", indented("  ", forkPayload{
		Forkee: g.wireRepo(base, &old), Repository: g.wireRepo(fork, &now), Sender: g.wireUser(by, nil),
	}))
}

func (g *Gitea) announceCreate(r *repo, branch string, by *account) {
	g.announce(r.owner, "create", indented("  ", createPayload{
		SHA: newSHA(), Ref: branch, RefType: "branch", Repository: g.wireRepo(r, &allFlags), Sender: g.wireUser(by, nil),
	}))
}

// What a push starts from, where it is not some commit.
const (
	noCommit   = "0000000000000000000000000000000000000000"
	sameCommit = "" // as a test delivery's, which goes from a commit to itself (routers/api/v1/repo/hook.go)
)

// announcePush sends a push that starts from before.
func (g *Gitea) announcePush(r *repo, branch string, by *account, before string) {
	after := newSHA()
	if before == sameCommit {
		before = after
	}
	person := map[string]string{"name": by.login, "email": by.login + "@noreply.localhost", "username": by.login}
	head := wireCommit{
		ID: after, Message: "Initial commit\n", URL: g.opt.RootURL + "/" + r.path() + "/commit/" + after,
		Author: person, Committer: person, Timestamp: g.opt.Now().UTC().Truncate(time.Second),
		Added: []string{"README.md"}, Removed: []string{}, Modified: []string{},
	}
	commits := []wireCommit{head}
	if before == noCommit {
		commits = []wireCommit{} // a new branch comes without a list (measured)
	}
	g.announce(r.owner, "push", indented("  ", pushPayload{
		Ref: "refs/heads/" + branch, Before: before, After: after, CompareURL: g.opt.RootURL + "/",
		Commits: commits, TotalCommits: len(commits), HeadCommit: head,
		Repository: g.wireRepo(r, &allFlags), Pusher: g.wireUser(by, nil), Sender: g.wireUser(by, nil),
	}))
	g.record(r.owner, by, "commit_repo", r, "")
}

// Push announces a push to a branch of a repository.
func (g *Gitea) Push(path, branch, by string) error {
	return g.push(path, branch, by, newSHA())
}

// TestHook announces what the button "Test delivery" does.
func (g *Gitea) TestHook(path string) error { return g.push(path, "main", "", sameCommit) }

func (g *Gitea) push(path, branch, by, before string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	doer, err := g.actor(by)
	if err != nil {
		return err
	}
	g.announcePush(r, branch, doer, before)
	return nil
}

func indented(by string, v any) []byte {
	b, err := json.MarshalIndent(v, "", by)
	if err != nil {
		panic(err) // only plain structs come here
	}
	return b
}

func newSHA() string {
	b := make([]byte, 20)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
