package gitea

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	hooks "github.com/go-playground/webhooks/v6/gitea"

	"github.com/hookd/hookd/providers"
)

// described are the events whose typed payload tells more than Parse does.
var described = []hooks.Event{
	hooks.RepositoryEvent, hooks.ForkEvent, hooks.PushEvent, hooks.CreateEvent, hooks.DeleteEvent,
}

// Describe reads the typed payload, which verifies the delivery once more. What
// the library does not know, or refuses although our own check passed, is
// described from what Parse knows; so the only error is Parse's ErrMalformed.
func (h *Hook) Describe(d providers.Delivery) (providers.Details, error) {
	if p, err := h.typed(d); err == nil {
		switch p := p.(type) {
		case hooks.RepositoryPayload:
			if p.Repository != nil {
				return describeRepo(withAction("repository", string(p.Action)), p.Repository, p.Sender), nil
			}
		case hooks.ForkPayload:
			return h.describeFork(d, p)
		case hooks.PushPayload:
			return describeRef("pushed to", p.Ref, p.Repo, p.Sender), nil
		case hooks.CreatePayload:
			return describeRef("created "+p.RefType, p.Ref, p.Repo, p.Sender), nil
		case hooks.DeletePayload:
			return describeRef("deleted "+p.RefType, p.Ref, p.Repo, p.Sender), nil
		}
	}
	return h.plain(d)
}

// typed hands a copy of the delivery to the library with the one secret that
// matched. The copy is signed anew when the journal no longer has the
// signature, and when only Forgejo's headers came, which the library ignores.
func (h *Hook) typed(d providers.Delivery) (any, error) {
	if d.Secret < 0 || d.Secret >= h.secrets.Len() {
		return nil, errors.New("gitea: the secret of this delivery is no longer live")
	}
	key := h.secrets.Key(d.Secret)
	lib, err := hooks.New(hooks.Options.Secret(key))
	if err != nil {
		return nil, err
	}
	header := d.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Gitea-Event", eventName(d.Header))
	if sum := first(header, "X-Gitea-Signature", "X-Forgejo-Signature"); sum != "" {
		header.Set("X-Gitea-Signature", sum)
	} else {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write(d.Body)
		header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
	}
	return lib.Parse(&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/"}, Header: header,
		Body: io.NopCloser(bytes.NewReader(d.Body)), ContentLength: int64(len(d.Body)),
	}, described...)
}

// plain describes a delivery from its event.
func (h *Hook) plain(d providers.Delivery) (providers.Details, error) {
	e, err := h.Parse(d)
	if errors.Is(err, providers.ErrMalformed) {
		return providers.Details{}, err
	}
	facts := facts{}
	facts.add("sender", e.Sender.Login)
	summary := e.Name
	if e.Repo != nil {
		facts.add("repository", e.Repo.Path)
		facts.add("visibility", string(e.Repo.Visibility))
		summary += " " + e.Repo.Path
	}
	return providers.Details{Summary: summary, Facts: facts}, nil
}

func (h *Hook) describeFork(d providers.Delivery, p hooks.ForkPayload) (providers.Details, error) {
	e, err := h.Parse(d)
	if err != nil {
		return providers.Details{}, err
	}
	fork := p.Repo
	if p.Forkee != nil && strconv.FormatInt(p.Forkee.ID, 10) == e.Repo.ID {
		fork = p.Forkee
	}
	if fork == nil {
		return h.plain(d)
	}
	details := describeRepo("fork", fork, p.Sender)
	details.Summary = login(p.Sender) + " forked " + e.From + " to " + fork.FullName
	facts(details.Facts).add("parent", e.From)
	return details, nil
}

func describeRepo(name string, r *hooks.Repository, sender *hooks.User) providers.Details {
	f := facts{}
	f.add("repository", r.FullName)
	f.add("visibility", string(visibility(r.Private, r.Internal)))
	f.add("default_branch", r.DefaultBranch)
	f.add("clone_url", r.CloneURL)
	f.add("sender", login(sender))
	f.flag("archived", r.Archived)
	f.flag("empty", r.Empty)
	f.flag("fork", r.Fork)
	f.flag("mirror", r.Mirror)
	f.flag("template", r.Template)
	if r.Parent != nil {
		f.add("parent", r.Parent.FullName)
	}
	return providers.Details{
		Summary: name + " " + r.FullName + " (" + f["visibility"] + ") by " + login(sender),
		Facts:   f,
	}
}

func describeRef(verb, ref string, r *hooks.Repository, sender *hooks.User) providers.Details {
	f := facts{}
	f.add("ref", ref)
	f.add("sender", login(sender))
	summary := login(sender) + " " + verb + " " + ref
	if r != nil {
		f.add("repository", r.FullName)
		summary += " of " + r.FullName
	}
	return providers.Details{Summary: summary, Facts: f}
}

// facts leaves out what is not said, so that a policy can test for presence.
type facts map[string]string

func (f facts) add(name, value string) {
	if value != "" {
		f[name] = value
	}
}

func (f facts) flag(name string, set bool) {
	if set {
		f[name] = "true"
	}
}

func login(u *hooks.User) string {
	if u == nil || u.UserName == "" {
		return "somebody"
	}
	return u.UserName
}
