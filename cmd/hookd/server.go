package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/bolt"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
)

// The times of a shutdown, together at most 25 s: jobs that run may end, then
// requests that are being answered may.
const (
	drainJobs     = 20 * time.Second
	drainRequests = 4 * time.Second

	leaseTTL = 30 * time.Second
)

// A store is what the server needs of a storage engine.
type store interface {
	syncqueue.Queue
	syncqueue.Journal
	syncqueue.Console
	syncqueue.Backlog
	storage.Catalogue
	storage.Visibles
	storage.Maintainer
	storage.Backuper
	Close() error
}

// A server is hookd: a store, an engine with its workers, and two listeners.
// `serve` and `demo` run the same one.
type server struct {
	cfg   *config
	log   *slog.Logger
	level *slog.LevelVar

	store    store
	desk     *desk
	engine   *reconcile.Engine
	pool     *syncqueue.Pool
	metrics  *handlers.Metrics
	feed     *handlers.Feed
	tokens   atomic.Pointer[[]handlers.Token]
	draining atomic.Bool

	connections []*http.Transport // to the forges and CI servers

	public, admin         *http.Server
	publicAddr, adminAddr net.Listener
}

// newServer opens the store and both listeners and builds everything between
// them. Nothing runs yet; whoever gets a server must call run.
func newServer(c *config, log *slog.Logger, level *slog.LevelVar) (_ *server, err error) {
	s := &server{cfg: c, log: log, level: level}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	if err := s.setTokens(c); err != nil {
		return nil, err
	}
	s.store, err = bolt.Open(c.dataFile(), bolt.Options{
		Now: time.Now, Log: log, MaxBytes: int64(c.Retention.MaxBytes),
		Retention: storage.Retention{Deliveries: c.Retention.Deliveries, Bodies: c.Retention.Bodies},
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.store.Close())
		}
	}()
	if err := s.build(); err != nil {
		return nil, err
	}
	return s, s.listen()
}

func (s *server) listen() error {
	var err error
	if s.publicAddr, err = net.Listen("tcp", s.cfg.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if s.adminAddr, err = net.Listen("tcp", s.cfg.AdminListen); err != nil {
		return errors.Join(fmt.Errorf("admin_listen: %w", err), s.publicAddr.Close())
	}
	return nil
}

func (s *server) setTokens(c *config) error {
	tokens, err := adminTokens(c)
	if err == nil {
		s.tokens.Store(&tokens)
	}
	return err
}

// ready lists what /readyz looks at.
func (s *server) ready(ctx context.Context) []handlers.Check {
	_, err := s.store.Stats(ctx)
	checks := []handlers.Check{{Name: "store", Err: err}, {Name: "accepting"}}
	if s.draining.Load() {
		checks[1].Err = errors.New("shutting down")
	}
	return checks
}

// observe counts a run of a job and tells what it came to.
func (s *server) observe(r syncqueue.Report) {
	s.metrics.JobEnded(string(r.Job.Kind), string(r.Result))
	for _, v := range r.Applied.Visible {
		if !v.Asked.IsZero() && !v.Gone {
			s.metrics.Visible(v.Target, v.Took().Seconds())
		}
	}
	s.metrics.Drift(r.Job.Provider, r.Drift())
	s.feed.Job(r)
}

// fetched counts and tells a delivery that was fetched from a forge's log.
func (s *server) fetched(e syncqueue.Entry, jobs int) {
	s.metrics.Delivery(e.Delivery.Provider, e.Event.Name, string(e.Result))
	s.feed.Delivery(e, jobs)
}

// backfill is the engine's, in the API's words.
func (s *server) backfill(ctx context.Context, provider string, since time.Time) ([]handlers.Backfill, error) {
	found, err := s.engine.Backfill(ctx, provider, since)
	all := make([]handlers.Backfill, len(found))
	for i, b := range found {
		all[i] = handlers.Backfill{
			Provider: b.Provider, Org: b.Org.Name, Read: b.Read, Missed: b.Missed, Fetched: b.Fetched,
			Known: b.Known, Ignored: b.Ignored, Lost: b.Lost, Complete: b.Complete, Scope: b.Scope, Logless: b.Logless, Note: b.Note,
		}
	}
	return all, err
}

// run works until ctx is done, then drains and closes everything. It returns
// an error when a listener or the store fails.
func (s *server) run(ctx context.Context) error {
	if err := s.engine.Start(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // who stops hookd before it is ready met no failure
		} else {
			err = fmt.Errorf("starting: %w", err)
		}
		return errors.Join(err, s.publicAddr.Close(), s.adminAddr.Close(), s.store.Close())
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var listeners, work sync.WaitGroup
	serve := func(srv *http.Server, l net.Listener) {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("serving %s: %w", l.Addr(), err))
		}
	}
	listeners.Go(func() { serve(s.admin, s.adminAddr) })
	listeners.Go(func() { serve(s.public, s.publicAddr) })
	work.Go(func() { s.pool.Run(ctx) })
	work.Go(func() { s.engine.Run(ctx) })
	work.Go(func() { (&watcher{desk: s.desk, log: s.log, now: time.Now, welcome: s.engine.Welcome}).run(ctx) })
	work.Go(func() { s.maintain(ctx) })
	s.log.Info("hookd is ready", "version", buildVersion().Version, "listen", s.publicAddr.Addr().String(), "admin", s.adminAddr.Addr().String(), "data", s.cfg.DataDir)

	<-ctx.Done()
	// The intake goes on answering, with 503, until the jobs have ended.
	s.draining.Store(true)
	s.feed.Close()
	s.log.Info("draining", "at_most", drainJobs+drainRequests)
	work.Wait()
	s.shutdown()
	listeners.Wait()
	for _, c := range s.connections {
		c.CloseIdleConnections()
	}
	err := s.store.Close()
	for _, t := range s.desk.targets {
		if c, ok := t.driver.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	s.log.Info("stopped")
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}

// shutdown lets requests end, and cuts those that do not.
func (s *server) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), drainRequests)
	defer cancel()
	var wg sync.WaitGroup
	for _, srv := range []*http.Server{s.public, s.admin} {
		wg.Go(func() {
			if srv.Shutdown(ctx) != nil {
				_ = srv.Close() // cuts what is left; there is nobody to tell
			}
		})
	}
	wg.Wait()
}

// maintain drops what is past its time.
func (s *server) maintain(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Retention.clearEvery())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		swept, err := s.store.Maintain(ctx, time.Now())
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Error("clearing the store failed", "err", err)
		case swept != (storage.Swept{}):
			s.log.Info("cleared the store", "deliveries", swept.Deliveries, "bodies", swept.Bodies, "jobs", swept.Jobs)
		}
	}
}
