package dashboard

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/hookd/hookd/handlers/why"
)

// whyView is the page that explains why a user sees a repository, or does not.
type whyView struct {
	links
	Title, Every string
	Providers    []string
	Provider     string // what was asked
	User, Repo   string
	Unknown      string // whom or what nobody knows, and how to ask
	Answer       *explained
}

type explained struct {
	User, Repo string
	Verdicts   []verdictRow
	Fixes      []string
	Chain      []linkRow
}

type verdictRow struct {
	Result, Says string
	Bad          bool
}

type linkRow struct {
	Link, Target, State, Says string
	At                        moment
	Delivery                  string // where it is shown, "" if none is
}

// whyLink is the address of an explanation, "" if the names are longer than any
// address should be.
func whyLink(provider, user, repo string) string {
	if provider == "" || user == "" || repo == "" || len(user) > maxText || len(repo) > maxText {
		return ""
	}
	return "/dashboard/why?" + url.Values{"provider": {provider}, "user": {user}, "repo": {repo}}.Encode()
}

// why answers GET /dashboard/why.
func (p *page) why(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.visitor(r); !ok {
		p.ask(w, http.StatusOK, "")
		return
	}
	q := r.URL.Query()
	ask := why.Question{Provider: q.Get("provider"), User: q.Get("user"), Repo: q.Get("repo")}
	v := whyView{links: p.links, Title: "Why", Providers: p.Providers, Provider: clip(ask.Provider), User: clip(ask.User), Repo: clip(ask.Repo)}
	if ask.User == "" || ask.Repo == "" {
		p.render(w, http.StatusOK, "why", v)
		return
	}
	a, err := p.Why(r.Context(), ask)
	var unknown *why.UnknownError
	switch {
	case errors.As(err, &unknown):
		v.Unknown = line(unknown.Error())
		p.render(w, http.StatusNotFound, "why", v)
		return
	case err != nil:
		p.fail(w, r, err)
		return
	}
	v.Answer = p.explained(a)
	p.render(w, http.StatusOK, "why", v)
}

func (p *page) explained(a why.Answer) *explained {
	now := p.Now()
	x := &explained{User: clip(a.User.Login), Repo: clip(a.Repo.Path)}
	for _, t := range a.Targets {
		x.Verdicts = append(x.Verdicts, verdictRow{string(t.Result), line(t.Says), t.Sees == nil || !*t.Sees})
		if t.Fix != "" {
			x.Fixes = append(x.Fixes, line(t.Fix))
		}
	}
	if len(a.Targets) == 0 {
		x.Verdicts = []verdictRow{{Result: "no target", Says: line(a.Verdict), Bad: true}}
	}
	for _, l := range a.Chain {
		row := linkRow{Link: l.Link, Target: clip(l.Target), State: string(l.State), Says: line(l.Says)}
		if l.At != nil {
			row.At = at(*l.At, now)
		}
		if l.Delivery != "" {
			row.Delivery = filter{Delivery: l.Delivery}.link()
		}
		x.Chain = append(x.Chain, row)
	}
	return x
}
