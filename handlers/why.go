package handlers

import (
	"context"
	"errors"
	"net/http"

	"github.com/hookd/hookd/handlers/why"
)

// why explains why a user sees a repository in the CI servers, or does not. It
// asks no forge.
func (s *api) why(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "provider", "user", "repo")
	ask := why.Question{Provider: q.text("provider"), User: q.text("user"), Repo: q.text("repo")}
	switch {
	case q.err == nil && (ask.Provider == "" || ask.User == "" || ask.Repo == ""):
		q.fail("provider, user and repo are needed")
	case q.err == nil && !s.Desk.HasProvider(ask.Provider):
		q.err = notFound("no provider of this name is configured")
	}
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	a, err := s.Why(r.Context(), ask)
	var unknown *why.UnknownError
	if errors.As(err, &unknown) {
		err = notFound(unknown.Error())
	}
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	writeJSON(w, http.StatusOK, a)
}

// Why explains why a user sees a repository, or does not. The error is a
// *why.UnknownError if the catalogue does not know whom or what was asked for.
func (a Admin) Why(ctx context.Context, q why.Question) (why.Answer, error) {
	return why.Ask(ctx, a.explainable(), q)
}

// explainable is what explanations are made of.
func (a Admin) explainable() why.Sources {
	return why.Sources{Catalogue: a.Catalogue, Journal: a.Journal, Console: a.Console, Desk: a.Desk, Now: a.Now}
}
