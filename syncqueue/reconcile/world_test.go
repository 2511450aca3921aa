package reconcile_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/hookd/hookd/providers"
)

// world is a forge in memory that answers through the same interfaces as a
// real one. Teams, audiences and own lists are computed from one truth, each by
// its own path, so that a fault in one of them is a contradiction.
type world struct {
	mu    sync.Mutex
	org   providers.Org
	users map[string]providers.User
	repos map[string]*worldRepo
	teams map[string]*worldTeam
	ends  []providers.End

	// fault is asked before each call answers; what it returns is the answer.
	fault func(op string) error
	// empty makes calls of these ops answer an empty list with no error.
	empty map[string]bool
	// slow blocks a call of this op, once its answer is made, until it is closed.
	slow map[string]chan struct{}
}

type worldRepo struct {
	providers.Repo
	collaborators map[string]providers.Permission
	files         map[string]bool // on its default branch
	topics        []string
}

type worldTeam struct {
	providers.Team
	permission  providers.Permission
	owners, all bool
	members     map[string]bool
	repos       map[string]bool
}

func newWorld() *world {
	w := &world{
		org:   providers.Org{ID: "5", Name: "acme"},
		users: map[string]providers.User{}, repos: map[string]*worldRepo{}, teams: map[string]*worldTeam{},
		empty: map[string]bool{}, slow: map[string]chan struct{}{},
	}
	w.team("1", "Owners", providers.Admin).owners = true
	w.join("1", "admin")
	return w
}

func (w *world) team(id, name string, p providers.Permission) *worldTeam {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := &worldTeam{Team: providers.Team{ID: id, Name: name}, permission: p, members: map[string]bool{}, repos: map[string]bool{}}
	w.teams[id] = t
	return t
}

func (w *world) user(login string) providers.User {
	u := providers.User{ID: "u-" + login, Login: login}
	w.users[u.ID] = u
	return u
}

func (w *world) join(team, login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.teams[team].members[w.user(login).ID] = true
}

func (w *world) leave(team, login string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.teams[team].members, "u-"+login)
}

// create makes acme/name, private, reached by the teams.
func (w *world) create(id, name string, teams ...string) providers.Repo {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &worldRepo{
		Repo:          providers.Repo{ID: id, Path: w.org.Name + "/" + name, Org: w.org, Visibility: providers.Private},
		collaborators: map[string]providers.Permission{}, files: map[string]bool{},
	}
	w.repos[id] = r
	for _, t := range teams {
		w.teams[t].repos[id] = true
	}
	return r.Repo
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) remove(id string) {
	w.change(func() {
		delete(w.repos, id)
		for _, t := range w.teams {
			delete(t.repos, id)
		}
	})
}

// sees is the truth: the repositories in one user's own list.
func (w *world) sees(login string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for id := range w.repos {
		if w.level("u-"+login, id) > providers.None {
			out = append(out, w.repos[id].Path)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) level(user, repo string) providers.Permission {
	r := w.repos[repo]
	best := r.collaborators[user]
	if r.Org.ID != w.org.ID {
		return best
	}
	for _, t := range w.teams {
		if t.members[user] && (t.owners || t.all || t.repos[repo]) {
			best = max(best, t.permission)
		}
	}
	return best
}

// asked begins a call: it answers with the fault, if there is one.
func (w *world) asked(op string) error {
	if w.fault != nil {
		return w.fault(op)
	}
	return nil
}

// wait holds an answer back after it was made.
func (w *world) wait(op string) {
	w.mu.Lock()
	ch := w.slow[op]
	w.mu.Unlock()
	if ch != nil {
		<-ch
	}
}

func answer[T any](w *world, op string, list func() []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		all, err := func() ([]T, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if err := w.asked(op); err != nil || w.empty[op] {
				return nil, err
			}
			return list(), nil
		}()
		w.wait(op)
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

func notFound(what string) error {
	return &providers.ForgeError{Op: "GET " + what, Status: 404, Class: providers.ErrNotFound}
}

func (w *world) Repo(_ context.Context, id string) (providers.Repo, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.asked("repo"); err != nil {
		return providers.Repo{}, err
	}
	r, ok := w.repos[id]
	if !ok {
		return providers.Repo{}, notFound("repository " + id)
	}
	return r.Repo, nil
}

func (w *world) RepoAccess(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	m, err := w.Model(ctx, w.org)
	if err != nil {
		return func(yield func(providers.Access, error) bool) { yield(providers.Access{}, err) }
	}
	return w.RepoAccessIn(ctx, r, m)
}

func (w *world) RepoAccessIn(_ context.Context, r providers.Repo, m providers.Model) iter.Seq2[providers.Access, error] {
	return answer(w, "audience", func() []providers.Access {
		var out []providers.Access
		now := w.repos[r.ID]
		if now == nil {
			return nil
		}
		for _, t := range m.Teams {
			live := w.teams[t.ID]
			if now.Org.ID != w.org.ID || live == nil || !(t.Owners || t.AllRepos || live.repos[r.ID]) {
				continue
			}
			for _, u := range t.Members {
				out = append(out, providers.Access{User: u, Repo: now.Repo, Permission: t.Permission})
			}
		}
		if !w.empty["collaborators"] {
			for id, p := range now.collaborators {
				out = append(out, providers.Access{User: w.users[id], Repo: now.Repo, Permission: p})
			}
		}
		return out
	})
}

func (w *world) UserAccess(_ context.Context, u providers.User) iter.Seq2[providers.Access, error] {
	return answer(w, "list", func() []providers.Access { return w.list(u, "") })
}

func (w *world) ScopeAccess(_ context.Context, u providers.User, s providers.Subject) iter.Seq2[providers.Access, error] {
	return answer(w, "scope", func() []providers.Access { return w.list(u, s.ID) })
}

func (w *world) list(u providers.User, org string) []providers.Access {
	var out []providers.Access
	for id, r := range w.repos {
		if p := w.level(u.ID, id); p > providers.None && (org == "" || r.Org.ID == org) {
			out = append(out, providers.Access{User: u, Repo: r.Repo, Permission: p})
		}
	}
	return out
}

func (w *world) Members(_ context.Context, _ providers.Subject) iter.Seq2[providers.User, error] {
	return answer(w, "members", func() []providers.User { return w.model().Members() })
}

func (w *world) Model(_ context.Context, org providers.Org) (providers.Model, error) {
	w.mu.Lock()
	if org.ID != w.org.ID {
		defer w.mu.Unlock()
		return providers.Model{}, notFound("organization " + org.Name)
	}
	err := w.asked("model")
	var m providers.Model
	if err == nil && !w.empty["model"] {
		m = w.model()
	}
	w.mu.Unlock()
	w.wait("model")
	return m, err
}

func (w *world) model() providers.Model {
	m := providers.Model{Org: w.org, Ends: w.ends}
	for _, t := range w.teams {
		tm := providers.TeamModel{Team: t.Team, Permission: t.permission, Owners: t.owners, AllRepos: t.all}
		for id := range t.members {
			tm.Members = append(tm.Members, w.users[id])
		}
		if !t.owners && !t.all {
			for id := range t.repos {
				tm.Repos = append(tm.Repos, id)
			}
		}
		m.Teams = append(m.Teams, tm)
	}
	return m
}

func (w *world) User(_ context.Context, login string) (providers.User, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.asked("user"); err != nil {
		return providers.User{}, err
	}
	for _, u := range w.users {
		if u.Login == login {
			return u, nil
		}
	}
	return providers.User{}, notFound("user " + login)
}

func (w *world) UserByID(_ context.Context, id string) (providers.User, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.asked("user"); err != nil {
		return providers.User{}, err
	}
	u, ok := w.users[id]
	if !ok {
		return u, notFound("user " + id)
	}
	return u, nil
}

func (w *world) Org(_ context.Context, name string) (providers.Org, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.asked("org"); err != nil {
		return providers.Org{}, err
	}
	if name != w.org.Name {
		return providers.Org{}, notFound("organization " + name)
	}
	return w.org, nil
}

func (w *world) Repos(_ context.Context, org providers.Org) iter.Seq2[providers.Repo, error] {
	return answer(w, "repos", func() []providers.Repo {
		var out []providers.Repo
		for _, r := range w.repos {
			if r.Org.ID == org.ID {
				out = append(out, r.Repo)
			}
		}
		return out
	})
}

func (w *world) Activity(context.Context, providers.Org) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprint(len(w.repos)), w.asked("activity")
}

func (w *world) Count(_ context.Context, u providers.User) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.asked("count"); err != nil {
		return 0, err
	}
	return len(w.list(u, "")), nil
}

func (w *world) Collaborators(_ context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return answer(w, "collaborators", func() []providers.Access {
		var out []providers.Access
		if w.repos[r.ID] == nil {
			return nil
		}
		for id, p := range w.repos[r.ID].collaborators {
			out = append(out, providers.Access{User: w.users[id], Repo: r, Permission: p})
		}
		return out
	})
}

func (w *world) Prove(context.Context, providers.Org) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked("prove")
}
