package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// Differences reads the forge as the jobs would and yields what each would
// change, with the reason where it would be held. Nothing is written, no cached
// read is used and none is kept. An error concerns one job: the others go on.
func (e *Engine) Differences(ctx context.Context, jobs []syncqueue.Job) iter.Seq2[storage.Difference, error] {
	return func(yield func(storage.Difference, error) bool) {
		apart := map[string]*provider{}
		for _, j := range jobs {
			p := apart[j.Provider]
			if known, ok := e.providers[j.Provider]; ok && p == nil {
				p = e.remember(known.Provider)
				p.targets = known.targets
				apart[j.Provider] = p
			}
			if p == nil {
				if !yield(storage.Difference{}, fmt.Errorf("provider %q is not configured", j.Provider)) {
					return
				}
				continue
			}
			w := &wouldBe{Engine: e, p: p, yield: func(d storage.Difference) bool {
				d.Provider = j.Provider
				return yield(d, nil)
			}}
			// A fence above all others: whatever is read now is the latest word.
			err := w.job(ctx, syncqueue.Lease{Job: j, Fence: math.MaxUint64})
			if errors.Is(err, errEnough) || err != nil && !yield(storage.Difference{}, fmt.Errorf("%s of %s on %s: %w", j.Kind, j.Subject, j.Provider, err)) {
				return
			}
		}
	}
}

// errEnough: nobody wants to hear more.
var errEnough = errors.New("enough")

// wouldBe runs jobs up to where they would be applied. Its provider remembers
// nothing of before and is forgotten afterwards.
type wouldBe struct {
	*Engine
	p     *provider
	yield func(storage.Difference) bool
}

func (w *wouldBe) job(ctx context.Context, l syncqueue.Lease) error {
	var f finding
	var err error
	switch l.Job.Kind {
	case syncqueue.KindUser:
		f, err = w.lookAtUser(ctx, w.p, l)
	case syncqueue.KindMember:
		f, err = w.lookAtMember(ctx, w.p, l)
	case syncqueue.KindRepo:
		f, err = w.lookAtRepo(ctx, w.p, l)
	case syncqueue.KindScope:
		return w.organization(ctx, l)
	default:
		err = fmt.Errorf("a job of kind %s changes nothing", l.Job.Kind)
	}
	if err != nil {
		return err
	}
	return w.tell(ctx, f)
}

// organization does all at once what the runs of a scope job do one after the
// other, and what the jobs do that those push for what needs a closer look.
func (w *wouldBe) organization(ctx context.Context, l syncqueue.Lease) error {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	var c storage.Change
	var o syncqueue.Outcome
	at, err := w.begin(ctx, w.p, l, org, &c, &o)
	if err != nil {
		return err
	}
	for _, r := range at.Pending {
		if err := w.repository(ctx, l, r); err != nil {
			return fmt.Errorf("%s: %w", r.Path, err)
		}
	}
	for _, j := range o.Follow { // known, and not listed any more
		l.Job = j
		if err := w.job(ctx, l); err != nil {
			return fmt.Errorf("%s: %w", j.Subject.Name, err)
		}
	}
	return nil
}

func (w *wouldBe) repository(ctx context.Context, l syncqueue.Lease, r providers.Repo) error {
	col, err := w.column(ctx, r.ID)
	if err != nil {
		return err
	}
	a, _, err := w.audience(ctx, w.p, l, r, col)
	switch {
	case errors.Is(err, providers.ErrNotFound):
		l.Job = syncqueue.RepoJob(w.p.Name, r, l.Job.Lane, w.cfg.Now())
		return w.job(ctx, l)
	case errors.Is(err, errContradiction):
		return w.tell(ctx, finding{change: storage.Change{Audiences: []storage.Audience{a.Audience}}, held: err.Error()})
	case err != nil:
		return err
	}
	f := finding{spared: a.spared}
	a.record(&f.change)
	return w.tell(ctx, f)
}

// tell yields what a finding would change.
func (w *wouldBe) tell(ctx context.Context, f finding) error {
	var all []storage.Difference
	for _, list := range f.change.Lists {
		h, err := w.holdings(ctx, list.User)
		if err != nil {
			return err
		}
		all = append(all, storage.DiffList(h, list)...)
	}
	for _, a := range f.change.Audiences {
		c, err := w.column(ctx, a.Repo.ID)
		if err != nil {
			return err
		}
		all = append(all, storage.DiffAudience(c, a)...)
	}
	for _, id := range f.change.Gone {
		c, err := w.column(ctx, id)
		if err != nil {
			return err
		}
		all = append(all, storage.DiffAudience(c, storage.Audience{Repo: c.Repo})...)
	}
	byUser := map[string][]providers.Access{}
	for _, x := range f.change.Cells {
		byUser[x.User.ID] = append(byUser[x.User.ID], x)
	}
	for _, id := range slices.Sorted(maps.Keys(byUser)) {
		h, err := w.holdings(ctx, byUser[id][0].User)
		if err != nil {
			return err
		}
		all = append(all, storage.DiffCells(h, byUser[id])...)
	}
	for _, x := range f.spared {
		h, err := w.holdings(ctx, x.user)
		if err != nil {
			return err
		}
		for _, d := range storage.DiffCells(h, []providers.Access{{User: x.user, Repo: x.repo}}) {
			if d.Held = "he may have lost much at once: a look at all he has decides"; !w.yield(d) {
				return errEnough
			}
		}
	}
	for _, d := range all {
		if d.Held = f.held; !w.yield(d) {
			return errEnough
		}
	}
	return ctx.Err()
}

func (w *wouldBe) holdings(ctx context.Context, u providers.User) (storage.Holdings, error) {
	h, err := w.cfg.Store.Holdings(ctx, w.p.Name, u.ID)
	if errors.Is(err, storage.ErrUnknown) {
		return storage.Holdings{User: u}, nil
	}
	return h, err
}

func (w *wouldBe) column(ctx context.Context, repoID string) (storage.Column, error) {
	c, err := w.cfg.Store.Repo(ctx, w.p.Name, repoID)
	if errors.Is(err, storage.ErrUnknown) {
		return storage.Column{}, nil
	}
	return c, err
}
