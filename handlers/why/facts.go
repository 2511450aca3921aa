package why

import (
	"context"
	"errors"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// facts are everything an answer is made of.
type facts struct {
	now      time.Time
	provider string
	asked    Question

	user       providers.User
	repo       providers.Repo
	holdings   storage.Holdings // of the user
	cell       *storage.Cell    // of both, nil if there is none
	gone       bool             // the repository was deleted
	renamed    bool             // the question used names of the past
	targets    []targetFacts
	delivery   *syncqueue.Record // that led to the cell's last change, if it did and is kept
	looked     *syncqueue.Job    // of that delivery: the job which asked the forge
	unanswered []syncqueue.Job   // not done, and about to ask the forge about both
	paused     bool
}

// targetFacts are what is known of one target.
type targetFacts struct {
	name string
	Standing
	published storage.Published
	behind    bool
	job       *syncqueue.Job // that is to make it follow, nil if none is

	activation storage.Activation // what its policy came to about the repository, if it did
	deciding   *syncqueue.Job     // that is to decide it, nil if none is
	concealing *syncqueue.Job     // that is to take it from strangers, nil if none is
}

func (f facts) held() bool { return f.cell != nil && f.cell.Permission > providers.None }

func gather(ctx context.Context, s Sources, q Question) (facts, error) {
	f := facts{now: s.Now(), provider: q.Provider, asked: q}
	h, wasLogin, err := findUser(ctx, s, q)
	if err != nil {
		return f, err
	}
	c, wasPath, err := findRepo(ctx, s, q)
	if err != nil {
		return f, err
	}
	f.holdings, f.user, f.repo, f.gone, f.renamed = h, h.User, c.Repo, c.Gone, wasLogin || wasPath
	for i := range h.Cells {
		if h.Cells[i].Repo.ID == c.Repo.ID {
			f.cell = &h.Cells[i]
		}
	}
	if err := f.origin(ctx, s); err != nil {
		return f, err
	}
	for _, k := range f.questions() {
		j, err := pending(ctx, s, k)
		if err != nil {
			return f, err
		}
		if j != nil {
			f.unanswered = append(f.unanswered, *j)
		}
	}
	members, err := s.Console.PendingOf(ctx, syncqueue.MakeKey(string(syncqueue.KindMember), f.provider, f.user.ID, ""))
	if err != nil {
		return f, err
	}
	for _, j := range members {
		if f.reaches(j) {
			j.State = j.StateAt(f.now)
			f.unanswered = append(f.unanswered, j)
		}
	}
	for _, name := range s.Desk.TargetsOf(q.Provider) {
		t := targetFacts{name: name, Standing: s.Desk.Standing(name, f.user.Login), published: h.Targets[name], behind: h.Behind(name)}
		if t.job, err = pending(ctx, s, syncqueue.PublishJob(name, q.Provider, f.user, syncqueue.Job{}, 0, f.now).Key); err != nil {
			return f, err
		}
		if err := t.activated(ctx, s, f); err != nil {
			return f, err
		}
		if err := t.exposed(ctx, s, f); err != nil {
			return f, err
		}
		f.targets = append(f.targets, t)
	}
	stats, err := s.Console.Stats(ctx)
	f.paused = stats.Paused
	return f, err
}

// origin finds the delivery and the job behind the cell's last change. Both may
// have been forgotten.
func (f *facts) origin(ctx context.Context, s Sources) error {
	if f.cell == nil || !isDelivery(f.cell.Cause) {
		return nil
	}
	rec, err := s.Journal.Delivery(ctx, f.cell.Cause)
	if errors.Is(err, syncqueue.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	f.delivery = &rec
	jobs, err := s.Journal.JobsOf(ctx, rec.Delivery.ID)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if f.concerns(j) && (f.looked == nil || f.looked.Finished.Before(j.Finished)) {
			f.looked = &j
		}
	}
	return nil
}

// concerns reports whether j asked the forge about the user or the repository.
func (f *facts) concerns(j syncqueue.Job) bool {
	switch j.Kind {
	case syncqueue.KindRepo:
		return j.Subject.ID == f.repo.ID
	case syncqueue.KindMember, syncqueue.KindUser:
		return j.Subject.ID == f.user.ID
	}
	return j.Kind == syncqueue.KindScope
}

// reaches reports whether a member job of the user may be about the repository
// too: what a team reaches is not known before it has run.
func (f *facts) reaches(j syncqueue.Job) bool {
	if j.Within.Kind == providers.SubjectRepo {
		return j.Within.ID == f.repo.ID
	}
	return j.Org == f.repo.Org.ID
}

// questions are the keys of the jobs that would ask the forge about both,
// beside the user's member jobs.
func (f *facts) questions() []syncqueue.Key {
	return []syncqueue.Key{
		syncqueue.RepoJob(f.provider, f.repo, 0, f.now).Key,
		syncqueue.UserJob(f.provider, f.user, 0, f.now).Key,
		syncqueue.ScopeJob(f.provider, f.repo.Org, f.now).Key,
	}
}

func pending(ctx context.Context, s Sources, k syncqueue.Key) (*syncqueue.Job, error) {
	j, err := s.Console.Pending(ctx, k)
	if errors.Is(err, syncqueue.ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	j.State = j.StateAt(s.Now())
	return &j, nil
}

// isDelivery tells a delivery's id, a ULID, from the word for who else asked.
func isDelivery(cause string) bool {
	if len(cause) != 26 {
		return false
	}
	for _, r := range cause {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}
