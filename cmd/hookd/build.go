package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/handlers/dashboard"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// build makes the parties, the engine, the pool and the handlers.
func (s *server) build() error {
	c := s.cfg
	s.desk = &desk{store: s.store, reconcile: c.Sync.Reconcile}
	s.metrics = handlers.NewMetrics(prometheus.NewRegistry(), buildVersion(), handlers.Gauges{
		Stats:     s.store.Stats,
		Users:     func() map[string]map[string]int { return s.desk.users(context.Background()) },
		Remaining: func() map[string]*int { return s.desk.remaining() },
		Now:       time.Now,
	})
	s.feed = handlers.NewFeed(handlers.Past{Journal: s.store, Console: s.store, Visibles: s.store}, time.Now)
	rc := reconcile.Config{
		Store: s.store, Log: s.log, Now: time.Now,
		Verify: c.Sync.Verify, Reconcile: c.Sync.Reconcile, Guard: c.Sync.Guard, Held: s.metrics.ShrinkHeld,
		Timing: c.timing(), Fetched: s.fetched,
	}
	for _, p := range c.Providers {
		f, err := s.forge(p)
		if err != nil {
			return err
		}
		rc.Providers = append(rc.Providers, reconcile.Provider{
			Name: p.Name, Forge: f.forge, Hook: f.hook, Orgs: f.orgs, Names: p.Orgs,
			Members: p.Poll.Members, Repos: p.Poll.Repos, Coverage: coverage(p.Kind),
			Public: c.PublicURL, Deliveries: p.Poll.Deliveries,
		})
	}
	for _, t := range c.Targets {
		p, err := s.target(t)
		if err != nil {
			return err
		}
		rc.Targets = append(rc.Targets, reconcile.Target{
			Name: t.Name, Provider: t.Provider, Driver: p.driver, Policy: t.Activate.policy(), Activator: p.activator,
			Offboard: target.Offboarding(t.Offboard), OffboardAdmins: t.OffboardAdmins,
		})
	}
	s.metrics.Known(names(c.Providers, func(p *providerConfig) string { return p.Name }), names(c.Targets, func(t *targetConfig) string { return t.Name }))
	var err error
	if s.engine, err = reconcile.New(rc); err != nil {
		return err
	}
	s.desk.logs = s.engine.DeliveryLogs
	s.pool = &syncqueue.Pool{
		Queue: s.store, Handler: s.engine, Backoff: c.Sync.Retry, TTL: leaseTTL, Drain: drainJobs,
		Observe: s.observe, Log: s.log, Now: time.Now,
		// Each apart, so that one that hangs does not stop the others.
		Peers: c.peers(), Workers: c.Sync.Workers, Limits: c.limits(), Held: s.desk.held,
	}
	s.handlers()
	return nil
}

// peers are all who are asked.
func (c *config) peers() []syncqueue.Peer {
	var all []syncqueue.Peer
	for _, p := range c.Providers {
		all = append(all, syncqueue.Peer{Provider: p.Name})
	}
	for _, t := range c.Targets {
		all = append(all, syncqueue.Peer{Target: t.Name})
	}
	return all
}

// limits are what targets bear.
func (c *config) limits() map[syncqueue.Peer]syncqueue.Limit {
	all := map[syncqueue.Peer]syncqueue.Limit{}
	for _, t := range c.Targets {
		all[syncqueue.Peer{Target: t.Name}] = syncqueue.Limit{Workers: t.Concurrency, Every: t.Interval}
	}
	return all
}

func (s *server) forge(p *providerConfig) (*forgeParty, error) {
	hook, err := newHook(p)
	if err != nil {
		return nil, err
	}
	if p.Token == "" && !p.App.set() {
		s.log.Warn("deliveries are kept, but the forge cannot be asked what they mean: no token", "provider", p.Name, "fix", "set token_file")
	}
	f := &forgeParty{cfg: p, hook: &liveHook{}, token: newLiveToken(s.transport(), p.Token), orgs: providers.NewOrgSet(p.Orgs...)}
	f.hook.set(hook)
	f.secrets.Store(int32(len(p.Hooks)))
	f.knowHooks(p, s.cfg.PublicURL)
	f.forge, err = newForge(p, f.orgs, f.token, func(code int) { s.metrics.ForgeRequest(p.Name, code) })
	s.desk.forges = append(s.desk.forges, f)
	return f, err
}

// transport makes connections for one party, which end with the server.
func (s *server) transport() *http.Transport {
	return s.closing(newTransport())
}

func (s *server) closing(t *http.Transport) *http.Transport {
	s.connections = append(s.connections, t)
	return t
}

func (s *server) target(t *targetConfig) (*targetParty, error) {
	p := &targetParty{cfg: t, token: newLiveToken(s.closing(newTargetTransport()), t.Token)}
	kept, err := s.cfg.keeps(t, true)
	if err != nil {
		return nil, err
	}
	observe := func(code int) { s.metrics.TargetRequest(t.Name, code) }
	p.driver, err = newTarget(t, kept, s.cfg.Sync.Guard, p.token, observe, s.log)
	s.desk.targets = append(s.desk.targets, p)
	var activatorErr error
	p.activator, activatorErr = newActivator(t, p.token, observe, s.log)
	return p, errors.Join(err, activatorErr, p.listen(t))
}

func (s *server) handlers() {
	sources := map[string]handlers.Source{}
	for _, f := range s.desk.forges {
		sources[f.cfg.Name] = f.source()
	}
	s.public = handlers.NewServer(s.cfg.Listen, handlers.Public(handlers.Intake{
		Sources:    func() map[string]handlers.Source { return sources },
		Announcers: s.announcers,
		Queue:      s.store, Timing: s.cfg.timing(), Draining: s.draining.Load,
		Metrics: s.metrics, Feed: s.feed, Log: s.log, Now: time.Now,
	}), s.log)
	admin := handlers.Admin{
		Queue: s.store, Journal: s.store, Console: s.store, Catalogue: s.store, Visibles: s.store,
		Desk: s.desk, Tokens: func() []handlers.Token { return *s.tokens.Load() },
		Timing: s.cfg.timing(), Metrics: s.metrics, Log: s.log, Now: time.Now,
		Ready: s.ready, Draining: s.draining.Load, Build: buildVersion(),
		Backfill: s.backfill, Reconcile: s.engine, Backup: s.store.Backup, Feed: s.feed,
	}
	admin.Page = dashboard.New(dashboard.Config{
		Journal: s.store, Console: s.store, Catalogue: s.store, Visibles: s.store,
		Steering: admin.Steering(), Gate: handlers.Gate{Tokens: admin.Tokens},
		Events: s.feed.Serve,
		Why:    admin.Why, Credential: s.desk.Credential, MustLogIn: s.desk.MustLogIn, Linkings: s.desk.linkings(), PublicURL: s.cfg.PublicURL,
		Providers: names(s.cfg.Providers, func(p *providerConfig) string { return p.Name }),
		Log:       s.log, Now: time.Now,
	})
	s.admin = handlers.NewServer(s.cfg.AdminListen, handlers.AdminAPI(admin), s.log)
}

// announcers are the targets whose CI servers may announce their users now.
func (s *server) announcers() map[string]handlers.Announcer {
	all := map[string]handlers.Announcer{}
	for _, t := range s.desk.targets {
		if hook := t.events.Load(); hook != nil {
			all[t.cfg.Name] = handlers.Announcer{
				Name: t.cfg.Name, Hook: *hook,
				Welcome: func(ctx context.Context, login string, c syncqueue.Cause) (int, error) {
					return s.engine.Welcome(ctx, t.cfg.Name, login, c)
				},
			}
		}
	}
	return all
}

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = name(x)
	}
	return out
}
