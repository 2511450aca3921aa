package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// publish makes one target show what one user holds, and reads it back.
func (e *Engine) publish(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	t, ok := e.targets[l.Job.Target]
	if !ok {
		return syncqueue.Outcome{}, unconfigured(l.Job)
	}
	h, err := e.cfg.Store.Holdings(ctx, p.Name, l.Job.Subject.ID)
	if errors.Is(err, storage.ErrUnknown) {
		return syncqueue.Outcome{Result: syncqueue.ResultSuperseded, Note: "the catalogue does not know this user"}, nil
	}
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	afresh := l.Job.Looks == 0 && !l.Job.Announced()
	want := target.Desired{
		Version:  h.Version,
		Complete: h.Complete,
		Present:  present(h, t.Name, afresh),
		Absent:   h.Absent(t.Name),
		Seen:     everShown(h, t.Name),
		Force:    l.Job.Force,
		Explain:  l.Job.Looks >= len(e.cfg.Verify),
	}
	if h.Complete && p.passing.Load() < e.cfg.Now().Unix() {
		// Amid a pass the CI server shows what the pass is yet to come to.
		want.Stray = p.stray(h, func(id string) (storage.Column, error) { return e.cfg.Store.Repo(ctx, p.Name, id) })
	}
	if c, ok := p.Forge.(providers.Counter); ok {
		want.Count = func(ctx context.Context) (int, error) {
			return p.sane.count(ctx, c, h.User, len(want.Absent) >= max(e.cfg.Guard.MinRepos, 1), e.cfg.Now)
		}
	}
	if f, ok := p.Forge.(providers.RemoteForge); ok {
		want.Remote = f.Remote
	}
	bye, err := e.part(ctx, p, t, l, h)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	if bye.before != nil {
		return *bye.before, nil
	}
	r, err := t.Driver.Sync(ctx, h.User, want)
	if err != nil {
		o, err := e.unpublished(l, t, h, err)
		return e.parted(ctx, t, h.User, bye, o, err)
	}
	if r.Synced {
		p.beyond(h, &r)
	}
	stillHidden(h, t.Name, &r)
	o, err := e.published(l, t, h, r)
	if len(r.Strays) > 0 && !l.Job.CausedBy(byStray) {
		// The forge lists what the catalogue does not know: read his list again.
		j := syncqueue.UserJob(p.Name, h.User, syncqueue.LanePoll, e.cfg.Now())
		j.Causes = []syncqueue.Cause{{By: byStray, At: e.cfg.Now()}}
		o.Follow = append(o.Follow, j)
	}
	took, unread := e.namesakes(ctx, p, l, r)
	if unread != nil {
		return syncqueue.Outcome{}, unread
	}
	o.Follow = append(o.Follow, took...)
	return e.parted(ctx, t, h.User, bye, o, err)
}

// byStray is the cause of looking again at a user to whom the CI server shows
// more than the catalogue holds. One such look leads to no other.
const byStray = "stray"

// stray tells what a user whose list is complete does not hold: what he lost,
// what was deleted, and what belongs to organizations that the catalogue covers.
// Names decide only of repositories that the catalogue never met: a CI server
// may know one by a path that it left long ago.
func (p *provider) stray(h storage.Holdings, repo func(id string) (storage.Column, error)) func(id, path string) bool {
	held := map[string]bool{}
	for _, c := range h.Cells {
		held[c.Repo.ID] = c.Permission > providers.None
	}
	return func(id, path string) bool {
		if has, met := held[id]; met {
			return !has
		}
		col, err := repo(id)
		switch {
		case errors.Is(err, storage.ErrUnknown):
			return p.Orgs.Has(providers.Org{Name: providers.OwnerOf(path)})
		case err != nil:
			return false // nothing is known of it now
		}
		return col.Gone || p.Orgs.Has(col.Repo.Org)
	}
}

// beyond counts as gone what the CI server has just read from the forge, though
// the user lost it, if it belongs to nobody whom the catalogue covers: whoever
// took it out of an organization may have kept it, and no token of that
// organization can tell.
func (p *provider) beyond(h storage.Holdings, r *target.Result) {
	org := map[string]providers.Org{}
	for _, c := range h.Cells {
		org[c.Repo.ID] = c.Repo.Org
	}
	r.Remaining = slices.DeleteFunc(r.Remaining, func(id string) bool {
		o, met := org[id]
		if !met || p.Orgs.Has(o) {
			return false
		}
		r.Gone = append(r.Gone, id)
		return true
	})
}

// present is what is to show. What is known never to show is looked for afresh
// where no event waits for an answer, as when all is reconciled: what hid it may
// be over, and nobody tells. What waits to be activated may show any time.
func present(h storage.Holdings, targetName string, afresh bool) []providers.Access {
	out := make([]providers.Access, 0, len(h.Cells))
	for _, c := range h.Cells {
		if c.Permission > providers.None && (afresh || c.Hidden[targetName] == "" || inactive(c, targetName)) {
			out = append(out, providers.Access{User: h.User, Repo: c.Repo, Permission: c.Permission})
		}
	}
	return out
}

// everShown tells what the CI server was seen to show of what is held, and not known
// to be hidden since.
func everShown(h storage.Holdings, targetName string) func(id string) bool {
	ids := map[string]bool{}
	for _, c := range h.Cells {
		if c.Permission > providers.None && !c.Shown[targetName].IsZero() && c.Hidden[targetName] == "" {
			ids[c.Repo.ID] = true
		}
	}
	return func(id string) bool { return ids[id] }
}

// stillHidden leaves out of a result what is as hidden as it was, which is no
// news.
func stillHidden(h storage.Holdings, targetName string, r *target.Result) {
	was := make(map[string]string, len(h.Cells))
	for _, c := range h.Cells {
		if !inactive(c, targetName) {
			was[c.Repo.ID] = c.Hidden[targetName]
		}
	}
	r.Missing = slices.DeleteFunc(r.Missing, func(id string) bool { return was[id] != "" })
	maps.DeleteFunc(r.Hidden, func(id, why string) bool { return was[id] == why })
}

// published turns what the CI server shows into an outcome.
func (e *Engine) published(l syncqueue.Lease, t Target, h storage.Holdings, r target.Result) (syncqueue.Outcome, error) {
	confirm := &storage.Confirm{
		Target: t.Name, Provider: l.Job.Provider, User: h.User.ID, Version: h.Version,
		Done: r.Settled(), Shown: r.Shown, Gone: r.Gone, Hidden: r.Hidden,
		Credential: string(credentialOf(t, h.User)),
	}
	o := syncqueue.Outcome{Confirm: confirm}
	switch {
	case !r.Settled():
		note := fmt.Sprintf("%d not visible yet, %d still visible", len(r.Missing), len(r.Remaining))
		next, ok := e.again(l, note)
		if !ok {
			return o, syncqueue.Permanent(fmt.Errorf("after %d looks at %s: %s: %s", l.Job.Looks+1, t.Name, note, sample(h, r)))
		}
		o.Result, o.Note, o.Next = next.Result, next.Note, next.Next
	case len(r.Hidden) > 0:
		o.Result, o.Note = syncqueue.ResultHidden, "expected hidden: "+evidence(h, r.Hidden)
	default:
		o.Note = fmt.Sprintf("%d visible, %d gone", len(r.Shown), len(r.Gone))
		if !r.Synced {
			o.Note += ", as it was"
		}
		if r.Note != "" {
			o.Note += ": " + r.Note
		}
	}
	confirm.Note = o.Note
	return o, nil
}

// credentialOf is the state of a user's credential after a look: a user for whom
// everything showed already may have none.
func credentialOf(t Target, u providers.User) target.Credential {
	if k, ok := t.Driver.(target.Keyring); ok {
		return k.Credential(u.Login)
	}
	return target.CredentialOK
}

// unpublished sorts a target's refusal: what only the outside can mend parks,
// what the guard holds looks again, anything else is retried.
func (e *Engine) unpublished(l syncqueue.Lease, t Target, h storage.Holdings, err error) (syncqueue.Outcome, error) {
	park := func(c target.Credential) (syncqueue.Outcome, error) {
		note := err.Error()
		if lost := h.Absent(t.Name); len(lost) > 0 && c != "" {
			note = stale(lost) + ": " + note
		}
		return syncqueue.Outcome{
			Result: syncqueue.ResultParked, Note: note,
			Confirm: &storage.Confirm{
				Target: t.Name, Provider: l.Job.Provider, User: h.User.ID, Version: h.Version,
				Credential: string(c), Note: note,
			},
		}, nil
	}
	var held *target.HeldError
	var later *target.LaterError
	switch {
	case errors.Is(err, target.ErrNoCredential):
		return park(target.CredentialMissing)
	case errors.Is(err, target.ErrRejected), errors.Is(err, target.ErrMustLogIn):
		return park(target.CredentialRejected)
	case errors.Is(err, target.ErrNoAccount):
		return park("")
	case errors.As(err, &held):
		return e.hold(l, t.Name, err.Error()), nil
	case errors.As(err, &later):
		return syncqueue.Outcome{}, syncqueue.After(later.At, err)
	}
	return syncqueue.Outcome{}, err
}

// stale says that access outlives its loss, since nobody can act for the user.
func stale(lost []providers.Access) string {
	names := make([]string, len(lost))
	for i, a := range lost {
		names[i] = a.Repo.Path
	}
	slices.Sort(names)
	return "security: " + enumerate("he may still see what he lost,", names)
}

// evidence names the hidden repositories and why, in a stable order.
func evidence(h storage.Holdings, hidden map[string]string) string {
	lines := make([]string, 0, len(hidden))
	for _, c := range h.Cells {
		if why, ok := hidden[c.Repo.ID]; ok {
			lines = append(lines, c.Repo.Path+": "+why)
		}
	}
	slices.Sort(lines)
	const most = 5
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "; ")
}

// sample names some of what did not become so.
func sample(h storage.Holdings, r target.Result) string {
	ids := map[string]string{}
	for _, id := range r.Missing {
		ids[id] = "missing"
	}
	for _, id := range r.Remaining {
		ids[id] = "still visible"
	}
	return evidence(h, ids)
}
