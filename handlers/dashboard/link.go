package dashboard

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	linksPerMinute = 30 // tries to link a token, for each remote address
	linkTimeout    = 30 * time.Second
)

var (
	// ErrTokenRefused is a Linking's error for a token that its CI server does
	// not take.
	ErrTokenRefused = errors.New("the CI server does not take this token")
	// ErrNothingLinked is an Unlink's error for a user of whom nothing is kept.
	ErrNothingLinked = errors.New("no token of this user is kept")
)

// A Linking is a CI server whose users may hand over their own tokens. A token
// proves by itself whose it is, so nobody needs to sign in here for that.
type Linking struct {
	Target string // its name
	URL    string // of the page where its users find their tokens
	// Link asks the CI server whose the token is, and keeps it as that user's.
	// It is durable when it returns. ErrTokenRefused: nothing was kept.
	Link func(ctx context.Context, token string) (login string, err error)
	// Unlink asks likewise, and drops what is kept of him. ErrTokenRefused and
	// ErrNothingLinked: nothing was dropped.
	Unlink func(ctx context.Context, token string) (login string, err error)
}

// linkView is the page on which a token is linked. The token is never in it.
type linkView struct {
	links
	Every   string
	Title   string
	Targets []Linking
	Chosen  string // target
	Bad     string // what went wrong
	Login   string // whose the token is, once it is linked, or unlinked
	Gone    bool   // it is unlinked
}

func (p *page) showLink(w http.ResponseWriter, _ *http.Request) {
	p.linkPage(w, http.StatusOK, linkView{})
}

func (p *page) link(w http.ResponseWriter, r *http.Request) {
	if p.linkings.over(remote(r), p.Now()) {
		w.Header().Set("Retry-After", "60")
		p.linkPage(w, http.StatusTooManyRequests, linkView{Bad: "Too many tries. Try again in a minute."})
		return
	}
	if err := r.ParseForm(); err != nil {
		p.linkPage(w, http.StatusBadRequest, linkView{Bad: "The form could not be read."})
		return
	}
	v := linkView{Chosen: r.PostForm.Get("target")}
	i := slices.IndexFunc(p.Linkings, func(l Linking) bool { return l.Target == v.Chosen })
	if i < 0 {
		p.linkPage(w, http.StatusBadRequest, linkView{Bad: "Choose a CI server."})
		return
	}
	token := strings.TrimSpace(r.PostForm.Get("token"))
	ctx, cancel := context.WithTimeout(r.Context(), linkTimeout)
	defer cancel()
	do := p.Linkings[i].Link
	if v.Gone = r.PostForm.Get("do") == "unlink"; v.Gone {
		do = p.Linkings[i].Unlink
	}
	login, err := do(ctx, token)
	switch {
	case errors.Is(err, ErrTokenRefused):
		p.Log.Warn("link: token refused", "target", v.Chosen, "remote", r.RemoteAddr)
		v.Bad = "This is not the token of a person there. Nothing was changed."
		p.linkPage(w, http.StatusUnprocessableEntity, v)
	case errors.Is(err, ErrNothingLinked):
		v.Bad = "Nothing of yours is linked there."
		p.linkPage(w, http.StatusUnprocessableEntity, v)
	case err != nil:
		p.Log.Error("link: a token could not be linked or unlinked", "target", v.Chosen, "err", err)
		v.Bad = "It could not be asked whose this is, or it could not be written down. Try again later."
		p.linkPage(w, http.StatusBadGateway, v)
	default:
		v.Login = login
		p.linkPage(w, http.StatusOK, v)
	}
}

func (p *page) linkPage(w http.ResponseWriter, status int, v linkView) {
	if len(p.Linkings) == 0 {
		p.refuse(w, http.StatusNotFound, "No CI server takes tokens here: users.link of its target is off.")
		return
	}
	v.links, v.Title, v.Targets = p.links, "Link your token", p.Linkings
	p.render(w, status, "link", v)
}
