package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/target"
)

// Store is what the engine needs of an engine of storage.
type Store interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Backlog
	PendingOf(ctx context.Context, prefix syncqueue.Key) ([]syncqueue.Job, error) // as a syncqueue.Console's
	storage.Catalogue
}

// Provider is one configured forge.
type Provider struct {
	Name  string
	Forge providers.Forge
	Hook  providers.Hook
	Orgs  *providers.OrgSet
	Names []string // the configured organizations, "*" for all

	// Coverage is what the kind of forge declares about what its webhooks
	// tell; without it everything is polled.
	Coverage []providers.Coverage

	Members time.Duration // between polls of teams, members and collaborators; 0 never
	Repos   time.Duration // between polls of repositories; 0 never

	Public     string        // hookd's public address, by which its webhooks are known; "" if not configured
	Deliveries time.Duration // between readings of the forge's delivery log; 0 never
}

// Target is one configured CI server.
type Target struct {
	Name     string
	Provider string
	Driver   target.Target

	Policy    target.Policy    // which new repositories are activated
	Activator target.Activator // acts that out; the Driver, if nil

	Offboard       target.Offboarding // of whoever leaves every configured organization
	OffboardAdmins []string           // administrators of the CI server who are not spared
}

// Config is what an Engine is made of.
type Config struct {
	Providers []Provider
	Targets   []Target
	Store     Store
	Log       *slog.Logger
	Now       func() time.Time

	Verify    []time.Duration // when to look again at what does not show yet
	Reconcile time.Duration   // bound on staleness for every user
	Guard     target.Guard
	Held      func(target string) // counts what the shrink guard held; may be nil

	Timing  syncqueue.Timing                  // of what is fetched from delivery logs
	Fetched func(e syncqueue.Entry, jobs int) // is told of it; may be nil
}

// An Engine handles jobs. It is safe for concurrent use.
type Engine struct {
	cfg       Config
	providers map[string]*provider
	targets   map[string]Target
	started   time.Time // in whole seconds, as forges tell when something was created
	intents   intents
}

// provider is a Provider with what the engine remembers about it in RAM.
type provider struct {
	Provider
	targets  []string
	keepers  []string // of them, those who are told of repositories by themselves
	models   models
	listings listings
	sane     witness
	passing  atomic.Int64 // until when a pass over an organization is taken to go on, in Unix seconds
	logged   logStates
}

// New returns an engine. It fails when a target follows an unknown provider.
func New(cfg Config) (*Engine, error) {
	e := &Engine{cfg: cfg, providers: map[string]*provider{}, targets: map[string]Target{}, started: cfg.Now().Truncate(time.Second)}
	for _, p := range cfg.Providers {
		e.providers[p.Name] = e.remember(p)
	}
	for _, t := range cfg.Targets {
		p, ok := e.providers[t.Provider]
		if !ok {
			return nil, fmt.Errorf("reconcile: target %s follows unknown provider %q", t.Name, t.Provider)
		}
		if err := t.able(p.Forge); err != nil {
			return nil, fmt.Errorf("reconcile: target %s: %w", t.Name, err)
		}
		p.targets = append(p.targets, t.Name)
		if _, conceals := t.Driver.(target.Concealer); conceals || len(t.Policy.Rules) > 0 {
			p.keepers = append(p.keepers, t.Name)
		}
		e.targets[t.Name] = t
	}
	return e, nil
}

// remember returns p with nothing remembered about it yet.
func (e *Engine) remember(p Provider) *provider {
	return &provider{Provider: p, models: models{now: e.cfg.Now, life: lifeOf(p, e.cfg.Reconcile)}}
}

// Handle does one job's work. It implements syncqueue.Handler.
func (e *Engine) Handle(ctx context.Context, l syncqueue.Lease) (syncqueue.Outcome, error) {
	p, ok := e.providers[l.Job.Provider]
	if !ok {
		return syncqueue.Outcome{}, syncqueue.Permanent(fmt.Errorf("provider %q is not configured any more: drop the job, or configure it again and retry", l.Job.Provider))
	}
	o, err := e.dispatch(providers.Leaving(ctx, l.Job.Lane.Leaves()), p, l)
	if err != nil {
		return o, fmt.Errorf("%s of %s on %s: %w", l.Job.Kind, l.Job.Subject, l.Job.Provider, err)
	}
	if l.Job.Kind != syncqueue.KindPublish {
		p.keepTurned(&o)
	}
	if l.Job.Kind != syncqueue.KindPublish && l.Job.Attempts <= 1 {
		o.Details = e.describe(ctx, p, l.Job)
	}
	return o, nil
}

func (e *Engine) dispatch(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	switch l.Job.Kind {
	case syncqueue.KindRepo:
		return e.repo(ctx, p, l)
	case syncqueue.KindMember:
		return e.member(ctx, p, l)
	case syncqueue.KindUser:
		return e.user(ctx, p, l)
	case syncqueue.KindScope:
		if l.Job.Plan != nil {
			return e.plan(ctx, p, l)
		}
		return e.scope(ctx, p, l)
	case syncqueue.KindPoll:
		switch l.Job.Within.Name {
		case syncqueue.PollOrgs:
			return e.pollOrgs(ctx, p, l)
		case syncqueue.PollRepos:
			return e.pollRepos(ctx, p, l)
		case syncqueue.PollDeliveries:
			return e.pollDeliveries(ctx, p, l)
		}
		return e.pollMembers(ctx, p, l)
	case syncqueue.KindSweep:
		return e.sweep(ctx, p, l)
	case syncqueue.KindPublish:
		if l.Job.Subject.Kind == providers.SubjectRepo {
			return e.publishRepo(ctx, p, l)
		}
		return e.publish(ctx, p, l)
	}
	return syncqueue.Outcome{}, syncqueue.Permanent(fmt.Errorf("unknown kind of job %q", l.Job.Kind))
}

// A finding is what one read of the forge comes to, before anything is made of
// it: the same for a job that applies it and for somebody who only asks.
type finding struct {
	change  storage.Change
	follow  []syncqueue.Job // what it shows beside
	note    string
	spared  []loss             // what is left to other jobs
	held    string             // why nothing of the change is to be applied yet, "" if all is
	instead *syncqueue.Outcome // there is nothing to apply: look again, superseded
}

func superseded(note string) finding {
	return finding{instead: &syncqueue.Outcome{Result: syncqueue.ResultSuperseded, Note: note}}
}

// settle makes the outcome of a job out of what it found, none if that failed.
func (e *Engine) settle(p *provider, l syncqueue.Lease, f finding, err error) syncqueue.Outcome {
	switch {
	case err != nil:
		return syncqueue.Outcome{}
	case f.instead != nil:
		return *f.instead
	case f.held != "":
		return e.hold(l, atCatalogue, f.held)
	}
	o := p.change(&f.change)
	o.Note, o.Follow = f.note, f.follow
	return o
}

// change starts an outcome that tells the provider's targets.
func (p *provider) change(c *storage.Change) syncqueue.Outcome {
	c.Provider = p.Name
	return syncqueue.Outcome{Change: c, Publish: p.targets, Repos: p.keepers}
}

// again looks once more on the verify ladder; ok is false at its end.
func (e *Engine) again(l syncqueue.Lease, note string) (o syncqueue.Outcome, ok bool) {
	if l.Job.Looks >= len(e.cfg.Verify) {
		return syncqueue.Outcome{}, false
	}
	return syncqueue.Outcome{
		Result: syncqueue.ResultAgain, Note: note,
		Next: e.cfg.Now().Add(e.cfg.Verify[l.Job.Looks]),
	}, true
}

// atCatalogue stands for a target where the shrink guard held a change of the
// catalogue itself.
const atCatalogue = "catalogue"

// hold keeps what is known, looks again on the verify ladder by itself, and
// waits for an operator when that is spent.
func (e *Engine) hold(l syncqueue.Lease, targetName, note string) syncqueue.Outcome {
	if e.cfg.Held != nil && l.Job.Looks == 0 {
		e.cfg.Held(targetName)
	}
	if o, ok := e.again(l, "held: "+note); ok {
		return o
	}
	return syncqueue.Outcome{
		Result: syncqueue.ResultParked,
		Note:   "held: " + note + "; release with: hookd queue retry " + l.Job.ID,
	}
}

// describe reads the typed payload of the job's deliveries, for the journal. A
// payload that cannot be described is nobody's failure.
func (e *Engine) describe(ctx context.Context, p *provider, j syncqueue.Job) map[string]providers.Details {
	if p.Hook == nil {
		return nil
	}
	var out map[string]providers.Details
	for _, c := range j.Causes {
		if c.Delivery == "" || c.By != "" {
			continue
		}
		d, err := e.cfg.Store.Body(ctx, c.Delivery)
		if err != nil {
			continue
		}
		details, err := p.Hook.Describe(d)
		if err != nil {
			e.cfg.Log.Debug("a delivery could not be described", "delivery", c.Delivery, "err", err)
			continue
		}
		if out == nil {
			out = map[string]providers.Details{}
		}
		out[c.Delivery] = details
	}
	return out
}
