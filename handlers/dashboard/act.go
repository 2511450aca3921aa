package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/syncqueue"
)

// signedIn lets forms through that a visitor sent from his own page.
func (p *page) signedIn(next func(http.ResponseWriter, *http.Request, visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := p.visitor(r)
		switch {
		case !ok:
			p.ask(w, http.StatusUnauthorized, "The session has ended. Nothing was changed.")
		case r.ParseForm() != nil:
			p.refuse(w, http.StatusBadRequest, "The form could not be read. Nothing was changed.")
		case !v.signed(r.PostForm.Get("form")):
			p.Log.Warn("denied: the form is not the session's", "token", v.name, "method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr)
			p.refuse(w, http.StatusForbidden, "This form is not of your session. Nothing was changed: load the page again.")
		default:
			next(w, r, v)
		}
	}
}

// acting lets operators through, and logs what they do before it is done. An
// action returns what to tell the operator on the page he comes back to.
func (p *page) acting(do func(context.Context, *http.Request) (notice string, err error)) http.HandlerFunc {
	return p.signedIn(func(w http.ResponseWriter, r *http.Request, v visitor) {
		if !v.acts {
			p.Log.Warn("denied", "token", v.name, "role", v.role, "method", r.Method, "path", r.URL.Path)
			p.refuse(w, http.StatusForbidden, "The role "+v.role+" may look, not change anything.")
			return
		}
		if p.actions.over(v.pass, p.Now()) {
			w.Header().Set("Retry-After", "60")
			p.refuse(w, http.StatusTooManyRequests, "Too much in one minute. Nothing was changed.")
			return
		}
		p.audit(r, v)
		notice, err := do(r.Context(), r)
		if err != nil {
			p.fail(w, r, err)
			return
		}
		p.sessions.tell(v.cookie, notice)
		f := readFilter(r.URL.Query())
		f.Delivery = r.PostForm.Get("delivery")
		http.Redirect(w, r, f.link(), http.StatusSeeOther)
	})
}

func (p *page) audit(r *http.Request, v visitor) {
	p.Log.Info("audit", "token", v.name, "role", v.role, "method", r.Method, "path", r.URL.Path, "cause", clip(r.PostForm.Get("cause")), "remote", r.RemoteAddr)
}

// id is what the path names; ids are upper-case.
func id(r *http.Request) string { return strings.ToUpper(r.PathValue("id")) }

func (p *page) redeliver(ctx context.Context, r *http.Request) (string, error) {
	n, err := p.Steering.Redeliver(ctx, id(r))
	if n == 0 {
		return fmt.Sprintf("Delivery %s led to no job: what was ignored stays ignored.", clip(id(r))), err
	}
	return fmt.Sprintf("Delivery %s was delivered again: %s.", clip(id(r)), count(n, "job", "jobs")), err
}

func (p *page) retryJob(ctx context.Context, r *http.Request) (string, error) {
	j, err := p.Steering.Retry(ctx, id(r))
	return fmt.Sprintf("Job %s is due now.", j.ID), err
}

func (p *page) dropJob(ctx context.Context, r *http.Request) (string, error) {
	return fmt.Sprintf("Job %s was dropped.", clip(id(r))), p.Steering.Drop(ctx, id(r))
}

func (p *page) retryCause(ctx context.Context, r *http.Request) (string, error) {
	ids, err := p.ofCause(ctx, r)
	if err != nil {
		return "", err
	}
	n, err := p.Steering.RetryAll(ctx, ids)
	return count(n, "job is", "jobs are") + " due now.", err
}

func (p *page) dropCause(ctx context.Context, r *http.Request) (string, error) {
	ids, err := p.ofCause(ctx, r)
	if err != nil {
		return "", err
	}
	n, err := p.Steering.DropAll(ctx, ids)
	return count(n, "job was", "jobs were") + " dropped.", err
}

// ofCause finds the jobs that are stuck for the cause a form names, but for
// those that its page could not show yet: nobody agreed to those.
func (p *page) ofCause(ctx context.Context, r *http.Request) ([]string, error) {
	seen, err := time.Parse(time.RFC3339Nano, r.PostForm.Get("seen"))
	if err != nil {
		return nil, syncqueue.ErrUnknown
	}
	var ids []string
	for _, state := range stuckStates {
		jobs, _, err := p.stuck(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			if causeOf(j).key == r.PostForm.Get("cause") && !since(j).After(seen) {
				ids = append(ids, j.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil, syncqueue.ErrUnknown
	}
	return ids, nil
}
