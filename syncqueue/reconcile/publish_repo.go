package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// publishRepo makes one target follow what became of a repository by itself,
// whoever sees it there.
func (e *Engine) publishRepo(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	t, ok := e.targets[l.Job.Target]
	if !ok {
		return syncqueue.Outcome{}, unconfigured(l.Job)
	}
	if l.Job.Within.Name == syncqueue.Activation {
		return e.activate(ctx, p, t, l)
	}
	col, err := e.cfg.Store.Repo(ctx, p.Name, l.Job.Subject.ID)
	switch {
	case errors.Is(err, storage.ErrUnknown), err == nil && col.Gone:
		return *superseded("the catalogue has no such repository any more").instead, nil
	case err != nil:
		return syncqueue.Outcome{}, err
	}
	o := syncqueue.Outcome{Note: "nothing is to be done about it"}
	if l.Job.Hint.Narrowed {
		if o, err = e.conceal(ctx, t, col.Repo); err != nil {
			return o, err
		}
	}
	follow, err := e.activation(ctx, p, t, l, col.Repo)
	if len(follow) > 0 {
		o.Follow = follow
		o.Note += "; the policy is to decide whether it is activated"
	}
	return o, err
}

func unconfigured(j syncqueue.Job) error {
	return syncqueue.Permanent(fmt.Errorf("target %q is not configured any more: drop the job, or configure it again and retry", j.Target))
}
