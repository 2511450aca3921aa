package why

import (
	"context"

	"github.com/hookd/hookd/syncqueue"
)

// exposed finds the job that is to take the repository from strangers.
func (t *targetFacts) exposed(ctx context.Context, s Sources, f facts) error {
	j, err := pending(ctx, s, syncqueue.PublishRepoJob(t.name, f.provider, f.repo, syncqueue.Job{}, 0, f.now).Key)
	if err == nil && j != nil && j.Hint.Narrowed {
		t.concealing = j
	}
	return err
}

// strangers is whether people may see the repository in the target whom the
// forge does not show it to; ok is false if nothing speaks for it.
func (f facts) strangers(t targetFacts) (l Link, ok bool) {
	j := t.concealing
	if j == nil {
		return l, false
	}
	l = Link{Link: "strangers", Target: t.name, State: Wait, Job: j.ID, Says: "they may still see it; the job that takes it from them is " + f.progress(*j)}
	if stuck(j) {
		l.State = No
	}
	return l, true
}
