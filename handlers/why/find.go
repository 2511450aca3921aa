package why

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// An UnknownError says that the catalogue does not know whom or what a question
// is about, and what can be done about it.
type UnknownError struct {
	Provider string
	Kind     providers.SubjectKind
	Name     string
	Job      *syncqueue.Job // that was to look at it and did not come through, may be nil
}

func (e *UnknownError) Error() string {
	name := e.Name
	if len(name) > maxName {
		name = name[:maxName] + "…"
	}
	if e.Kind == providers.SubjectUser {
		return fmt.Sprintf("the catalogue knows no user %q of %s; to ask the forge for him: hookd sync %s/%s", name, e.Provider, e.Provider, plain(name))
	}
	s := fmt.Sprintf("the catalogue knows no repository %q of %s", name, e.Provider)
	if j := e.Job; j != nil {
		s += fmt.Sprintf("; job %s, which was to ask the forge for it, is %s", j.ID, j.State)
		if r := reason(*j); r != "" {
			s += ": " + r
		}
		if stuck(j) {
			s += "; hookd queue retry " + j.ID
		}
		return s
	}
	owner, _, _ := strings.Cut(name, "/")
	return s + fmt.Sprintf("; to ask the forge for all it has there: hookd reconcile --provider %s --org %s", e.Provider, plain(owner))
}

// maxName bounds, in bytes, what of a name that nobody knows is repeated.
const maxName = 200

// plain quotes a name unless a shell takes it as it is.
func plain(name string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@", r))
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return fmt.Sprintf("%q", name)
	}
	return name
}

// findUser looks for a login, an id, and a former login, in this order. Former
// reports that the name was one he gave up.
func findUser(ctx context.Context, s Sources, q Question) (h storage.Holdings, former bool, err error) {
	id := q.User
	u, err := s.Catalogue.UserByLogin(ctx, q.Provider, q.User)
	if err == nil {
		id = u.ID
	} else if !errors.Is(err, storage.ErrUnknown) {
		return h, false, err
	}
	h, err = s.Catalogue.Holdings(ctx, q.Provider, id)
	if !errors.Is(err, storage.ErrUnknown) {
		return h, false, err
	}
	id, err = s.Catalogue.Former(ctx, q.Provider, providers.SubjectUser, q.User)
	if err == nil {
		h, err = s.Catalogue.Holdings(ctx, q.Provider, id)
	}
	if errors.Is(err, storage.ErrUnknown) {
		err = &UnknownError{Provider: q.Provider, Kind: providers.SubjectUser, Name: q.User}
	}
	return h, true, err
}

// findRepo is findUser of repositories.
func findRepo(ctx context.Context, s Sources, q Question) (c storage.Column, former bool, err error) {
	c, err = s.Catalogue.RepoByPath(ctx, q.Provider, q.Repo)
	if errors.Is(err, storage.ErrUnknown) {
		c, err = s.Catalogue.Repo(ctx, q.Provider, q.Repo)
	}
	if !errors.Is(err, storage.ErrUnknown) {
		return c, false, err
	}
	id, err := s.Catalogue.Former(ctx, q.Provider, providers.SubjectRepo, q.Repo)
	if err == nil {
		c, err = s.Catalogue.Repo(ctx, q.Provider, id)
	}
	if errors.Is(err, storage.ErrUnknown) {
		unknown := &UnknownError{Provider: q.Provider, Kind: providers.SubjectRepo, Name: q.Repo}
		if unknown.Job, err = asking(ctx, s, q); err == nil {
			err = unknown
		}
	}
	return c, true, err
}

// maxAsking bounds the jobs of one state that are looked through for a
// repository the catalogue does not know.
const maxAsking = 500

// asking finds a job that is about a path which is in no catalogue yet: the
// delivery that announced it is the only one to know it.
func asking(ctx context.Context, s Sources, q Question) (*syncqueue.Job, error) {
	for _, state := range []syncqueue.State{syncqueue.Dead, syncqueue.Parked, syncqueue.Leased, syncqueue.Ready, syncqueue.Waiting} {
		jobs, _, err := s.Console.Jobs(ctx, syncqueue.JobQuery{State: state, Kind: syncqueue.KindRepo, Provider: q.Provider}, "", maxAsking)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			if providers.Fold(j.Subject.Name) == providers.Fold(q.Repo) {
				j.State = j.StateAt(s.Now())
				return &j, nil
			}
		}
	}
	return nil, nil
}

func stuck(j *syncqueue.Job) bool {
	return j != nil && (j.State == syncqueue.Parked || j.State == syncqueue.Dead)
}

// reason is why a job does not go on, or did not go well.
func reason(j syncqueue.Job) string {
	if j.Note != "" && j.State != syncqueue.Dead {
		return j.Note
	}
	return j.LastError
}
