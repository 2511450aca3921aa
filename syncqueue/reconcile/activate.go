package reconcile

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// patience is how long a repository that no rule matches yet is looked at again:
// many are created empty and filled later.
const patience = 30 * 24 * time.Hour

// firstWait is the least time between two such looks. They come as far apart as
// half the repository's age, and not further than the reconcile bound.
const firstWait = 2 * time.Second

// activateAfter lets those who may activate a repository be published first.
const activateAfter = time.Second

// able completes a target that has a policy, and fails if nobody can act it out
// or the forge tells too little.
func (t *Target) able(f providers.Forge) error {
	if len(t.Policy.Rules) == 0 {
		return nil
	}
	if t.Activator == nil {
		t.Activator, _ = t.Driver.(target.Activator)
	}
	if t.Activator == nil {
		return errors.New("it activates nothing, and has a policy for it")
	}
	_, tells := f.(providers.ContentForge)
	if !tells && slices.ContainsFunc(t.Policy.Rules, func(u target.Rule) bool { return len(u.Topics)+len(u.Files) > 0 }) {
		return errors.New("its policy asks for topics or files, and this kind of forge tells of neither")
	}
	return nil
}

// activation returns the job that decides on a repository which the catalogue
// just met, if a target's policy is to: one that was created since the policy is
// in force in its organization, and on which nothing was decided yet.
func (e *Engine) activation(ctx context.Context, p *provider, t Target, l syncqueue.Lease, r providers.Repo) ([]syncqueue.Job, error) {
	if len(t.Policy.Rules) == 0 || r.Archived || !p.Orgs.Has(r.Org) {
		return nil, nil
	}
	since, err := e.inForce(ctx, t, r.Org)
	if err != nil || r.Created.Before(since) {
		return nil, err
	}
	decided, err := e.decided(ctx, t, r.ID)
	if err != nil || decided.State != "" {
		return nil, err
	}
	j := syncqueue.ActivationJob(t.Name, p.Name, r, l.Job, max(l.Job.Lane, syncqueue.LaneAddition), e.cfg.Now())
	j.NotBefore = j.NotBefore.Add(activateAfter)
	return []syncqueue.Job{j}, nil
}

// announced returns the jobs that decide on a repository of which a delivery says
// that it is new, for all targets. Some other read may have met it a moment
// before, and only the delivery knows who made it.
func (e *Engine) announced(ctx context.Context, p *provider, l syncqueue.Lease, f finding) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	for _, r := range f.change.Repos {
		for _, name := range p.keepers {
			more, err := e.activation(ctx, p, e.targets[name], l, r)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, more...)
		}
	}
	return jobs, nil
}

func (e *Engine) decided(ctx context.Context, t Target, repo string) (a storage.Activation, err error) {
	err = e.load(ctx, storage.ActivationKey(t.Name, t.Provider, repo), &a)
	return a, err
}

func inForceKey(t Target, org string) string {
	return storage.ActivationKey(t.Name, t.Provider, "since/"+org)
}

// inForce is since when a target's policy is in force in an organization: what
// was there before is not new. One that was not written down is met for the
// first time in this life.
func (e *Engine) inForce(ctx context.Context, t Target, org providers.Org) (time.Time, error) {
	since := e.started
	err := e.load(ctx, inForceKey(t, org.ID), &since)
	return since, err
}

// enforce writes down that policies are in force in organizations from now on.
func (e *Engine) enforce(ctx context.Context, p *provider, orgs []providers.Org) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, name := range p.targets {
		t := e.targets[name]
		if len(t.Policy.Rules) == 0 {
			continue
		}
		for _, o := range orgs {
			since, err := e.inForce(ctx, t, o)
			if err != nil {
				return nil, err
			}
			out[inForceKey(t, o.ID)] = encode(since)
		}
	}
	return out, nil
}

// activate decides on one new repository, and acts on it.
func (e *Engine) activate(ctx context.Context, p *provider, t Target, l syncqueue.Lease) (syncqueue.Outcome, error) {
	if len(t.Policy.Rules) == 0 {
		return *superseded("the target has no policy any more").instead, nil
	}
	was, err := e.decided(ctx, t, l.Job.Subject.ID)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	if was.State != "" && !l.Job.Force {
		return *superseded(fmt.Sprintf("decided at %s: %s", was.At.UTC().Format(time.RFC3339), was.State)).instead, nil
	}
	r, err := p.Forge.Repo(ctx, l.Job.Subject.ID)
	switch {
	case errors.Is(err, providers.ErrNotFound):
		return *superseded("the forge does not show it any more").instead, nil
	case err != nil:
		return syncqueue.Outcome{}, err
	case !p.Orgs.Has(r.Org):
		return *superseded("belongs to " + r.Org.Name + ", which is not configured").instead, nil
	}
	d, err := e.decide(ctx, p, t.Policy, r)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	switch {
	case d.Rule == 0 && d.Later:
		if o, ok := e.later(r, "no rule matches yet: "+d.Why); ok {
			return o, nil
		}
		return e.resolve(t, r, storage.Activation{State: storage.LeftAlone, Note: fmt.Sprintf("no rule matched in %d days: %s", int(patience.Hours()/24), d.Why)}), nil
	case d.Rule == 0:
		return e.resolve(t, r, storage.Activation{State: storage.LeftAlone, Note: "no rule matches: " + d.Why}), nil
	case d.Skip:
		return e.resolve(t, r, storage.Activation{State: storage.LeftAlone, Rule: d.Rule, Note: fmt.Sprintf("rule %d says so", d.Rule)}), nil
	}
	return e.actOut(ctx, p, t, l, r, d.Rule)
}

// decide asks the policy, and the forge for what it wants to know.
func (e *Engine) decide(ctx context.Context, p *provider, policy target.Policy, r providers.Repo) (target.Decision, error) {
	known := target.Facts{Paths: map[string]bool{}}
	for {
		d := policy.Decide(r, known)
		if d.Ask == (target.Question{}) {
			return d, nil
		}
		f, ok := p.Forge.(providers.ContentForge)
		if !ok {
			return d, syncqueue.Permanent(errors.New("this kind of forge tells neither topics nor files"))
		}
		var err error
		if d.Ask.Topics {
			known.Topics, err = f.Topics(ctx, r)
			known.Asked = true
		} else {
			known.Paths[d.Ask.Path], err = f.HasPath(ctx, r, d.Ask.Path)
		}
		if err != nil {
			return d, err
		}
	}
}

// later looks again when the repository is half as old again; ok is false when
// it is no longer new.
func (e *Engine) later(r providers.Repo, note string) (o syncqueue.Outcome, ok bool) {
	now := e.cfg.Now()
	age := now.Sub(r.Created)
	if age >= patience {
		return o, false
	}
	wait := max(min(age/2, e.cfg.Reconcile), firstWait)
	return syncqueue.Outcome{Result: syncqueue.ResultAgain, Note: note, Next: now.Add(wait)}, true
}

// actOut activates a repository that a rule matches.
func (e *Engine) actOut(ctx context.Context, p *provider, t Target, l syncqueue.Lease, r providers.Repo, n int) (syncqueue.Outcome, error) {
	rule := t.Policy.Rules[n-1]
	set := rule.Set.For(r)
	as, unknown, err := e.actors(ctx, rule, l.Job)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	wish := fmt.Sprintf("rule %d, as %s", n, strings.Join(as, " or "))
	if len(as) == 0 {
		wish = fmt.Sprintf("rule %d", n)
	}
	if s := set.String(); s != "" {
		wish += ", with " + s
	}
	if t.Policy.DryRun {
		if unknown != "" {
			wish += "; " + unknown
		}
		return e.resolve(t, r, storage.Activation{State: storage.WouldActivate, Rule: n, Note: wish}), nil
	}
	got, err := t.Activator.Activate(ctx, r, as, set)
	var unable *target.UnableError
	switch {
	case errors.Is(err, target.ErrNotListed):
		if o, ok := e.later(r, err.Error()); ok {
			return o, nil
		}
		return e.unable(t, r, n, err.Error()), nil
	case errors.As(err, &unable):
		why := err.Error()
		if unknown != "" {
			why += "; " + unknown
		}
		return e.unable(t, r, n, why), nil
	case err != nil:
		return syncqueue.Outcome{}, err
	case got.Already:
		return e.resolve(t, r, storage.Activation{State: storage.ActiveAlready, Rule: n, Note: "it was active, and is left as it is"}), nil
	}
	note := wish
	for _, more := range []string{got.Note, e.told(ctx, p, r, got.Hook)} {
		if more != "" {
			note += "; " + more
		}
	}
	return e.resolve(t, r, storage.Activation{State: storage.Activated, Rule: n, As: got.As, Note: note}), nil
}

// actors are the logins who are to act, in their order. Who made a repository is
// known only from a delivery that said so; unknown is why he is not among them.
func (e *Engine) actors(ctx context.Context, rule target.Rule, j syncqueue.Job) (as []string, unknown string, err error) {
	for _, name := range rule.As {
		if name == target.Sender {
			if name, err = e.sender(ctx, j); err != nil {
				return nil, "", err
			}
			if name == "" {
				unknown = "who made it is not known: no delivery told"
				continue
			}
		}
		if !slices.Contains(as, name) {
			as = append(as, name)
		}
	}
	return as, unknown, nil
}

// sender is who made the repository, by the oldest delivery that names it.
func (e *Engine) sender(ctx context.Context, j syncqueue.Job) (string, error) {
	for _, c := range j.Causes {
		if c.Delivery == "" {
			continue
		}
		rec, err := e.cfg.Store.Delivery(ctx, c.Delivery)
		if errors.Is(err, syncqueue.ErrUnknown) {
			continue
		}
		if err != nil {
			return "", err
		}
		if x := rec.Event; x.Repo != nil && x.Repo.ID == j.Subject.ID && x.Effect == providers.EffectRepo && x.Sender.Login != "" {
			return x.Sender.Login, nil
		}
	}
	return "", nil
}

// told says whether the forge will tell the CI server of pushes: by a webhook of
// the repository's own, at the path where the CI server takes them.
func (e *Engine) told(ctx context.Context, p *provider, r providers.Repo, path string) string {
	f, ok := p.Forge.(providers.RepoHookForge)
	if !ok || path == "" {
		return ""
	}
	addresses, err := f.RepoHooks(ctx, r)
	if err != nil {
		return "hookd may not see whether the forge has its webhook: " + err.Error()
	}
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && strings.HasSuffix(u.Path, path) {
			return "the forge sends to " + u.Host
		}
	}
	return "the forge shows no webhook for it"
}

// resolve ends the job with what is decided once and for all.
func (e *Engine) resolve(t Target, r providers.Repo, a storage.Activation) syncqueue.Outcome {
	a.At = e.cfg.Now()
	e.audit(t, r, a.State, a.Rule, a.As, a.Note)
	return syncqueue.Outcome{
		Note:   string(a.State) + ": " + a.Note,
		Change: &storage.Change{Provider: t.Provider, Snapshots: map[string][]byte{storage.ActivationKey(t.Name, t.Provider, r.ID): encode(a)}},
	}
}

// unable parks the job: a credential that appears wakes it, and a sweep.
func (e *Engine) unable(t Target, r providers.Repo, rule int, why string) syncqueue.Outcome {
	e.audit(t, r, "parked", rule, "", why)
	return syncqueue.Outcome{Result: syncqueue.ResultParked, Note: fmt.Sprintf("rule %d matches, but %s", rule, why)}
}

func (e *Engine) audit(t Target, r providers.Repo, state storage.ActivationState, rule int, as, note string) {
	e.cfg.Log.Info("audit", "target", t.Name, "provider", t.Provider, "repo", r.Path, "activation", string(state), "rule", rule, "as", as, "note", note)
}

// waiting returns the jobs about activations that are parked, as they would be
// pushed, unless they were looked at after a time.
func (e *Engine) waiting(ctx context.Context, t Target, by string, before time.Time) ([]syncqueue.Job, error) {
	if len(t.Policy.Rules) == 0 {
		return nil, nil
	}
	pending, err := e.cfg.Store.PendingOf(ctx, syncqueue.ActivationKeys(t.Name, t.Provider))
	if err != nil {
		return nil, err
	}
	var jobs []syncqueue.Job
	for _, j := range pending {
		if j.State == syncqueue.Parked && j.NotBefore.Before(before) {
			r := providers.Repo{ID: j.Subject.ID, Path: j.Subject.Name, Org: providers.Org{ID: j.Org}}
			next := syncqueue.ActivationJob(t.Name, t.Provider, r, syncqueue.Job{}, j.Lane, e.cfg.Now())
			next.Causes = []syncqueue.Cause{{By: by, At: e.cfg.Now()}}
			jobs = append(jobs, next)
		}
	}
	return jobs, nil
}
